#include "tar-content.h"

#include <errno.h>
#include <unistd.h>

static int write_whole(struct tar_reader *reader, int fd, const char *step, struct failure *failure) {
  const char *data;
  ssize_t count;
  while ((count = tar_data(reader, &data, failure)) > 0)
    if (write_all(fd, data, (size_t)count) != 0) return fail_errno(failure, errno, "%s", step);
  return count < 0 ? -1 : 0;
}

static int write_sparse(struct tar_reader *reader, const struct tar_entry *entry, int fd, const char *step,
                        struct failure *failure) {
  const char *data = NULL;
  ssize_t have = 0;
  for (size_t i = 0; i < entry->segment_count; i++) {
    uint64_t left = entry->segments[i].size;
    if (lseek(fd, (off_t)entry->segments[i].offset, SEEK_SET) < 0) return fail_errno(failure, errno, "%s", step);
    while (left > 0) {
      if (have == 0) have = tar_data(reader, &data, failure);
      if (have < 0) return -1;
      if (have == 0) return fail_kind(failure, KIND_INVALID, "its data ends early", "%s", step);
      size_t size = (uint64_t)have < left ? (size_t)have : (size_t)left;
      if (write_all(fd, data, size) != 0) return fail_errno(failure, errno, "%s", step);
      data += size;
      have -= (ssize_t)size;
      left -= size;
    }
  }
  return ftruncate(fd, (off_t)entry->size) == 0 ? 0 : fail_errno(failure, errno, "%s", step);
}

int tar_write(struct tar_reader *reader, const struct tar_entry *entry, int fd, const char *step, struct failure *failure) {
  return entry->sparse ? write_sparse(reader, entry, fd, step, failure) : write_whole(reader, fd, step, failure);
}
