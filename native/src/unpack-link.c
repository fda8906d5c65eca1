#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "tree.h"
#include "unpack.h"

/* The target belongs to a layer below: this layer gets a copy under the same name, as an overlay would make it. */
static int copy_from_lower(struct unpack *unpack, const char *target) {
  char directory[UNPACK_PATH_MAX];
  const char *name;
  struct stat status;
  struct copy copy = {.step = "copy of", .failure = unpack->failure};
  path_split(target, directory, &name);
  int lower = lower_find(unpack, target, &status);
  if (lower < 0) return fail_errno(unpack->failure, errno, "hard link to %s", target);
  int result = -1;
  int parent = parent_open(unpack, directory, true);
  if (parent < 0) fail_errno(unpack->failure, errno, "hard link to %s", target);
  else if (S_ISDIR(status.st_mode)) fail_kind(unpack->failure, KIND_INVALID, "it is a directory", "hard link to %s", target);
  else result = copy_entry(&copy, lower, name, parent, name, &status);
  close_quietly(lower);
  return result;
}

static int replace_and_link(struct unpack *unpack, int from, const char *target, const char *path) {
  char directory[UNPACK_PATH_MAX];
  const char *name;
  struct stat existing, linked;
  uint64_t removed = 0;
  path_split(path, directory, &name);
  int parent = parent_open(unpack, directory, true);
  if (parent < 0) return fail_errno(unpack->failure, errno, "hard link %s", path);
  if (fstatat(parent, name, &existing, AT_SYMLINK_NOFOLLOW) == 0) {
    if (fstatat(from, target, &linked, AT_SYMLINK_NOFOLLOW) == 0 && existing.st_ino == linked.st_ino) return 0;
    if (tree_remove(parent, name, &removed, "replace", unpack->failure) != 0) return -1;
    if (S_ISDIR(existing.st_mode)) {
      parent_forget(unpack);
      parent = parent_open(unpack, directory, true);
    }
  }
  if (parent < 0 || linkat(from, target, parent, name, 0) != 0)
    return fail_errno(unpack->failure, errno, "hard link %s", path);
  return 0;
}

int unpack_hard_link(struct unpack *unpack, const char *path, const char *link) {
  char target[UNPACK_PATH_MAX], directory[UNPACK_PATH_MAX];
  const char *name;
  struct stat status;
  if (path_clean(link, target) != 0 || target[0] == '\0')
    return fail_kind(unpack->failure, KIND_INVALID, "its target lies outside of the archive", "hard link %s", path);
  path_split(target, directory, &name);
  int parent = parent_open(unpack, directory, false);
  bool missing = parent < 0 ? errno == ENOENT : fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
  if (!missing && parent < 0) return fail_errno(unpack->failure, errno, "hard link %s to %s", path, target);
  if (missing) {
    if (unpack->lower < 0)
      return fail_kind(unpack->failure, KIND_UNSUPPORTED, "its target is in none of the entries before: it needs the layers below",
                       "hard link %s to %s", path, target);
    if (copy_from_lower(unpack, target) != 0) return -1;
    parent = parent_open(unpack, directory, false);
    if (parent < 0 || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
      return fail_errno(unpack->failure, errno, "hard link %s to %s", path, target);
  }
  if (S_ISDIR(status.st_mode) || (unpack->whiteouts && is_whiteout(parent, name)))
    return fail_kind(unpack->failure, KIND_INVALID, "its target is no file", "hard link %s to %s", path, target);
  /* The parent's descriptor holds until the next call that opens one. */
  int from = duplicate_above(parent, 3);
  if (from < 0) return fail_errno(unpack->failure, errno, "hard link %s", path);
  int result = replace_and_link(unpack, from, name, path);
  close_quietly(from);
  return result;
}
