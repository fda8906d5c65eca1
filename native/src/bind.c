/* Operation `bind`. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

#include "setup.h"

int setup_bind_source(struct setup *setup, const struct record *record) {
  struct mount_flags flags;
  if (mount_flags_parse(record->argv[2], &flags) != 0)
    return fail_kind(setup->failure, KIND_INVALID, "unknown mount flag", "bind %s", record->argv[1]);
  int tree = tree_clone(AT_FDCWD, record->argv[0], flags.recursive);
  return tree >= 0 ? tree : fail_errno(setup->failure, errno, "bind %s", record->argv[0]);
}

static int kind_of_target(const char *create, int source, enum target_kind *kind) {
  struct stat status;
  *kind = TARGET_EXISTING;
  if (create[0] == '\0') return 0;
  if (strcmp(create, "directory") == 0) {
    *kind = TARGET_DIRECTORY;
  } else if (strcmp(create, "file") == 0) {
    *kind = TARGET_FILE;
  } else if (strcmp(create, "auto") == 0 && fstat(source, &status) == 0) {
    *kind = S_ISDIR(status.st_mode) ? TARGET_DIRECTORY : TARGET_FILE;
  } else {
    errno = EINVAL;
    return -1;
  }
  return 0;
}

int setup_bind(struct setup *setup, const struct record *record, int source) {
  const char *target = record->argv[1];
  struct mount_flags flags;
  enum target_kind kind;
  mount_flags_parse(record->argv[2], &flags);
  if (kind_of_target(record->argv[3], source, &kind) != 0)
    return fail_errno(setup->failure, errno, "bind %s", target);
  int fd = target_open(setup->root, target, kind);
  if (fd < 0) return fail_errno(setup->failure, errno, "bind %s", target);
  int result = target_check_proc(setup, "bind", target, fd, NULL, source);
  if (result == 0 && (result = tree_attach(setup, source, fd, target, &flags)) != 0)
    fail_errno(setup->failure, errno, "bind %s", target);
  close_quietly(fd);
  return result;
}
