#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "files.h"
#include "sync.h"
#include "syscalls.h"

bool files_is_kernels(int fd) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return false;
  return status.f_type == PROC_SUPER_MAGIC || status.f_type == SYSFS_MAGIC || status.f_type == CGROUP_SUPER_MAGIC ||
         status.f_type == CGROUP2_SUPER_MAGIC;
}

/* A copy of the mounts that nobody else has: what the container mounts from now on does not concern us. */
static int copy_mounts(int root, enum files_view view, struct failure *failure) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV};
  unsigned recursive = view == FILES_ROOT ? 0 : AT_RECURSIVE;
  int tree = open_tree_at(root, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | recursive);
  if (tree < 0) return fail_errno(failure, errno, "copy the mounts of the container");
  if (view == FILES_WRITE) return tree;
  if (mount_set_attributes(tree, "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes) == 0) return tree;
  fail_errno(failure, errno, "read-only mounts of the container");
  close_quietly(tree);
  return -1;
}

/*
 * Into the container's mount namespace and back: by the copy of its mounts its files are reached from the machine, whose
 * /proc names what cannot be opened.
 */
static enum files_result enter_run(const struct files_place *place, enum files_view view, int *root, struct sync *run) {
  int machine = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (machine < 0) {
    fail_errno(run->failure, errno, "own mount namespace");
    return FILES_FAILED;
  }
  enum sync_result entered = sync_enter_run(run, place->pid, place->monitor);
  *root = entered == SYNC_DONE ? copy_mounts(run->root, view, run->failure) : -1;
  if (setns(machine, CLONE_NEWNS) != 0) {
    fail_errno(run->failure, errno, "back from the container");
    close_quietly(*root);
    *root = -1;
  }
  close_quietly(machine);
  if (entered == SYNC_ENDED) return FILES_ENDED;
  return *root >= 0 ? FILES_DONE : FILES_FAILED;
}

static enum files_result enter_private(const struct files_place *place, enum files_view view, int *root,
                                       struct sync *run) {
  if (sync_enter_private(run, place->operations, place->operations_size) != SYNC_DONE) return FILES_FAILED;
  *root = copy_mounts(run->root, view, run->failure);
  return *root >= 0 ? FILES_DONE : FILES_FAILED;
}

enum files_result files_enter(const struct files_place *place, enum files_view view, int *root, struct failure *failure) {
  struct sync run = {.failure = failure, .root = -1, .run = -1};
  enum files_result result =
      place->operations_size > 0 ? enter_private(place, view, root, &run) : enter_run(place, view, root, &run);
  free(run.passing);
  close_quietly(run.root);
  close_quietly(run.run);
  return result;
}
