#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "files.h"
#include "sync.h"
#include "syscalls.h"

/* Where the archive goes, and what was asked for. */
struct target {
  const struct files_extraction *asked;
  struct unpack unpack; /* beneath the container's root, so that its own links lead where they lead for it */
  char base[UNPACK_PATH_MAX];
  uid_t uid;
  gid_t gid;
};

static ssize_t read_archive(void *context, void *data, size_t size) {
  const int *archive = context;
  ssize_t count;
  do count = read(*archive, data, size);
  while (count < 0 && errno == EINTR);
  return count;
}

static int find_directory(struct target *target) {
  const char *directory = target->asked->directory;
  struct failure *failure = target->unpack.failure;
  struct statvfs status;
  if (files_resolve(target->unpack.root, directory, target->base) != 0) return fail_errno(failure, errno, "%s", directory);
  int fd = open_in_root(target->unpack.root, target->base, O_PATH | O_DIRECTORY, 0);
  if (fd < 0 && errno == ENOTDIR) return fail_kind(failure, KIND_INVALID, "extraction point is not a directory", "%s", directory);
  if (fd < 0) return fail_errno(failure, errno, "%s", directory);
  int result = 0;
  if (files_is_kernels(fd)) result = fail_kind(failure, KIND_FORBIDDEN, "it belongs to the kernel", "%s", directory);
  else if (fstatvfs(fd, &status) == 0 && (status.f_flag & ST_RDONLY))
    result = fail_kind(failure, KIND_FORBIDDEN, "it is read-only in the container", "%s", directory);
  close_quietly(fd);
  return result;
}

static int find_owner(struct target *target) {
  struct user user = {0};
  if (!target->asked->owned) return 0;
  int result = user_lookup(target->unpack.root, target->asked->user, NULL, &user, target->unpack.failure);
  target->uid = user.uid;
  target->gid = user.gid;
  free(user.home);
  free(user.groups);
  return result;
}

/* A name of the archive beneath the directory. -1: it leads out of it. */
static int place_name(const struct target *target, const char *name, char path[UNPACK_PATH_MAX]) {
  char clean[UNPACK_PATH_MAX];
  if (path_clean(name, clean) != 0) return -1;
  int size = snprintf(path, UNPACK_PATH_MAX, "%s%s%s", target->base, target->base[0] != '\0' && clean[0] != '\0' ? "/" : "", clean);
  if (size >= UNPACK_PATH_MAX) return -1;
  return clean[0] == '\0' ? 1 : 0;
}

/*
 * What is replaced must not be a mount point, nor have one beneath: from outside of the container's namespace the kernel
 * would let it go, and take the container's mount away with it.
 */
static int check_place(struct target *target, const char *path, const struct tar_entry *entry) {
  char directory[UNPACK_PATH_MAX];
  const char *name;
  struct stat status;
  struct sync look = {.failure = target->unpack.failure};
  path_split(path, directory, &name);
  int parent = parent_open(&target->unpack, directory, false);
  if (parent < 0 || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return 0;
  bool is = S_ISDIR(status.st_mode), becomes = entry->type == TAR_DIRECTORY;
  if (is && becomes) return 0;
  if (is == becomes || !target->asked->typed) return sync_free_of_mounts(&look, parent, name, &status, path);
  return fail_kind(target->unpack.failure, KIND_INVALID,
                   is ? "cannot overwrite directory with non-directory" : "cannot overwrite non-directory with directory",
                   "/%s", path);
}

static int extract_entry(struct target *target, struct tar_reader *reader, const struct tar_entry *entry) {
  char path[UNPACK_PATH_MAX], link[UNPACK_PATH_MAX];
  struct tar_entry placed = *entry;
  struct failure *failure = target->unpack.failure;
  int found = place_name(target, entry->path, path);
  if (found < 0) return fail_kind(failure, KIND_INVALID, "the name leads out of the archive", "%s", entry->path);
  if (found == 1 && entry->type != TAR_DIRECTORY) return fail_kind(failure, KIND_INVALID, "an entry without a name", "archive");
  /* The directory is the container's own. */
  if (found == 1) return 0;
  if (entry->type == TAR_HARD_LINK) {
    if (place_name(target, entry->link, link) != 0)
      return fail_kind(failure, KIND_INVALID, "its target lies outside of the archive", "hard link %s", entry->path);
    placed.link = link;
  }
  placed.path = path;
  if (target->asked->owned) {
    placed.uid = target->uid;
    placed.gid = target->gid;
  }
  return check_place(target, path, entry) == 0 ? unpack_entry(&target->unpack, reader, &placed) : -1;
}

/* Directories' times last, as each entry in one changes them. What the container moved meanwhile keeps its own. */
static void set_times(const struct unpack *unpack) {
  for (size_t i = 0; i < unpack->deferred_count; i++) {
    struct timespec times[2] = {unpack->deferred[i].mtime, unpack->deferred[i].mtime};
    int fd = open_beneath(unpack->root, unpack->deferred[i].path, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0) futimens(fd, times);
    close_quietly(fd);
  }
}

static int extract_all(struct target *target, int archive) {
  struct tar_reader *reader = tar_open(read_archive, &archive);
  struct tar_entry entry;
  int found;
  while ((found = tar_next(reader, &entry, target->unpack.failure)) > 0)
    if (extract_entry(target, reader, &entry) != 0) break;
  tar_close(reader);
  set_times(&target->unpack);
  return found == 0 ? 0 : -1;
}

int files_extract(int root, int archive, const struct files_extraction *extraction, struct failure *failure) {
  struct target target = {
      .asked = extraction,
      .unpack = {.root = root, .lower = -1, .plain = true, .cached_fd = -1, .few_ids = true, .privileged = true,
                 .failure = failure},
  };
  int result = -1;
  if (find_directory(&target) == 0 && find_owner(&target) == 0) result = extract_all(&target, archive);
  for (size_t i = 0; i < target.unpack.deferred_count; i++) free(target.unpack.deferred[i].path);
  free(target.unpack.deferred);
  parent_forget(&target.unpack);
  return result;
}
