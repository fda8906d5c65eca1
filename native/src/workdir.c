/* The working directory: made before the root may turn read-only, entered last. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "setup.h"

static const char *directory_of(const struct setup *setup) {
  return setup->workdir[0] != '\0' ? setup->workdir : "/";
}

int setup_make_workdir(struct setup *setup) {
  int fd = target_open(setup->root, directory_of(setup), TARGET_DIRECTORY);
  if (fd < 0) return fail_errno(setup->failure, errno, "working directory %s", directory_of(setup));
  close(fd);
  return 0;
}

int setup_enter_workdir(struct setup *setup, bool final) {
  char path[PATH_MAX];
  if (chdir(directory_of(setup)) != 0) {
    /* As root first, for a directory that the user may not search; then as the user, for one on NFS or FUSE. */
    if (!final && errno == EACCES) return 1;
    fail_errno(setup->failure, errno, "working directory %s", directory_of(setup));
    setup->failure->exit_code = errno == EACCES ? 126 : errno == ENOENT || errno == ENOTDIR ? 127 : 125;
    return -1;
  }
  /* The kernel says `(unreachable)` for a directory outside of the root, which a descriptor left open could lead to. */
  if (syscall(SYS_getcwd, path, sizeof path) < 0 || path[0] != '/') {
    fail_kind(setup->failure, KIND_FORBIDDEN, "it lies outside of the container", "working directory %s",
              directory_of(setup));
    setup->failure->exit_code = 125;
    return -1;
  }
  return 0;
}
