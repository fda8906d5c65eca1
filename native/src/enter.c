#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <unistd.h>

enum { USER, MOUNT, NET, KINDS };

static int open_namespace(const char *path, struct failure *failure) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno(failure, errno, "enter %s", path);
  return fd;
}

static int become_root(struct failure *failure) {
  /* Denied where the namespace was made without a group map: the groups then are what they are. */
  if (setgroups(0, NULL) != 0 && errno != EPERM) return fail_errno(failure, errno, "enter: setgroups");
  if (setresgid(0, 0, 0) != 0) return fail_errno(failure, errno, "enter: setresgid");
  if (setresuid(0, 0, 0) != 0) return fail_errno(failure, errno, "enter: setresuid");
  return 0;
}

int enter_namespaces(const struct record *record, struct failure *failure) {
  static const int flags[KINDS] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET};
  static const int order[KINDS] = {USER, NET, MOUNT};
  int descriptors[KINDS] = {-1, -1, -1};
  int result = record_texts(record, failure);
  for (int i = 0; i < KINDS && result == 0; i++) {
    if (record->sizes[i] == 0) continue;
    descriptors[i] = open_namespace(record->argv[i], failure);
    if (descriptors[i] < 0) result = -1;
  }
  for (int i = 0; i < KINDS && result == 0; i++) {
    int kind = order[i];
    if (descriptors[kind] < 0) continue;
    if (setns(descriptors[kind], flags[kind]) != 0) result = fail_errno(failure, errno, "enter %s", record->argv[kind]);
    else if (kind == USER) result = become_root(failure);
  }
  for (int i = 0; i < KINDS; i++) close_quietly(descriptors[i]);
  return result;
}
