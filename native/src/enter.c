#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { USER, MOUNT, NET, KINDS, USE = KINDS, KEEPER };

static int use_lock = -1;

static int open_namespace(const char *path, struct failure *failure) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno(failure, errno, "enter %s", path);
  return fd;
}

int enter_as_root(struct failure *failure) {
  /* Denied where the namespace was made without a group map: the groups then are what they are. */
  if (setgroups(0, NULL) != 0 && errno != EPERM) return fail_errno(failure, errno, "enter: setgroups");
  if (setresgid(0, 0, 0) != 0) return fail_errno(failure, errno, "enter: setresgid");
  if (setresuid(0, 0, 0) != 0) return fail_errno(failure, errno, "enter: setresuid");
  return 0;
}

int enter_use_lock(void) {
  return use_lock;
}

/* First the lock, then the look: a keeper that is about to end holds it exclusively, and one that lives stays now. */
static int hold(const char *use, const char *keeper, struct failure *failure) {
  if (use[0] == '\0') return 0;
  use_lock = open(use, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (use_lock < 0) return fail_errno(failure, errno, "enter: %s", use);
  while (flock(use_lock, LOCK_SH) != 0)
    if (errno != EINTR) return fail_errno(failure, errno, "enter: %s", use);
  int lock = open(keeper, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  bool gone = lock < 0 || flock(lock, LOCK_SH | LOCK_NB) == 0;
  close_quietly(lock);
  return gone ? fail_kind(failure, KIND_NOT_FOUND, "no keeper holds the namespaces", "enter") : 0;
}

int enter_namespaces(const struct record *record, struct failure *failure) {
  static const int flags[KINDS] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET};
  static const int order[KINDS] = {USER, NET, MOUNT};
  int descriptors[KINDS] = {-1, -1, -1};
  int result = record_texts(record, failure);
  if (result == 0) result = hold(record->argv[USE], record->argv[KEEPER], failure);
  for (int i = 0; i < KINDS && result == 0; i++) {
    if (record->sizes[i] == 0) continue;
    descriptors[i] = open_namespace(record->argv[i], failure);
    if (descriptors[i] < 0) result = -1;
  }
  for (int i = 0; i < KINDS && result == 0; i++) {
    int kind = order[i];
    if (descriptors[kind] < 0) continue;
    if (setns(descriptors[kind], flags[kind]) != 0) result = fail_errno(failure, errno, "enter %s", record->argv[kind]);
    else if (kind == USER) result = enter_as_root(failure);
  }
  /* A change of credentials hides a process's own files in /proc from itself. */
  if (result == 0 && descriptors[USER] >= 0) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  for (int i = 0; i < KINDS; i++) close_quietly(descriptors[i]);
  return result;
}
