#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sync.h"
#include "syscalls.h"
#include "tree.h"

static size_t hash(const char *text) {
  uint32_t value = 2166136261u; /* FNV-1a */
  for (; *text != '\0'; text++) value = (value ^ (unsigned char)*text) * 16777619u;
  return value % SYNC_BUCKETS;
}

struct sync_node *sync_node(struct sync *sync, const char *path) {
  if (sync->buckets == NULL) sync->buckets = xcalloc(SYNC_BUCKETS, sizeof *sync->buckets);
  struct sync_node **bucket = &sync->buckets[hash(path)];
  for (struct sync_node *node = *bucket; node != NULL; node = node->chained)
    if (strcmp(node->path, path) == 0) return node;
  struct sync_node *node = xcalloc(1, sizeof *node);
  *node = (struct sync_node){.chained = *bucket, .path = xstrdup(path), .fd = -1, .change = SYNC_NONE};
  *bucket = node;
  return node;
}

static void close_directory(struct sync_node *node) {
  close_quietly(node->fd);
  node->fd = -1;
  node->staged = node->through_link = false;
  node->locked = NULL;
}

void sync_nodes_free(struct sync *sync) {
  for (size_t i = 0; sync->buckets != NULL && i < SYNC_BUCKETS; i++) {
    for (struct sync_node *node = sync->buckets[i], *next; node != NULL; node = next) {
      next = node->chained;
      close_quietly(node->fd);
      free(node->path);
      free(node);
    }
  }
  free(sync->buckets);
  sync->buckets = NULL;
}

static void each_beneath(struct sync *sync, const char *path, void (*visit)(struct sync *sync, struct sync_node *node)) {
  size_t length = strlen(path);
  for (size_t i = 0; sync->buckets != NULL && i < SYNC_BUCKETS; i++)
    for (struct sync_node *node = sync->buckets[i]; node != NULL; node = node->chained)
      if (strncmp(node->path, path, length) == 0 && node->path[length] == '/') visit(sync, node);
}

static void forget(struct sync *sync, struct sync_node *node) {
  (void)sync;
  close_directory(node);
  node->state = SYNC_UNTOLD;
}

void sync_forget_beneath(struct sync *sync, const char *path) {
  /* Changes first: they need the directories that they are in. */
  each_beneath(sync, path, sync_change_cancel);
  each_beneath(sync, path, forget);
  close_directory(sync_node(sync, path));
}

/* Why nothing can be changed here; NULL where it can. */
static const char *lock_of(const struct sync *sync, int fd) {
  struct statfs file_system;
  struct stat status;
  if (fstatfs(fd, &file_system) != 0 || fstat(fd, &status) != 0) return NULL;
  for (size_t i = 0; i < sync->passing_count; i++)
    if (sync->passing[i] == status.st_dev) return "its file system exists only while the container runs";
  switch (file_system.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
      return "it belongs to the kernel";
    default:
      return file_system.f_flags & ST_RDONLY ? "its file system is read-only" : NULL;
  }
}

int sync_changeable(struct sync *sync, const struct sync_node *directory, const char *path) {
  if (directory->locked == NULL) return 0;
  return fail_kind(sync->failure, KIND_FORBIDDEN, directory->locked, "/%s", path);
}

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

static int refuse_mount_point(int parent, const char *name, const char *path, struct failure *failure) {
  struct statx status;
  if (statx(parent, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &status) != 0) return 0;
  if (!(status.stx_attributes & status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)) return 0;
  return fail_kind(failure, KIND_CONFLICT, "it is a mount point", "/%s", path);
}

static int look_at(const struct tree_entry *entry, void *context, struct failure *failure) {
  return refuse_mount_point(entry->parent, entry->name, context, failure);
}

int sync_free_of_mounts(struct sync *sync, int parent, const char *name, const struct stat *status, const char *path) {
  if (refuse_mount_point(parent, name, path, sync->failure) != 0) return -1;
  if (!S_ISDIR(status->st_mode)) return 0;
  int fd = tree_open(parent, name);
  if (fd < 0 && errno == EXDEV) return fail_kind(sync->failure, KIND_CONFLICT, "it is a mount point", "/%s", path);
  /* Changed since: the rename or the removal will tell. */
  if (fd < 0) return 0;
  char *step = xasprintf("/%s", path);
  struct tree_visitor visitor = {.file = look_at, .context = (void *)path};
  int result = tree_walk(fd, &visitor, step, sync->failure);
  free(step);
  close_quietly(fd);
  return result;
}

/* --- directories --- */

static bool leads_to_base(const struct sync *sync, const char *path) {
  size_t length = strlen(path);
  return strncmp(sync->base, path, length) == 0 && (sync->base[length] == '/' || sync->base[length] == '\0');
}

/* A new directory, open, with the owner that new things get; its mode may still be told by an entry. */
static int make_directory(struct sync *sync, int parent, const char *name, const char *path) {
  int fd = mkdirat(parent, name, 0700) == 0 ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
  if (fd < 0 || fchown(fd, sync->uid, sync->gid) != 0 || fchmod(fd, 0755) != 0) {
    fail_errno(sync->failure, errno, "/%s", path);
    close_quietly(fd);
    return -1;
  }
  return fd;
}

/* A directory that is to be put in place later, whatever is there now. */
static int stage_directory(struct sync *sync, struct sync_node *parent, struct sync_node *node, const char *name) {
  struct stat status;
  if (sync_changeable(sync, parent, node->path) != 0) return -1;
  if (node->state != SYNC_GONE && fstatat(parent->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      sync_free_of_mounts(sync, parent->fd, name, &status, node->path) != 0)
    return -1;
  sync_change_cancel(sync, node);
  char *temporary = sync_temporary(sync);
  node->fd = make_directory(sync, parent->fd, temporary, node->path);
  if (node->fd < 0) {
    /* It may have been made and not opened. */
    unlinkat(parent->fd, temporary, AT_REMOVEDIR);
    free(temporary);
    return -1;
  }
  node->staged = true;
  node->state = SYNC_DIRECTORY;
  sync_change_add(sync, parent, node, temporary);
  return 0;
}

/* Inside a new tree. */
static int open_staged(struct sync *sync, struct sync_node *parent, struct sync_node *node, const char *name, bool make) {
  struct stat status;
  int fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && !make) return 1;
  if (fd < 0 && fstatat(parent->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (S_ISLNK(status.st_mode))
      return fail_kind(sync->failure, KIND_INVALID, "a link of the same archive leads there", "/%s", node->path);
    if (unlinkat(parent->fd, name, 0) != 0) return fail_errno(sync->failure, errno, "/%s", node->path);
  }
  if (fd < 0) fd = make_directory(sync, parent->fd, name, node->path);
  if (fd < 0) return -1;
  node->fd = fd;
  node->staged = true;
  return 0;
}

/* What the container has there: 0 opened, 1 nothing that is a directory, -1. */
static int open_existing(struct sync *sync, struct sync_node *parent, struct sync_node *node, const char *name) {
  struct stat status;
  int fd = openat(parent->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
    return fail_errno(sync->failure, errno, "/%s", node->path);
  if (fd < 0 && fstatat(parent->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (S_ISLNK(status.st_mode)) fd = open_in_root(sync->root, node->path, O_PATH | O_DIRECTORY, 0);
    if (fd < 0 && leads_to_base(sync, node->path))
      return fail_kind(sync->failure, KIND_INVALID,
                       S_ISLNK(status.st_mode) ? "a link that leads to no directory" : "it is no directory", "/%s",
                       node->path);
    node->through_link = fd >= 0;
  }
  if (fd < 0) return 1;
  node->fd = fd;
  node->locked = lock_of(sync, fd);
  return 0;
}

static int open_top(struct sync *sync, struct sync_node *node) {
  node->fd = openat(sync->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (node->fd < 0) return fail_errno(sync->failure, errno, "/");
  node->locked = lock_of(sync, node->fd);
  return 0;
}

static int open_directory(struct sync *sync, struct sync_node *parent, struct sync_node *node, const char *name, bool make) {
  if (parent->staged) return open_staged(sync, parent, node, name, make);
  if (node->state == SYNC_LINK)
    return make ? fail_kind(sync->failure, KIND_INVALID, "a link of the same archive leads there", "/%s", node->path) : 1;
  int found = node->state == SYNC_UNTOLD ? open_existing(sync, parent, node, name) : 1;
  return found == 1 && make ? stage_directory(sync, parent, node, name) : found;
}

int sync_directory(struct sync *sync, const char *path, bool make, struct sync_node **out) {
  struct sync_node *node = sync_node(sync, path), *parent;
  char directory[UNPACK_PATH_MAX];
  const char *name;
  *out = node;
  if (node->fd >= 0) return 0;
  if (path[0] == '\0') return open_top(sync, node);
  path_split(path, directory, &name);
  int result = sync_directory(sync, directory, make, &parent);
  return result != 0 ? result : open_directory(sync, parent, node, name, make);
}
