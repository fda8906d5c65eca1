#include "merged.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

/* In a user namespace overlayfs keeps its marks in user.overlay.* (Linux 5.11): there trusted.* cannot be written. */
static bool in_user_namespace(void) {
  struct buffer map = {0};
  unsigned inside = 0, outside = 0, count = 0;
  bool whole = false;
  if (read_file_at(AT_FDCWD, "/proc/self/uid_map", 4096, &map) == 0) {
    buffer_append(&map, "", 1);
    whole = sscanf(map.data, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 && outside == 0 && count == UINT32_MAX;
  }
  buffer_free(&map);
  return !whole;
}

/* Short names by descriptor: mount(2) takes one page of options, and paths may hold colons and commas. */
int merged_mount(char *const *lowers, unsigned count, struct failure *failure) {
  struct buffer options = {0};
  int *layers = xmalloc(count * sizeof *layers);
  unsigned opened = 0;
  buffer_text(&options, "lowerdir=");
  for (; opened < count && (layers[opened] = open(lowers[opened], O_PATH | O_DIRECTORY | O_CLOEXEC)) >= 0; opened++)
    buffer_printf(&options, "%s/proc/self/fd/%d", opened > 0 ? ":" : "", layers[opened]);
  int result = opened < count ? fail_errno(failure, errno, "layer %s", lowers[opened]) : 0;
  if (in_user_namespace()) buffer_text(&options, ",userxattr");
  buffer_append(&options, "", 1);
  /* Over the topmost layer itself: no directory has to be made, and only this namespace sees it. */
  if (result == 0 && (result = mount("overlay", lowers[0], "overlay", MS_RDONLY, options.data)) != 0)
    fail_errno(failure, errno, "overlay of %u layers", count);
  while (opened > 0) close(layers[--opened]);
  free(layers);
  buffer_free(&options);
  return result;
}

int merged_open(char *const *lowers, unsigned count, struct failure *failure) {
  if (count == 0) return fail_kind(failure, KIND_INVALID, "none given", "layers");
  if (count > 1) {
    if (unshare(CLONE_NEWNS) != 0) return fail_errno(failure, errno, "mount namespace");
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) != 0) return fail_errno(failure, errno, "mount propagation of /");
    if (merged_mount(lowers, count, failure) != 0) return -1;
  }
  int fd = open(lowers[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_errno(failure, errno, "layer %s", lowers[0]);
  return fd;
}
