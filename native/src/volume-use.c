/*
 * Volumes with a file system of their own are mounted on the machine for as long as a container uses them. Each monitor
 * holds a shared lock on them for its life; the last one unmounts. Whoever mounts one holds the lock too until the monitor
 * has its own, and the lock of a monitor that was killed is free: then the next one who looks unmounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include "monitor.h"

int volume_use_begin(struct plan *plan, struct failure *failure) {
  for (size_t i = 0; i < plan->volume_count; i++) {
    struct volume_use *use = &plan->volumes[i];
    use->fd = open(use->lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (use->fd < 0 || flock(use->fd, LOCK_SH | LOCK_NB) != 0) return fail_errno(failure, errno, "volume %s", use->mountpoint);
  }
  return 0;
}

void volume_use_end(struct plan *plan) {
  for (size_t i = 0; i < plan->volume_count; i++) {
    struct volume_use *use = &plan->volumes[i];
    if (use->fd < 0) continue;
    if (flock(use->fd, LOCK_EX | LOCK_NB) == 0) umount2(use->mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW);
    flock(use->fd, LOCK_UN);
  }
}
