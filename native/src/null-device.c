/* The machine's null device, for streams and masks: usable in a container, but not to be changed from there. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

int null_device_find(struct failure *failure) {
  struct stat status;
  int fd = open("/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fail_errno(failure, errno, "open /dev/null");
  if (fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)) return fd;
  close_quietly(fd);
  return fail_kind(failure, KIND_INVALID, "not the null device", "open /dev/null");
}

/* A clone that is mounted nowhere, read-only; the place itself where there are no such clones. */
static int make_readonly(int place) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
  int tree = open_tree_at(place, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  if (tree < 0) return place;
  if (mount_set_attributes(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    close_quietly(tree);
    return place;
  }
  close_quietly(place);
  return tree;
}

int null_device_open(struct failure *failure) {
  char path[32];
  int place = null_device_find(failure);
  if (place < 0) return -1;
  /*
   * Whoever has a descriptor of a file can change its mode, owner and times as far as the mount lets him, and the root
   * of a container owns what the machine's root owns. A read-only mount keeps the node, and still passes writes on to
   * the device.
   */
  place = make_readonly(place);
  snprintf(path, sizeof path, "/proc/self/fd/%d", place);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) fail_errno(failure, errno, "open /dev/null");
  close_quietly(place);
  return fd;
}
