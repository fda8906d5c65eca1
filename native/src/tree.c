#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Levels that stay open. Above them a level is closed and opened again by way of `..`, checked by its identity. */
#define OPEN_LEVELS 48
/* Instead of a descriptor: it was removed meanwhile. */
#define GONE (-2)

struct level {
  DIR *stream; /* NULL: closed for now */
  long position;
  dev_t device;
  ino_t inode;
  char *name; /* in its parent; NULL for the first */
  struct stat status;
};

struct walk {
  struct level *levels;
  size_t depth;
  size_t capacity;
  const struct tree_visitor *visitor;
  const char *step;
  struct failure *failure;
};

static int is_mount_boundary(int parent, int fd) {
  struct statx above, below;
  if (statx(parent, "", AT_EMPTY_PATH, STATX_BASIC_STATS | 0x1000 /* STATX_MNT_ID */, &above) != 0) return -1;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | 0x1000, &below) != 0) return -1;
  if ((above.stx_mask & below.stx_mask & 0x1000) && above.stx_mnt_id != below.stx_mnt_id) return 1;
  return above.stx_dev_major != below.stx_dev_major || above.stx_dev_minor != below.stx_dev_minor;
}

int tree_open(int parent, const char *name) {
  struct open_how how = {
      .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
  };
  int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN)) return fd;
  fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  int boundary = is_mount_boundary(parent, fd);
  if (boundary == 0) return fd;
  close_quietly(fd);
  if (boundary > 0) errno = EXDEV;
  return -1;
}

/* Without privileges the directory's own mode may keep us out, its owner. */
static int open_locked_directory(int parent, const char *name) {
  return chmod_at(parent, name, 0700) == 0 ? tree_open(parent, name) : -1;
}

static int open_any(int parent, const char *name) {
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_directory(struct walk *walk, int parent, const char *name) {
  int fd = walk->visitor->across ? open_any(parent, name) : tree_open(parent, name);
  if (fd < 0 && errno == EACCES && walk->visitor->removing) fd = open_locked_directory(parent, name);
  if (fd < 0 && errno == ENOENT) return GONE;
  if (fd < 0 && errno == EXDEV) fail_kind(walk->failure, KIND_CONFLICT, "is a mount point", "%s %s", walk->step, name);
  else if (fd < 0) fail_errno(walk->failure, errno, "%s %s", walk->step, name);
  return fd;
}

static void suspend(struct level *level) {
  level->position = telldir(level->stream);
  closedir(level->stream);
  level->stream = NULL;
}

static int push(struct walk *walk, int fd, const char *name, const struct stat *status) {
  struct stat own;
  DIR *stream = fstat(fd, &own) == 0 ? fdopendir(fd) : NULL;
  if (stream == NULL) {
    close_quietly(fd);
    return fail_errno(walk->failure, errno, "%s %s", walk->step, name != NULL ? name : "");
  }
  if (walk->depth == walk->capacity) {
    walk->capacity = walk->capacity * 2 + 32;
    walk->levels = xrealloc(walk->levels, walk->capacity * sizeof *walk->levels);
  }
  /* The first level stays open: it is the caller's. */
  if (walk->depth > OPEN_LEVELS && walk->levels[walk->depth - OPEN_LEVELS].stream != NULL)
    suspend(&walk->levels[walk->depth - OPEN_LEVELS]);
  struct level *level = &walk->levels[walk->depth++];
  *level = (struct level){.stream = stream, .device = own.st_dev, .inode = own.st_ino};
  level->name = name != NULL ? xstrdup(name) : NULL;
  level->status = status != NULL ? *status : own;
  return 0;
}

/* The parent of the directory that was just finished, opened again. */
static int resume(struct walk *walk, struct level *level, int child) {
  struct stat status;
  int fd = openat(child, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fail_errno(walk->failure, errno, "%s ..", walk->step);
  if (fstat(fd, &status) != 0 || status.st_dev != level->device || status.st_ino != level->inode ||
      (level->stream = fdopendir(fd)) == NULL) {
    close_quietly(fd);
    return fail_kind(walk->failure, KIND_CONFLICT, "the tree changed meanwhile", "%s", walk->step);
  }
  seekdir(level->stream, level->position);
  return 0;
}

static int pop(struct walk *walk) {
  struct level finished = walk->levels[walk->depth - 1];
  struct level *above = &walk->levels[walk->depth - 2];
  int result = 0;
  if (above->stream == NULL) result = resume(walk, above, dirfd(finished.stream));
  closedir(finished.stream);
  walk->depth--;
  if (result == 0 && walk->visitor->leave != NULL) {
    struct tree_entry entry = {.parent = dirfd(above->stream),
                               .name = finished.name,
                               .status = finished.status,
                               .depth = walk->depth - 1};
    result = walk->visitor->leave(&entry, walk->visitor->context, walk->failure);
  }
  free(finished.name);
  return result;
}

static int visit(struct walk *walk, int parent, const char *name) {
  const struct tree_visitor *visitor = walk->visitor;
  struct tree_entry entry = {.parent = parent, .name = name, .depth = walk->depth - 1};
  if (fstatat(parent, name, &entry.status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? 0 : fail_errno(walk->failure, errno, "%s %s", walk->step, name);
  if (!S_ISDIR(entry.status.st_mode)) return visitor->file(&entry, visitor->context, walk->failure);
  int wanted = visitor->enter != NULL ? visitor->enter(&entry, visitor->context, walk->failure) : 0;
  if (wanted != 0) return wanted == TREE_SKIP ? 0 : -1;
  int fd = open_directory(walk, parent, name);
  if (fd == GONE) return 0;
  return fd < 0 ? -1 : push(walk, fd, name, &entry.status);
}

static bool is_dot(const char *name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Offsets of a directory that shrinks are not to be relied on (tmpfs before Linux 6.6): look again before it is left. */
static bool is_empty(DIR *stream) {
  rewinddir(stream);
  for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
    if (!is_dot(entry->d_name)) {
      rewinddir(stream);
      return false;
    }
  return true;
}

static int walk_all(struct walk *walk) {
  for (;;) {
    struct level *level = &walk->levels[walk->depth - 1];
    errno = 0;
    struct dirent *entry = readdir(level->stream);
    if (entry == NULL) {
      if (errno != 0) return fail_errno(walk->failure, errno, "%s", walk->step);
      if (walk->visitor->removing && !is_empty(level->stream)) continue;
      if (walk->depth == 1) return 0;
      if (pop(walk) != 0) return -1;
    } else if (!is_dot(entry->d_name) && visit(walk, dirfd(level->stream), entry->d_name) != 0) {
      return -1;
    }
  }
}

int tree_walk(int directory, const struct tree_visitor *visitor, const char *step, struct failure *failure) {
  struct walk walk = {.visitor = visitor, .step = step, .failure = failure};
  int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_errno(failure, errno, "%s", step);
  int result = push(&walk, fd, NULL, NULL);
  if (result == 0) result = walk_all(&walk);
  for (size_t i = 0; i < walk.depth; i++) {
    if (walk.levels[i].stream != NULL) closedir(walk.levels[i].stream);
    free(walk.levels[i].name);
  }
  free(walk.levels);
  return result;
}
