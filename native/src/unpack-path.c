#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "syscalls.h"
#include "unpack.h"
#include "xattr.h"

#define LINKS_MAX 40

/* Adds or takes away one component. */
static int push_component(char *path, size_t *length, const char *component, size_t size) {
  if (size == 0 || (size == 1 && component[0] == '.')) return 0;
  if (size == 2 && component[0] == '.' && component[1] == '.') {
    if (*length == 0) return -1;
    while (*length > 0 && path[*length - 1] != '/') (*length)--;
    if (*length > 0) (*length)--;
    path[*length] = '\0';
    return 0;
  }
  if (*length + size + 2 > UNPACK_PATH_MAX) return -1;
  if (*length > 0) path[(*length)++] = '/';
  memcpy(path + *length, component, size);
  *length += size;
  path[*length] = '\0';
  return 0;
}

int path_clean(const char *path, char clean[UNPACK_PATH_MAX]) {
  size_t length = 0;
  clean[0] = '\0';
  while (*path != '\0') {
    size_t size = strcspn(path, "/");
    if (push_component(clean, &length, path, size) != 0) return -1;
    path += size;
    while (*path == '/') path++;
  }
  return 0;
}

void path_split(const char *clean, char directory[UNPACK_PATH_MAX], const char **name) {
  const char *slash = strrchr(clean, '/');
  size_t size = slash != NULL ? (size_t)(slash - clean) : 0;
  memcpy(directory, clean, size);
  directory[size] = '\0';
  *name = slash != NULL ? slash + 1 : clean;
}

void parent_forget(struct unpack *unpack) {
  free(unpack->cached_path);
  close_quietly(unpack->cached_fd);
  unpack->cached_path = NULL;
  unpack->cached_fd = -1;
}

void unpack_defer(struct unpack *unpack, const char *path, struct timespec mtime) {
  if (unpack->deferred_count == unpack->deferred_capacity) {
    unpack->deferred_capacity = unpack->deferred_capacity * 2 + 256;
    unpack->deferred = xrealloc(unpack->deferred, unpack->deferred_capacity * sizeof *unpack->deferred);
  }
  unpack->deferred[unpack->deferred_count++] = (struct deferred){.path = xstrdup(path), .mtime = mtime};
}

bool is_opaque(const struct unpack *unpack, int directory) {
  char path[40], value[2];
  snprintf(path, sizeof path, "/proc/self/fd/%d", directory);
  return getxattr(path, unpack->opaque_name, value, sizeof value) > 0;
}

int lower_find(const struct unpack *unpack, const char *path, struct stat *status) {
  char directory[UNPACK_PATH_MAX];
  const char *name;
  if (unpack->lower < 0) {
    errno = ENOENT;
    return -1;
  }
  path_split(path, directory, &name);
  int fd = open_beneath(unpack->lower, directory, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return -1;
  int found = fstatat(fd, name, status, AT_SYMLINK_NOFOLLOW);
  /* Visible where there is one layer below only. */
  if (found == 0 && is_whiteout(fd, name)) {
    errno = ENOENT;
    found = -1;
  }
  if (found == 0) return fd;
  close_quietly(fd);
  return -1;
}

/* A way through the destination, component by component, with links resolved inside it. */
struct walk {
  struct unpack *unpack;
  char resolved[UNPACK_PATH_MAX]; /* directories that exist, no link among them */
  size_t length;
  char *pending; /* what is still to be walked */
  int fd;        /* of `resolved` */
  bool opaque;   /* the layers below do not show here */
  unsigned links;
};

static int walk_back(struct walk *walk) {
  push_component(walk->resolved, &walk->length, "..", 2);
  close_quietly(walk->fd);
  walk->fd = open_beneath(walk->unpack->root, walk->resolved, O_PATH | O_DIRECTORY, 0);
  /* Rarely needed, so the answer may be too careful: then only attributes of implied directories are missed. */
  return walk->fd < 0 ? -1 : 0;
}

static int walk_link(struct walk *walk, int directory, const char *name) {
  char value[UNPACK_PATH_MAX];
  ssize_t size = readlinkat(directory, name, value, sizeof value - 1);
  if (size < 0) return -1;
  value[size] = '\0';
  if (++walk->links > LINKS_MAX) {
    errno = ELOOP;
    return -1;
  }
  if (value[0] == '/') {
    close_quietly(walk->fd);
    walk->fd = open_beneath(walk->unpack->root, "", O_PATH | O_DIRECTORY, 0);
    walk->length = 0;
    walk->resolved[0] = '\0';
    walk->opaque = false;
    if (walk->fd < 0) return -1;
  }
  char *pending = xasprintf("%s/%s", value, walk->pending);
  free(walk->pending);
  walk->pending = pending;
  return 0;
}

static int walk_into(struct walk *walk, const char *name) {
  int next = openat(walk->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (next < 0) return -1;
  close(walk->fd);
  walk->fd = next;
  if (push_component(walk->resolved, &walk->length, name, strlen(name)) != 0) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (walk->unpack->lower >= 0 && !walk->opaque) walk->opaque = is_opaque(walk->unpack, walk->fd);
  return 0;
}

/* Like the directory of the layers below. */
static int make_like(struct walk *walk, int lower_parent, const char *name, const struct stat *status) {
  if (mkdirat(walk->fd, name, 0700) != 0) return -1;
  if (fchownat(walk->fd, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  if (chmod_at(walk->fd, name, status->st_mode & 07777) != 0) return -1;
  if (xattr_copy_at(lower_parent, name, walk->fd, name) != 0) return -1;
  if (walk_into(walk, name) != 0) return -1;
  unpack_defer(walk->unpack, walk->resolved, status->st_mtim);
  return 0;
}

static int make_plain(struct walk *walk, const char *name) {
  if (mkdirat(walk->fd, name, 0755) != 0 || chmod_at(walk->fd, name, 0755) != 0) return -1;
  walk->unpack->implied++;
  return walk_into(walk, name);
}

/* No entry has described the directory so far. */
static int walk_missing(struct walk *walk, const char *name, bool make) {
  struct stat status;
  char path[UNPACK_PATH_MAX];
  int lower = -1;
  errno = ENOENT;
  if (!walk->opaque && (size_t)snprintf(path, sizeof path, "%s/%s", walk->resolved, name) < sizeof path)
    lower = lower_find(walk->unpack, path, &status);
  int result = -1;
  if (lower >= 0 && S_ISLNK(status.st_mode)) result = walk_link(walk, lower, name);
  else if (lower >= 0 && !S_ISDIR(status.st_mode)) errno = ENOTDIR;
  else if (make && lower >= 0) result = make_like(walk, lower, name, &status);
  else if (make) result = make_plain(walk, name);
  else errno = ENOENT;
  close_quietly(lower);
  return result;
}

static int walk_step(struct walk *walk, const char *name, bool make) {
  struct stat status;
  if (strcmp(name, "..") == 0) return walk_back(walk);
  if (fstatat(walk->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? walk_missing(walk, name, make) : -1;
  if (S_ISDIR(status.st_mode)) return walk_into(walk, name);
  if (S_ISLNK(status.st_mode)) return walk_link(walk, walk->fd, name);
  if (make && walk->unpack->whiteouts && is_whiteout(walk->fd, name)) {
    /* Hidden by this very layer, and now there is something beneath it: a new directory, without what was below. */
    if (unlinkat(walk->fd, name, 0) != 0 || mkdirat(walk->fd, name, 0755) != 0) return -1;
    if (make_opaque(walk->unpack, walk->fd, name) != 0) return -1;
    return walk_into(walk, name);
  }
  errno = ENOTDIR;
  return -1;
}

static int walk_all(struct walk *walk, bool make) {
  char name[NAME_MAX + 1];
  for (;;) {
    char *start = walk->pending + strspn(walk->pending, "/");
    size_t size = strcspn(start, "/");
    if (size == 0) return 0;
    if (size > NAME_MAX) {
      errno = ENAMETOOLONG;
      return -1;
    }
    memcpy(name, start, size);
    name[size] = '\0';
    memmove(walk->pending, start + size, strlen(start + size) + 1);
    if (strcmp(name, ".") != 0 && walk_step(walk, name, make) != 0) return -1;
  }
}

static int walk_open(struct unpack *unpack, const char *directory, bool make) {
  struct walk walk = {.unpack = unpack, .pending = xstrdup(directory)};
  walk.fd = open_beneath(unpack->root, "", O_PATH | O_DIRECTORY, 0);
  int result = walk.fd < 0 ? -1 : walk_all(&walk, make);
  int error = errno;
  free(walk.pending);
  if (result != 0) {
    close_quietly(walk.fd);
    walk.fd = -1;
  }
  errno = error;
  return walk.fd;
}

int parent_open(struct unpack *unpack, const char *directory, bool make) {
  if (unpack->cached_path != NULL && strcmp(unpack->cached_path, directory) == 0) return unpack->cached_fd;
  int fd = open_beneath(unpack->root, directory, O_PATH | O_DIRECTORY, 0);
  if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR)) fd = walk_open(unpack, directory, make);
  if (fd < 0) return -1;
  int error = errno;
  parent_forget(unpack);
  unpack->cached_path = xstrdup(directory);
  unpack->cached_fd = fd;
  errno = error;
  return fd;
}
