/* Operation `file`, and the memory file system that it and masked paths are taken from. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup.h"

/*
 * The stage is mounted over the overlay's work directory, where only this mount namespace sees it, until everything was
 * bound from it: a tree can only be cloned from a mount that is attached somewhere (before Linux 6.15).
 */
int setup_stage(struct setup *setup) {
  if (setup->stage >= 0) return setup->stage;
  if (setup->stage_path == NULL) {
    errno = EINVAL;
    return -1;
  }
  if (mount("tmpfs", setup->stage_path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") != 0) return -1;
  setup->stage = open(setup->stage_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (setup->stage < 0) return -1;
  return mkdirat(setup->stage, "empty", 0755) == 0 ? setup->stage : -1;
}

void setup_unstage(struct setup *setup) {
  if (setup->stage < 0) return;
  close_quietly(setup->stage);
  setup->stage = -1;
  umount2(setup->stage_path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

static int copy_regular(const char *source, int stage, const char *name, unsigned mode, uid_t uid, gid_t gid) {
  struct stat status;
  int from = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (from < 0) return -1;
  int to = -1, result = -1;
  if (fstat(from, &status) != 0) {
    result = -1;
  } else if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
  } else if ((to = openat(stage, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) >= 0) {
    ssize_t count;
    do count = sendfile(to, from, NULL, 1 << 20);
    while (count > 0 || (count < 0 && errno == EINTR));
    /* Owner first: changing it clears the set-user-ID bits. */
    result = count == 0 && fchown(to, uid, gid) == 0 && fchmod(to, mode) == 0 ? 0 : -1;
  }
  close_quietly(from);
  close_quietly(to);
  return result;
}

int setup_file(struct setup *setup, const struct record *record) {
  const char *target = record->argv[1];
  char name[32];
  unsigned mode;
  uint64_t uid, gid;
  struct mount_flags flags = {.set = MS_RDONLY, .readonly = true};
  if (!parse_octal(record->argv[2], 07777, &mode))
    return fail_kind(setup->failure, KIND_INVALID, "mode is not octal", "file %s", target);
  if (record_unsigned(record, 3, UINT32_MAX - 1, &uid, setup->failure) != 0) return -1;
  if (record_unsigned(record, 4, UINT32_MAX - 1, &gid, setup->failure) != 0) return -1;
  int stage = setup_stage(setup);
  if (stage < 0) return fail_errno(setup->failure, errno, "file %s", target);
  snprintf(name, sizeof name, "file-%u", setup->staged++);
  if (copy_regular(record->argv[0], stage, name, mode, (uid_t)uid, (gid_t)gid) != 0)
    return fail_errno(setup->failure, errno, "file %s", record->argv[0]);
  int tree = tree_clone(stage, name, false);
  int fd = tree < 0 ? -1 : target_open(setup->root, target, TARGET_FILE);
  int result = fd < 0 ? -1 : 0;
  if (result == 0 && target_check_proc(setup, "file", target, fd, NULL, -1) != 0) {
    close_quietly(fd);
    close_quietly(tree);
    return -1;
  }
  if (result == 0) result = tree_attach(setup, tree, fd, target, &flags);
  if (result != 0) fail_errno(setup->failure, errno, "file %s", target);
  close_quietly(fd);
  close_quietly(tree);
  return result;
}
