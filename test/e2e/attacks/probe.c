/* Tries what a container must not be able to do, and prints what the kernel answers: one line a try, NAME RESULT. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static void tell(const char *name, long result) {
  printf("%s %s\n", name, result < 0 ? strerrorname_np(errno) : "done");
}

static long write_to(const char *path) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd < 0 ? fd : write(fd, "x", 1);
}

static long read_from(const char *path) {
  char byte;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  /* A masked file reads as empty. */
  if (read(fd, &byte, 1) == 1) return 0;
  errno = ENODATA;
  return -1;
}

static long raw_disk(void) {
  unlink("/tmp/disk");
  for (unsigned major = 8; major < 260; major++)
    if (mknod("/tmp/disk", S_IFBLK | 0600, makedev(major, 0)) == 0) {
      if (open("/tmp/disk", O_RDONLY | O_CLOEXEC) >= 0) return 0;
      if (errno != ENXIO && errno != EPERM) return -1;
      unlink("/tmp/disk");
    }
  errno = EPERM;
  return -1;
}

int main(void) {
  struct timespec now = {.tv_sec = 1};
  tell("unshare-user", syscall(SYS_unshare, CLONE_NEWUSER));
  tell("unshare-mount", syscall(SYS_unshare, CLONE_NEWNS));
  tell("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
  tell("remount", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
  tell("umount", umount2("/proc/sys", MNT_DETACH));
  tell("setns", syscall(SYS_setns, open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC), 0));
  tell("raw-disk", raw_disk());
  tell("dmesg", syscall(SYS_syslog, 3, (char[64]){0}, 64));
  tell("hostname", sethostname("owned", 5));
  tell("clock", syscall(SYS_clock_settime, CLOCK_REALTIME, &now));
  tell("add-key", syscall(SYS_add_key, "user", "name", "x", 1, KEY_SPEC_SESSION_KEYRING));
  tell("keyctl", syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, NULL, 0));
  tell("alg-socket", socket(AF_ALG, SOCK_SEQPACKET, 0));
  tell("vsock-socket", socket(AF_VSOCK, SOCK_STREAM, 0));
  tell("packet-on-host", syscall(SYS_open_by_handle_at, AT_FDCWD, (char[16]){8}, O_RDONLY));
  tell("io-uring", syscall(SYS_io_uring_setup, 1, (char[256]){0}));
  tell("userfaultfd", syscall(SYS_userfaultfd, 0));
  tell("bpf", syscall(SYS_bpf, 0, (char[128]){0}, 128));
  tell("perf", syscall(SYS_perf_event_open, (char[128]){0}, 0, -1, -1, 0));
  tell("module", syscall(SYS_init_module, "", 0, ""));
  tell("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
  tell("reboot", syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0, NULL));
  tell("tiocsti", ioctl(0, TIOCSTI, "x"));
  tell("core-pattern", write_to("/proc/sys/kernel/core_pattern"));
  tell("sysrq", write_to("/proc/sysrq-trigger"));
  tell("uevent-helper", write_to("/sys/kernel/uevent_helper"));
  tell("release-agent", write_to("/sys/fs/cgroup/memory/release_agent"));
  /* Version 1 has its hierarchies below a plain memory file system, version 2 is there itself. */
  tell("cgroup", mkdir(access("/sys/fs/cgroup/memory", F_OK) == 0 ? "/sys/fs/cgroup/memory/x" : "/sys/fs/cgroup/x", 0755));
  tell("kcore", read_from("/proc/kcore"));
  tell("keys", read_from("/proc/keys"));
  tell("latency", read_from("/proc/timer_list"));
  return 0;
}
