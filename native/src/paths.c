/* Operations `mask` and `readonly`: parts of the container's tree that it may not see, or not change. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup.h"

/* What the image and the kernel do not have needs no hiding. */
static int open_if_there(struct setup *setup, const char *step, const char *target) {
  int fd = target_open(setup->root, target, TARGET_EXISTING);
  if (fd < 0 && errno != ENOENT && errno != ENOTDIR) return fail_errno(setup->failure, errno, "%s %s", step, target);
  return fd < 0 ? -2 : fd;
}

int setup_mask(struct setup *setup, const struct record *record) {
  const char *target = record->argv[0];
  struct stat status;
  /* Read-only keeps the container's root from changing the mode of the machine's device; it is none of its own. */
  struct mount_flags file = {.set = MS_RDONLY | MS_NOSUID | MS_NOEXEC, .readonly = true};
  struct mount_flags directory = {.set = MS_RDONLY, .readonly = true};
  int fd = open_if_there(setup, "mask", target);
  if (fd < 0) return fd == -2 ? 0 : -1;
  int tree = -1, result = -1;
  if (fstat(fd, &status) == 0) {
    bool is_directory = S_ISDIR(status.st_mode);
    int stage = is_directory ? setup_stage(setup) : -1;
    /* The machine's own null device: what an image has at /dev/null may be a link to anything. */
    if (!is_directory) tree = tree_clone(setup->null_device, "", false);
    else if (stage >= 0) tree = tree_clone(stage, "empty", false);
    if (tree >= 0) result = tree_attach(setup, tree, fd, target, is_directory ? &directory : &file);
  }
  if (result != 0) fail_errno(setup->failure, errno, "mask %s", target);
  close_quietly(tree);
  close_quietly(fd);
  return result;
}

int setup_readonly(struct setup *setup, const struct record *record) {
  const char *target = record->argv[0];
  struct mount_flags flags = {.set = MS_RDONLY, .readonly = true, .recursive = true};
  int fd = open_if_there(setup, "read-only", target);
  if (fd < 0) return fd == -2 ? 0 : -1;
  int tree = tree_clone(fd, "", true);
  int result = tree < 0 ? -1 : tree_attach(setup, tree, fd, target, &flags);
  if (result != 0) fail_errno(setup->failure, errno, "read-only %s", target);
  close_quietly(tree);
  close_quietly(fd);
  return result;
}
