#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "serve.h"
#include "tree.h"

/* Files with several names count once: a set of their identities, open addressing. */
struct inode {
  dev_t device;
  ino_t number; /* 0: free */
};

struct measure {
  uint64_t bytes;
  uint64_t entries;
  struct inode *seen;
  size_t count;
  size_t capacity; /* a power of two */
};

static bool insert(struct inode *table, size_t capacity, struct inode inode) {
  size_t at = (size_t)((inode.number ^ (inode.device << 20)) * 0x9e3779b97f4a7c15ULL) & (capacity - 1);
  while (table[at].number != 0) {
    if (table[at].number == inode.number && table[at].device == inode.device) return false;
    at = (at + 1) & (capacity - 1);
  }
  table[at] = inode;
  return true;
}

static bool first_time(struct measure *measure, const struct stat *status) {
  if (measure->count * 2 >= measure->capacity) {
    size_t capacity = measure->capacity > 0 ? measure->capacity * 2 : 1024;
    struct inode *table = xcalloc(capacity, sizeof *table);
    for (size_t i = 0; i < measure->capacity; i++)
      if (measure->seen[i].number != 0) insert(table, capacity, measure->seen[i]);
    free(measure->seen);
    measure->seen = table;
    measure->capacity = capacity;
  }
  bool added = insert(measure->seen, measure->capacity, (struct inode){status->st_dev, status->st_ino});
  measure->count += added;
  return added;
}

static int count_file(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct measure *measure = context;
  (void)failure;
  measure->entries++;
  if (!S_ISREG(entry->status.st_mode)) return 0;
  if (entry->status.st_nlink == 1 || first_time(measure, &entry->status)) measure->bytes += (uint64_t)entry->status.st_size;
  return 0;
}

static int count_directory(const struct tree_entry *entry, void *context, struct failure *failure) {
  (void)entry;
  (void)failure;
  ((struct measure *)context)->entries++;
  return 0;
}

static void run_measure(int status, void *context) {
  const char *root = context;
  struct failure failure;
  struct json json = {0};
  struct measure measure = {0};
  struct tree_visitor visitor = {.file = count_file, .enter = count_directory, .context = &measure};
  int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    fail_errno(&failure, errno, "measureTree %s", root);
    send_failure(status, &failure);
    return;
  }
  if (tree_walk(fd, &visitor, "measureTree", &failure) != 0) {
    send_failure(status, &failure);
    return;
  }
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_member_number(&json, "bytes", (int64_t)measure.bytes);
  json_member_number(&json, "entries", (int64_t)measure.entries);
  json_close(&json, '}');
  json_send(&json, status);
}

void measure_tree_request(uint64_t request, const struct record *record) {
  struct failure failure;
  if (record_text(record, 1, &failure) == NULL) {
    serve_reply_failure(request, &failure);
    return;
  }
  struct job_options options = {
      .request = request, .step = "measureTree", .run = run_measure, .context = record->argv[1]};
  serve_job(&options);
}
