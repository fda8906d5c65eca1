/* Operation `imageMount`: another image's files, read-only. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "merged.h"
#include "setup.h"
#include "syscalls.h"

static int attach(struct setup *setup, const char *target, int source, const char *subpath) {
  struct mount_flags flags = {.set = MS_RDONLY, .readonly = true};
  struct stat status;
  int place = open_within(source, subpath, O_PATH);
  if (place < 0 || fstat(place, &status) != 0) {
    close_quietly(place);
    if (errno == EXDEV)
      return fail_kind(setup->failure, KIND_INVALID, "a link in it leads out of the image", "subpath %s of image", subpath);
    return fail_errno(setup->failure, errno, "subpath %s of image", subpath);
  }
  int tree = tree_clone(place, "", false);
  int fd = tree < 0 ? -1 : target_open(setup->root, target, S_ISDIR(status.st_mode) ? TARGET_DIRECTORY : TARGET_FILE);
  int result = fd < 0 ? -1 : 0;
  if (result != 0) fail_errno(setup->failure, errno, "image mount %s", target);
  else if ((result = target_check_proc(setup, "image mount", target, fd, NULL, tree)) == 0 &&
           (result = tree_attach(setup, tree, fd, target, &flags)) != 0)
    fail_errno(setup->failure, errno, "image mount %s", target);
  close_quietly(fd);
  close_quietly(tree);
  close_quietly(place);
  return result;
}

int setup_image_mount(struct setup *setup, const struct record *record) {
  char **lowers = record->argv + 2;
  unsigned count = record->argc - 2;
  if (count == 0) return fail_kind(setup->failure, KIND_INVALID, "no layers", "image mount %s", record->argv[0]);
  if (count > 1 && merged_mount(lowers, count, setup->failure) != 0) return -1;
  int source = open(lowers[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
  int result = source < 0 ? fail_errno(setup->failure, errno, "layer %s", lowers[0])
                          : attach(setup, record->argv[0], source, record->argv[1]);
  close_quietly(source);
  /* The tree stays mounted where it is wanted; its first place is the layer itself, which others use. */
  if (count > 1) umount2(lowers[0], MNT_DETACH);
  return result;
}
