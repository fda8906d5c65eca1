/* Paths inside the container's root: found, or made where missing, without ever leaving it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

#define LINKS_MAX 16
/* Of missing directories and links, each a call deeper: an image must not be able to exhaust the stack. */
#define DEPTH_MAX 256

struct way {
  unsigned links;
  unsigned depth;
};

static int make(int root, const char *path, enum target_kind kind, struct way way);

/* Cuts `path` into the part before its last component (empty: the root) and that component. */
static void split(const char *path, char *parent, char name[256]) {
  size_t end = strlen(path);
  while (end > 0 && path[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') start--;
  size_t length = end - start < 255 ? end - start : 255;
  memcpy(name, path + start, length);
  name[length] = '\0';
  memcpy(parent, path, start);
  parent[start] = '\0';
}

/* Where a link that leads to nothing points to, as a path inside the root. */
static int follow(int root, const char *parent, const char *value, enum target_kind kind, struct way way) {
  if (way.links++ >= LINKS_MAX) {
    errno = ELOOP;
    return -1;
  }
  char *path = value[0] == '/' ? xstrdup(value) : xasprintf("%s/%s", parent, value);
  int fd = make(root, path, kind, way);
  int error = errno;
  free(path);
  errno = error;
  return fd;
}

static int make_entry(int directory, const char *name, enum target_kind kind) {
  if (kind == TARGET_DIRECTORY) {
    if (mkdirat(directory, name, 0755) != 0 && errno != EEXIST) return -1;
  } else {
    int file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0 && errno != EEXIST) return -1;
    close_quietly(file);
  }
  struct stat status;
  int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  if (fstat(fd, &status) == 0 && !S_ISLNK(status.st_mode)) return fd;
  /* Somebody put a link there between the two calls. */
  close_quietly(fd);
  errno = ELOOP;
  return -1;
}

static int make(int root, const char *path, enum target_kind kind, struct way way) {
  int fd = open_in_root(root, path[0] == '\0' ? "/" : path, O_PATH, 0);
  if (fd >= 0 || errno != ENOENT || kind == TARGET_EXISTING) return fd;
  if (strlen(path) >= PATH_MAX || way.depth++ >= DEPTH_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  char name[256], value[PATH_MAX];
  char *parent = xmalloc(strlen(path) + 1);
  split(path, parent, name);
  int directory = make(root, parent, TARGET_DIRECTORY, way);
  ssize_t length = -1;
  if (directory >= 0) {
    if (strcmp(name, "..") == 0 || strcmp(name, ".") == 0) {
      fd = open_in_root(root, path, O_PATH, 0);
    } else if ((length = readlinkat(directory, name, value, sizeof value - 1)) >= 0) {
      value[length] = '\0';
      fd = follow(root, parent, value, kind, way);
    } else {
      fd = make_entry(directory, name, kind);
    }
  }
  int error = errno;
  close_quietly(directory);
  free(parent);
  errno = error;
  return fd;
}

int target_open(int root, const char *path, enum target_kind kind) {
  return make(root, path, kind, (struct way){0});
}

int target_parent(int root, const char *path, char name[256]) {
  char *parent = xmalloc(strlen(path) + 1);
  split(path, parent, name);
  int fd = -1;
  if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) errno = EINVAL;
  else fd = make(root, parent, TARGET_DIRECTORY, (struct way){0});
  int error = errno;
  free(parent);
  errno = error;
  return fd;
}
