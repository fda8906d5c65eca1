#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "network.h"

/* A file of names that the container let grow beyond this is its own affair. */
#define LARGEST (1024 * 1024)

/* The next line of the text, without its end; NULL when there is none. */
static const char *next_line(const char **rest, size_t *length) {
  const char *line = *rest;
  if (*line == '\0') return NULL;
  *length = strcspn(line, "\n");
  *rest = line + *length + (line[*length] == '\n' ? 1 : 0);
  return line;
}

static bool has_line(const char *text, const char *line, size_t length) {
  const char *own;
  size_t own_length;
  while ((own = next_line(&text, &own_length)) != NULL)
    if (own_length == length && memcmp(own, line, length) == 0) return true;
  return false;
}

static void edit(const char *text, const char *removed, const char *added, struct buffer *out) {
  const char *line;
  size_t length;
  while ((line = next_line(&text, &length)) != NULL) {
    if (has_line(removed, line, length)) continue;
    buffer_append(out, line, length);
    buffer_append(out, "\n", 1);
  }
  buffer_text(out, added);
}

static int rewrite(int fd, const struct buffer *text) {
  for (size_t done = 0; done < text->size;) {
    ssize_t count = pwrite(fd, text->data + done, text->size - done, (off_t)done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    done += (size_t)count;
  }
  return ftruncate(fd, (off_t)text->size);
}

int edit_lines(const char *path, const char *removed, const char *added, struct failure *failure) {
  struct buffer before = {0}, after = {0};
  struct stat status;
  int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : fail_errno(failure, errno, "edit %s", path);
  int result = 0;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && read_to_end(fd, LARGEST, &before) == 0) {
    buffer_append(&before, "", 1);
    /* Bytes that are no text: the container wrote something else there. */
    if (strlen(before.data) + 1 == before.size) {
      edit(before.data, removed, added, &after);
      if (rewrite(fd, &after) != 0) result = fail_errno(failure, errno, "edit %s", path);
    }
  }
  buffer_free(&before);
  buffer_free(&after);
  close_quietly(fd);
  return result;
}
