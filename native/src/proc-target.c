/*
 * What may be mounted over the container's /proc. Writes of the kernel's settings for a process go through it, and a tree
 * made to look like it would make programs in the container, and those that look at it from outside, believe anything.
 */
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "setup.h"

/* Files about the whole machine, for which lxcfs has a container's own view. */
static const char *const stand_ins[] = {
    "/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",   "/proc/meminfo",
    "/proc/stat",    "/proc/swaps",     "/proc/slabinfo",  "/proc/uptime",
    "/proc/net/dev", "/proc/sys/crypto/fips_enabled", "/proc/sys/kernel/ns_last_pid",
};

/* The inode number of a procfs's top: PROC_ROOT_INO of linux/proc_ns.h. */
#define PROC_ROOT_INODE 1

static bool is_procfs(int fd) {
  struct statfs status;
  return fd >= 0 && fstatfs(fd, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

int target_check_proc(struct setup *setup, const char *step, const char *path, int target, const char *type, int source) {
  struct stat status;
  if (!is_procfs(target)) return 0;
  if (fstat(target, &status) == 0 && status.st_ino == PROC_ROOT_INODE &&
      ((type != NULL && strcmp(type, "proc") == 0) || is_procfs(source)))
    return 0;
  for (size_t i = 0; i < ARRAY_SIZE(stand_ins); i++)
    if (strcmp(path, stand_ins[i]) == 0) return 0;
  return fail_kind(setup->failure, KIND_FORBIDDEN, "it is inside the container's /proc", "%s %s", step, path);
}
