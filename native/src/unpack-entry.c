#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tar-content.h"
#include "tree.h"
#include "unpack.h"
#include "xattr.h"

struct place {
  struct unpack *unpack;
  const char *path; /* clean */
  char directory[UNPACK_PATH_MAX];
  const char *name;
  int parent;
};

static int fail(const struct place *place) {
  return fail_errno(place->unpack->failure, errno, "unpack %s", place->path);
}

static int find_place(struct unpack *unpack, const char *path, struct place *place) {
  place->unpack = unpack;
  place->path = path;
  path_split(path, place->directory, &place->name);
  place->parent = parent_open(unpack, place->directory, true);
  return place->parent < 0 ? fail(place) : 0;
}

/* Something of that name was there before: a later entry takes its place. `*hidden`: it was a whiteout. */
static int clear_place(struct place *place, bool *hidden) {
  uint64_t removed = 0;
  struct stat status;
  if (fstatat(place->parent, place->name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : fail(place);
  *hidden = place->unpack->whiteouts && is_whiteout(place->parent, place->name);
  if (tree_remove(place->parent, place->name, &removed, "replace", place->unpack->failure) != 0) return -1;
  /* Links may have led to what was removed. */
  if (S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode)) {
    parent_forget(place->unpack);
    place->parent = parent_open(place->unpack, place->directory, true);
    if (place->parent < 0) return fail(place);
  }
  return 0;
}

static int set_xattrs(const struct place *place, const struct tar_entry *entry) {
  for (size_t i = 0; i < entry->xattr_count; i++) {
    const struct tar_xattr *xattr = &entry->xattrs[i];
    if (!xattr_travels(xattr->name)) continue;
    if (xattr_set_at(place->parent, place->name, xattr->name, xattr->value, xattr->size) == 0) continue;
    bool left_out = errno == EOPNOTSUPP || (errno == EPERM && strncmp(xattr->name, "user.", 5) == 0) ||
                    (errno == EPERM && !place->unpack->privileged);
    if (!left_out) return fail_errno(place->unpack->failure, errno, "attribute %s of %s", xattr->name, place->path);
    place->unpack->skipped++;
  }
  return 0;
}

/*
 * A user namespace may not have the owner that the archive names: then the entry is its maker's, root's of that namespace.
 * Nobody else is there who could be meant.
 */
static int set_owner(const struct place *place, int result) {
  if (result == 0) return 0;
  if (errno != EINVAL || !place->unpack->few_ids) return fail(place);
  place->unpack->unowned++;
  return 0;
}

/* Most files are their maker's already: a change less for the disk's journal. */
static int set_file_owner(const struct place *place, int fd, const struct tar_entry *entry) {
  struct stat found;
  if (fstat(fd, &found) != 0) return fail(place);
  if (found.st_uid == entry->uid && found.st_gid == entry->gid) return 0;
  return set_owner(place, fchown(fd, entry->uid, entry->gid));
}

/* Owner first: a change of owner clears set-user-ID bits and file capabilities. */
static int set_attributes(const struct place *place, const struct tar_entry *entry) {
  struct timespec times[2] = {entry->mtime, entry->mtime};
  if (set_owner(place, fchownat(place->parent, place->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW)) != 0) return -1;
  if (entry->type != TAR_SYMBOLIC_LINK && chmod_at(place->parent, place->name, entry->mode) != 0) return fail(place);
  if (set_xattrs(place, entry) != 0) return -1;
  if (utimensat(place->parent, place->name, times, AT_SYMLINK_NOFOLLOW) != 0) return fail(place);
  return 0;
}

static int write_data(const struct place *place, int fd, struct tar_reader *reader, const struct tar_entry *entry) {
  char step[UNPACK_PATH_MAX + 16];
  snprintf(step, sizeof step, "unpack %s", place->path);
  if (tar_write(reader, entry, fd, step, place->unpack->failure) != 0) return -1;
  place->unpack->bytes += entry->size;
  return 0;
}

static int unpack_file(struct place *place, struct tar_reader *reader, const struct tar_entry *entry) {
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  bool hidden = false;
  int fd = openat(place->parent, place->name, flags, 0600);
  if (fd < 0 && errno == EEXIST) {
    if (clear_place(place, &hidden) != 0) return -1;
    fd = openat(place->parent, place->name, flags, 0600);
  }
  if (fd < 0) return fail(place);
  struct timespec times[2] = {entry->mtime, entry->mtime};
  int result = write_data(place, fd, reader, entry);
  if (result == 0) result = set_file_owner(place, fd, entry);
  if (result == 0 && fchmod(fd, entry->mode) != 0) result = fail(place);
  if (result == 0) result = set_xattrs(place, entry);
  if (result == 0 && futimens(fd, times) != 0) result = fail(place);
  close_quietly(fd);
  return result;
}

static int unpack_directory(struct place *place, const struct tar_entry *entry) {
  struct stat status;
  bool hidden = false;
  bool exists = fstatat(place->parent, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
  if (!exists) {
    if (clear_place(place, &hidden) != 0) return -1;
    if (mkdirat(place->parent, place->name, 0700) != 0) return fail(place);
    /* The layers below must not show through what this layer hid before. */
    if (hidden && make_opaque(place->unpack, place->parent, place->name) != 0) return fail(place);
  }
  if (set_attributes(place, entry) != 0) return -1;
  unpack_defer(place->unpack, place->path, entry->mtime);
  return 0;
}

static int unpack_symbolic_link(struct place *place, const struct tar_entry *entry) {
  bool hidden = false;
  if (clear_place(place, &hidden) != 0) return -1;
  if (symlinkat(entry->link, place->parent, place->name) != 0) return fail(place);
  return set_attributes(place, entry);
}

static int unpack_node(struct place *place, const struct tar_entry *entry) {
  bool hidden = false;
  mode_t type = entry->type == TAR_FIFO ? S_IFIFO : entry->type == TAR_BLOCK_DEVICE ? S_IFBLK : S_IFCHR;
  dev_t device = entry->type == TAR_FIFO ? 0 : makedev(entry->major, entry->minor);
  if (type == S_IFCHR && device == makedev(0, 0) && !place->unpack->whiteouts)
    return fail_kind(place->unpack->failure, KIND_INVALID, "an overlay mark where none belongs", "unpack %s", place->path);
  if (clear_place(place, &hidden) != 0) return -1;
  if (mknodat(place->parent, place->name, type | 0600, device) != 0) {
    if (errno != EPERM || place->unpack->privileged || type == S_IFIFO) return fail(place);
    place->unpack->skipped++;
    return 0;
  }
  return set_attributes(place, entry);
}

/* The destination itself. */
static int unpack_top(struct unpack *unpack, const struct tar_entry *entry) {
  struct place place = {.unpack = unpack, .path = ".", .name = ".", .parent = unpack->root};
  if (entry->type != TAR_DIRECTORY)
    return fail_kind(unpack->failure, KIND_INVALID, "an entry without a name", "archive");
  if (set_owner(&place, fchown(unpack->root, entry->uid, entry->gid)) != 0) return -1;
  if (fchmod(unpack->root, entry->mode) != 0) return fail(&place);
  if (set_xattrs(&place, entry) != 0) return -1;
  unpack_defer(unpack, "", entry->mtime);
  return 0;
}

static int unpack_at(struct place *place, struct tar_reader *reader, const struct tar_entry *entry) {
  switch (entry->type) {
    case TAR_FILE:
      return unpack_file(place, reader, entry);
    case TAR_DIRECTORY:
      return unpack_directory(place, entry);
    case TAR_SYMBOLIC_LINK:
      return unpack_symbolic_link(place, entry);
    default:
      return unpack_node(place, entry);
  }
}

int unpack_entry(struct unpack *unpack, struct tar_reader *reader, const struct tar_entry *entry) {
  char path[UNPACK_PATH_MAX];
  struct place place;
  if (path_clean(entry->path, path) != 0)
    return fail_kind(unpack->failure, KIND_INVALID, "a name leads out of the archive", "unpack %s", entry->path);
  if (path[0] == '\0') return unpack_top(unpack, entry);
  enum whiteout_kind kind = unpack->plain ? WHITEOUT_NONE : whiteout_kind(path);
  if (kind == WHITEOUT_INVALID || (kind != WHITEOUT_NONE && !unpack->whiteouts))
    return fail_kind(unpack->failure, KIND_INVALID, "a whiteout that means nothing here", "unpack %s", path);
  if (kind == WHITEOUT_IGNORED) return 0;
  if (kind != WHITEOUT_NONE) return unpack_whiteout(unpack, path, kind);
  if (entry->type == TAR_HARD_LINK) return unpack_hard_link(unpack, path, entry->link);
  if (find_place(unpack, path, &place) != 0) return -1;
  int result = unpack_at(&place, reader, entry);
  /* A way that led through a link of a layer below may lead through this entry now. */
  if (unpack->lower >= 0 && entry->type != TAR_FILE) parent_forget(unpack);
  return result;
}
