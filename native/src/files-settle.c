/*
 * What a run left in its upper directory that it did not make: the places of what was mounted for it. Taken out again, so
 * that the directory is the layer of what the run itself changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "syscalls.h"

struct settling {
  int upper;
  int lower; /* merged tree of the layers below; -1: there are none */
  struct failure *failure;
};

/* What is at a path of the layers below; links in it lead nowhere. False: nothing. */
static bool is_below(const struct settling *settling, const char *path, struct stat *status) {
  int fd = settling->lower < 0 ? -1 : open_beneath(settling->lower, path, O_PATH | O_NOFOLLOW, 0);
  bool found = fd >= 0 && fstat(fd, status) == 0;
  close_quietly(fd);
  return found;
}

static bool same_directory(const struct stat *a, const struct stat *b) {
  return S_ISDIR(a->st_mode) && a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

/*
 * Removes an entry that is empty and was not there before; of a directory that was, the copy that only its entries needed.
 * Answers whether something was removed.
 */
static int remove_place(const struct settling *settling, const char *path, bool is_parent) {
  char directory[UNPACK_PATH_MAX];
  const char *name;
  struct stat status, above, below;
  path_split(path, directory, &name);
  int parent = open_beneath(settling->upper, directory, O_RDONLY | O_DIRECTORY, 0);
  if (parent < 0) return 0;
  int result = 0;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && fstat(parent, &above) == 0) {
    bool known = is_below(settling, path, &below);
    bool directory_stays = S_ISDIR(status.st_mode) && known && !(is_parent && same_directory(&status, &below));
    bool empty = S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode) || (S_ISREG(status.st_mode) && status.st_size == 0);
    if (empty && !directory_stays && (!known || is_parent)) {
      struct timespec times[2] = {above.st_atim, above.st_mtim};
      result = unlinkat(parent, name, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) == 0 ? 1 : 0;
      if (result == 1) futimens(parent, times);
      else if (errno != ENOTEMPTY && errno != EEXIST) result = fail_errno(settling->failure, errno, "%s", path);
    }
  }
  close_quietly(parent);
  return result;
}

static int settle_path(const struct settling *settling, const char *path) {
  char clean[UNPACK_PATH_MAX];
  if (path_clean(path, clean) != 0) return fail_kind(settling->failure, KIND_INVALID, "not a path", "%s", path);
  int removed = clean[0] == '\0' ? 0 : remove_place(settling, clean, false);
  for (char *slash; removed > 0 && (slash = strrchr(clean, '/')) != NULL;) {
    *slash = '\0';
    removed = remove_place(settling, clean, true);
  }
  return removed < 0 ? -1 : 0;
}

int files_settle(int upper, int lower, char *const *paths, uint64_t count, struct failure *failure) {
  struct settling settling = {.upper = upper, .lower = lower, .failure = failure};
  for (uint64_t i = 0; i < count; i++)
    if (settle_path(&settling, paths[i]) != 0) return -1;
  return 0;
}
