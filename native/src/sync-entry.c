#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync.h"
#include "tar-content.h"
#include "tree.h"

#define WHITEOUT ".wh."
#define WHITEOUT_SIZE 4

/* Where an entry belongs: its directory is open. */
struct place {
  struct sync *sync;
  const char *path;
  const char *name;
  struct sync_node *parent;
};

static int fail(const struct place *place) {
  return fail_errno(place->sync->failure, errno, "/%s", place->path);
}

/* Removes something from a new tree. */
static int clear_staged(struct place *place) {
  uint64_t removed = 0;
  struct stat status;
  if (fstatat(place->parent->fd, place->name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? 0 : fail(place);
  if (S_ISDIR(status.st_mode)) sync_forget_beneath(place->sync, place->path);
  return tree_remove(place->parent->fd, place->name, &removed, "replace", place->sync->failure);
}

/* Who something new will belong to: what it replaces keeps its owner, where it is of the same kind. */
struct owner {
  uid_t uid;
  gid_t gid;
};

/*
 * Before a file or link is made: takes back what the archive said before, and looks at what the container has. Answers
 * the name under which it is to be made (to be freed), NULL with the failure filled in.
 */
static char *prepare(struct place *place, mode_t type, struct owner *owner) {
  struct sync *sync = place->sync;
  struct stat status;
  *owner = (struct owner){sync->uid, sync->gid};
  if (place->parent->staged) return clear_staged(place) == 0 ? xstrdup(place->name) : NULL;
  if (sync_changeable(sync, place->parent, place->path) != 0) return NULL;
  struct sync_node *node = sync_node(sync, place->path);
  bool there = fstatat(place->parent->fd, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && sync_free_of_mounts(sync, place->parent->fd, place->name, &status, place->path) != 0) return NULL;
  if (node->state == SYNC_UNTOLD && there && (status.st_mode & S_IFMT) == type && !sync->owner_given)
    *owner = (struct owner){status.st_uid, status.st_gid};
  if (node->fd >= 0 || (there && S_ISDIR(status.st_mode))) sync_forget_beneath(sync, place->path);
  sync_change_cancel(sync, node);
  return sync_temporary(sync);
}

/* It is ready: a change, unless it is in a new tree and thus in its place. */
static void keep(struct place *place, char *name, enum sync_state state) {
  if (place->parent->staged) {
    free(name);
    return;
  }
  struct sync_node *node = sync_node(place->sync, place->path);
  node->state = state;
  sync_change_add(place->sync, place->parent, node, name);
}

static int fill_file(struct place *place, int fd, struct tar_reader *reader, const struct tar_entry *entry,
                     const struct owner *owner) {
  struct timespec times[2] = {entry->mtime, entry->mtime};
  char step[UNPACK_PATH_MAX + 1] = "/";
  strncat(step, place->path, sizeof step - 2);
  if (tar_write(reader, entry, fd, step, place->sync->failure) != 0) return -1;
  /* Owner first: a change of owner clears set-user-ID bits. */
  if (fchown(fd, owner->uid, owner->gid) != 0 || fchmod(fd, entry->mode) != 0 || futimens(fd, times) != 0)
    return fail(place);
  return 0;
}

static int stage_file(struct place *place, struct tar_reader *reader, const struct tar_entry *entry) {
  struct owner owner;
  char *name = prepare(place, S_IFREG, &owner);
  if (name == NULL) return -1;
  int fd = openat(place->parent->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  int result = fd < 0 ? fail(place) : fill_file(place, fd, reader, entry, &owner);
  if (fd >= 0 && close(fd) != 0 && result == 0) result = fail(place);
  if (result == 0) {
    keep(place, name, SYNC_FILE);
    return 0;
  }
  if (fd >= 0) unlinkat(place->parent->fd, name, 0);
  free(name);
  return -1;
}

/* By a descriptor that is checked: who writes to the directory could have put something else under the name. */
static int own_link(struct place *place, const char *name, const struct owner *owner) {
  struct stat status;
  int fd = openat(place->parent->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int result = fd < 0 ? -1 : fstat(fd, &status);
  if (result == 0 && S_ISLNK(status.st_mode)) result = fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH);
  int error = errno;
  close_quietly(fd);
  errno = error;
  return result;
}

static int stage_link(struct place *place, const struct tar_entry *entry) {
  struct timespec times[2] = {entry->mtime, entry->mtime};
  struct owner owner;
  char *name = prepare(place, S_IFLNK, &owner);
  if (name == NULL) return -1;
  if (symlinkat(entry->link, place->parent->fd, name) != 0) {
    free(name);
    return fail(place);
  }
  if (own_link(place, name, &owner) != 0 ||
      utimensat(place->parent->fd, name, times, AT_SYMLINK_NOFOLLOW) != 0) {
    fail(place);
    unlinkat(place->parent->fd, name, 0);
    free(name);
    return -1;
  }
  keep(place, name, SYNC_LINK);
  return 0;
}

static int stage_directory(struct sync *sync, const char *path, const struct tar_entry *entry) {
  struct sync_node *node;
  struct sync_node *told = sync_node(sync, path);
  if (told->state == SYNC_LINK) {
    sync_change_cancel(sync, told);
    told->state = SYNC_UNTOLD;
  }
  int result = sync_directory(sync, path, true, &node);
  if (result != 0) return -1;
  /* A link of the container stands for the directory that it leads to, which is not the archive's to change. */
  if (node->through_link) return 0;
  if (!node->staged && sync_changeable(sync, node, path) != 0) return -1;
  struct sync_attributes attributes = {
      .node = node, .own = sync->owner_given, .mode = entry->mode, .mtime = entry->mtime};
  sync_attributes_add(sync, &attributes);
  return 0;
}

static int stage_delete(struct place *place) {
  struct sync *sync = place->sync;
  struct stat status;
  if (place->parent->staged) return clear_staged(place);
  struct sync_node *node = sync_node(sync, place->path);
  bool there = fstatat(place->parent->fd, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && sync_changeable(sync, place->parent, place->path) != 0) return -1;
  if (there && sync_free_of_mounts(sync, place->parent->fd, place->name, &status, place->path) != 0) return -1;
  if (node->fd >= 0 || (there && S_ISDIR(status.st_mode))) sync_forget_beneath(sync, place->path);
  sync_change_cancel(sync, node);
  node->state = there ? SYNC_GONE : SYNC_UNTOLD;
  if (there) sync_change_add(sync, place->parent, node, NULL);
  return 0;
}

/* Whether a component of the path, other than the last, is a whiteout. */
static bool beneath_whiteout(const char *path) {
  for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1)
    if (strncmp(path, WHITEOUT, WHITEOUT_SIZE) == 0) return true;
  return false;
}

static bool is_whiteout_name(const char *name) {
  return strncmp(name, WHITEOUT, WHITEOUT_SIZE) == 0;
}

int sync_path(const struct sync *sync, const char *name, char path[UNPACK_PATH_MAX]) {
  char clean[UNPACK_PATH_MAX];
  if (path_clean(name, clean) != 0) return -1;
  if (strlen(sync->base) + strlen(clean) + 2 > UNPACK_PATH_MAX) return -1;
  strcpy(path, sync->base);
  if (path[0] != '\0' && clean[0] != '\0') strcat(path, "/");
  strcat(path, clean);
  return beneath_whiteout(clean) ? -2 : 0;
}

static int find_place(struct place *place, char directory[UNPACK_PATH_MAX], bool make) {
  path_split(place->path, directory, &place->name);
  return sync_directory(place->sync, directory, make, &place->parent);
}

static int refuse(struct sync *sync, const char *path, const char *kind, const char *reason) {
  return fail_kind(sync->failure, kind, reason, "%s", path);
}

/* `path` ends in `.wh.NAME`. */
static int whiteout_entry(struct sync *sync, char *path, const struct tar_entry *entry) {
  char directory[UNPACK_PATH_MAX];
  const char *hidden;
  path_split(path, directory, &hidden);
  const char *name = hidden + WHITEOUT_SIZE;
  bool usable = name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !is_whiteout_name(name);
  if (entry->type != TAR_FILE || entry->size != 0 || !usable)
    return refuse(sync, entry->path, KIND_INVALID, "names that start with \".wh.\" stand for what is deleted");
  size_t start = (size_t)(hidden - path);
  memmove(path + start, name, strlen(name) + 1);
  struct place place = {.sync = sync, .path = path};
  int result = find_place(&place, directory, false);
  if (result == 0) result = stage_delete(&place);
  if (result < 0) return -1;
  sync->deleted++;
  return 0;
}

static int ordinary_entry(struct sync *sync, const char *path, struct tar_reader *reader, const struct tar_entry *entry) {
  char directory[UNPACK_PATH_MAX];
  struct place place = {.sync = sync, .path = path};
  int result;
  if (entry->type == TAR_DIRECTORY) {
    result = stage_directory(sync, path, entry);
  } else if (entry->type == TAR_FILE || entry->type == TAR_SYMBOLIC_LINK) {
    result = find_place(&place, directory, true);
    if (result == 0) result = entry->type == TAR_FILE ? stage_file(&place, reader, entry) : stage_link(&place, entry);
  } else {
    result = refuse(sync, entry->path, KIND_UNSUPPORTED, "only files, directories and symbolic links can be synced");
  }
  if (result != 0) return -1;
  sync->written++;
  return 0;
}

int sync_entry(struct sync *sync, struct tar_reader *reader, const struct tar_entry *entry) {
  char path[UNPACK_PATH_MAX];
  int result = sync_path(sync, entry->path, path);
  if (result == -2)
    return refuse(sync, entry->path, KIND_INVALID, "names that start with \".wh.\" stand for what is deleted");
  if (result != 0) return refuse(sync, entry->path, KIND_INVALID, "the name leads out of the archive");
  const char *slash = strrchr(path, '/');
  const char *last = slash != NULL ? slash + 1 : path;
  bool is_base = strcmp(path, sync->base) == 0;
  if (is_base && entry->type != TAR_DIRECTORY) return refuse(sync, entry->path, KIND_INVALID, "an entry without a name");
  if (!is_base && is_whiteout_name(last)) return whiteout_entry(sync, path, entry);
  return ordinary_entry(sync, path, reader, entry);
}
