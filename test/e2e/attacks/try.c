/*
 * Tries what a container must not be able to do. "try NAME..." makes each attempt and prints "NAME RESULT", the result
 * being the name of the errno, or "done" where nothing stopped it. Other forms, which never end by themselves:
 *   try swap PLACE LINK         exchanges two names as fast as it can
 *   try plant PLACE TARGET      empties a directory and puts a link called "inner" into it, over and over
 *   try spy NUMBER              opens the memory and the program of every process it sees, tells which it could
 *   try overwrite               opens every program it sees for writing
 * and one that ends:
 *   try spoof FROM TO PORT      sends a datagram under a false address
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static const char zeros[256];

static long try_mount(void) { return mount("none", "/tmp", "tmpfs", 0, NULL); }
static long try_remount_proc_sys(void) { return mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long try_unmount(void) { return umount2("/proc/interrupts", MNT_DETACH); }
static long try_pivot_root(void) { return syscall(SYS_pivot_root, "/", "/"); }
static long try_open_tree(void) { return syscall(428, AT_FDCWD, "/", 1); }
static long try_fsopen(void) { return syscall(430, "proc", 0); }
static long try_move_mount(void) { return syscall(429, AT_FDCWD, "/", AT_FDCWD, "/tmp", 0); }
static long try_mount_setattr(void) { return syscall(442, AT_FDCWD, "/proc/sys", 0, zeros, 32); }
static long try_unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long try_unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long try_unshare_network(void) { return unshare(CLONE_NEWNET); }
static long try_unshare_cgroup(void) { return unshare(CLONE_NEWCGROUP); }
static long try_setns(void) {
  int fd = open("/proc/1/ns/mnt", O_RDONLY);
  return setns(fd, 0);
}
static long try_clone_user(void) {
  long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  return pid;
}
static long try_clone3(void) { return syscall(SYS_clone3, zeros, 64); }
static long try_sethostname(void) { return sethostname("owned", 5); }
static long try_setdomainname(void) { return syscall(SYS_setdomainname, "owned", 5); }
static long try_clock_settime(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return clock_settime(CLOCK_REALTIME, &now);
}
static long try_settimeofday(void) { return syscall(SYS_settimeofday, NULL, zeros); }
static long try_adjtimex(void) {
  char buffer[256] = {1}; /* ADJ_OFFSET, of nothing */
  return syscall(SYS_adjtimex, buffer);
}
static long try_syslog(void) {
  char buffer[64];
  return syscall(SYS_syslog, 3, buffer, sizeof buffer);
}
/* With senseless arguments: where the call is let through it fails with something else. */
static long try_reboot(void) { return syscall(SYS_reboot, 0, 0, 0, NULL); }
static long try_init_module(void) { return syscall(SYS_init_module, zeros, 0, ""); }
static long try_finit_module(void) { return syscall(SYS_finit_module, -1, "", 0); }
static long try_delete_module(void) { return syscall(SYS_delete_module, "", 0); }
static long try_kexec_load(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long try_swapon(void) { return syscall(SYS_swapon, "/nothing", 0); }
static long try_acct(void) { return syscall(SYS_acct, NULL); }
static long try_quotactl(void) { return syscall(SYS_quotactl, 0, "", 0, NULL); }
static long try_bpf(void) { return syscall(SYS_bpf, 0, zeros, 32); }
static long try_perf_event_open(void) {
  char attributes[128] = {1, 0, 0, 0, 128};
  return syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0);
}
static long try_userfaultfd(void) { return syscall(SYS_userfaultfd, 0); }
static long try_io_uring_setup(void) { return syscall(425, 1, zeros); }
static long try_io_uring_enter(void) { return syscall(426, -1, 0, 0, 0, NULL, 0); }
static long try_keyctl(void) { return syscall(SYS_keyctl, 0, -3, 0); }
static long try_add_key(void) { return syscall(SYS_add_key, "user", "name", "x", 1, -3); }
static long try_request_key(void) { return syscall(SYS_request_key, "user", "name", NULL, 0); }
static long try_af_alg(void) { return socket(38, SOCK_SEQPACKET, 0); }
static long try_af_vsock(void) { return socket(40, SOCK_STREAM, 0); }
static long try_fanotify(void) { return syscall(SYS_fanotify_init, 0, 0); }
static long try_personality(void) { return syscall(SYS_personality, 0x0400000); /* ADDR_NO_RANDOMIZE */ }
static long try_nice(void) { return syscall(SYS_setpriority, 0, 0, -10); }
static long try_bpf_socket_mark(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), mark = 1;
  return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
}
/* CAP_DAC_READ_SEARCH: any file of the file system by its inode number ("shocker"). */
static long try_open_by_handle(void) {
  struct { struct file_handle handle; char bytes[16]; } file = {.handle = {.handle_bytes = 8, .handle_type = 1}};
  uint32_t root = 2;
  memcpy(file.handle.f_handle, &root, sizeof root);
  int directory = open("/etc/hosts", O_RDONLY);
  return open_by_handle_at(directory, &file.handle, O_RDONLY);
}
static long open_device(mode_t type, unsigned number_major, unsigned number_minor) {
  unlink("/tmp/node");
  if (mknod("/tmp/node", type | 0600, makedev(number_major, number_minor)) != 0) return -1;
  return open("/tmp/node", O_RDONLY | O_NONBLOCK);
}
static long try_kernel_memory(void) { return open_device(S_IFCHR, 1, 1); }
static long try_kernel_log(void) { return open_device(S_IFCHR, 1, 11); }
static long try_port_device(void) { return open_device(S_IFCHR, 1, 4); }
static long try_loop_control(void) { return open_device(S_IFCHR, 10, 237); }
static long try_fuse(void) { return open_device(S_IFCHR, 10, 229); }
static long try_kvm(void) { return open_device(S_IFCHR, 10, 232); }
/* Every block device that the machine tells of. */
static long try_disks(void) {
  FILE *list = fopen("/proc/partitions", "re");
  char line[200];
  unsigned seen = 0, number_major, number_minor;
  while (list != NULL && fgets(line, sizeof line, list) != NULL)
    if (sscanf(line, "%u %u", &number_major, &number_minor) == 2) {
      seen++;
      if (open_device(S_IFBLK, number_major, number_minor) >= 0) return 0;
    }
  /* None at all is no proof. */
  if (seen == 0) errno = ENOENT;
  return -1;
}
static long try_capset(void) {
  struct { uint32_t version; int pid; } header = {0x20080522, 0};
  uint32_t data[6];
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  data[0] |= 1u << 21; /* effective: CAP_SYS_ADMIN */
  data[1] |= 1u << 21;
  return syscall(SYS_capset, &header, data);
}
static long try_push_input(void) {
  const char *text = "echo pushed\n";
  for (; *text != '\0'; text++)
    if (ioctl(STDIN_FILENO, TIOCSTI, text) != 0) return -1;
  return 0;
}
/* Its own parent where there is no init. */
static long try_trace_init(void) {
  if (ptrace(PTRACE_ATTACH, 1, NULL, NULL) != 0) return -1;
  waitpid(1, NULL, __WALL);
  return ptrace(PTRACE_DETACH, 1, NULL, NULL);
}
static long try_cgroup(void) {
  bool unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  return mkdir(unified ? "/sys/fs/cgroup/escape" : "/sys/fs/cgroup/memory/escape", 0755);
}
static long try_core_pattern(void) { return open("/proc/sys/kernel/core_pattern", O_WRONLY); }
static long try_sysrq(void) { return open("/proc/sysrq-trigger", O_WRONLY); }
static long try_uevent_helper(void) { return open("/sys/kernel/uevent_helper", O_WRONLY); }
static long try_modprobe_path(void) { return open("/proc/sys/kernel/modprobe", O_WRONLY); }
static long try_binfmt(void) { return open("/proc/sys/fs/binfmt_misc/register", O_WRONLY); }
/* A masked file reads as empty. */
static long read_masked(const char *path) {
  char byte;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, &byte, 1) > 0) return fd;
  errno = ENODATA;
  return -1;
}
static long try_read_memory(void) { return read_masked("/proc/kcore"); }
static long try_read_keys(void) { return read_masked("/proc/keys"); }
static long try_read_timers(void) { return read_masked("/proc/timer_list"); }
/*
 * Masked files and spare streams show a null device of the machine: its node must stay as it is. It is set to what it is
 * already, which harms nobody where it succeeds.
 */
static bool may_change(int fd) {
  struct stat now;
  if (fstat(fd, &now) != 0) return false;
  struct timespec times[2] = {now.st_atim, now.st_mtim};
  return fchmod(fd, now.st_mode & 07777) == 0 || fchown(fd, now.st_uid, now.st_gid) == 0 || futimens(fd, times) == 0;
}
static long try_change_masked(void) {
  int fd = open("/proc/interrupts", O_RDONLY);
  return fd >= 0 && may_change(fd) ? 0 : -1;
}
static long try_change_streams(void) {
  struct stat status;
  for (int fd = 0; fd < 3; fd++)
    if (fstat(fd, &status) == 0 && S_ISCHR(status.st_mode)) return may_change(fd) ? 0 : -1;
  errno = ENODEV; /* all are pipes */
  return -1;
}

static const struct attempt {
  const char *name;
  long (*run)(void);
} attempts[] = {
    {"mount", try_mount}, {"remount", try_remount_proc_sys}, {"unmount", try_unmount}, {"pivot_root", try_pivot_root},
    {"open_tree", try_open_tree}, {"fsopen", try_fsopen}, {"move_mount", try_move_mount}, {"mount_setattr", try_mount_setattr},
    {"unshare_user", try_unshare_user}, {"unshare_mount", try_unshare_mount}, {"unshare_network", try_unshare_network},
    {"unshare_cgroup", try_unshare_cgroup}, {"setns", try_setns}, {"clone_user", try_clone_user}, {"clone3", try_clone3},
    {"sethostname", try_sethostname}, {"setdomainname", try_setdomainname}, {"clock_settime", try_clock_settime},
    {"settimeofday", try_settimeofday}, {"adjtimex", try_adjtimex}, {"syslog", try_syslog}, {"reboot", try_reboot},
    {"init_module", try_init_module}, {"finit_module", try_finit_module}, {"delete_module", try_delete_module},
    {"kexec_load", try_kexec_load}, {"swapon", try_swapon}, {"acct", try_acct}, {"quotactl", try_quotactl},
    {"bpf", try_bpf}, {"perf_event_open", try_perf_event_open}, {"userfaultfd", try_userfaultfd},
    {"io_uring_setup", try_io_uring_setup}, {"io_uring_enter", try_io_uring_enter}, {"keyctl", try_keyctl},
    {"add_key", try_add_key}, {"request_key", try_request_key}, {"af_alg", try_af_alg}, {"af_vsock", try_af_vsock},
    {"fanotify", try_fanotify}, {"personality", try_personality}, {"nice", try_nice}, {"socket_mark", try_bpf_socket_mark},
    {"open_by_handle", try_open_by_handle}, {"kernel_memory", try_kernel_memory}, {"kernel_log", try_kernel_log},
    {"port_device", try_port_device}, {"loop_control", try_loop_control}, {"fuse", try_fuse}, {"kvm", try_kvm},
    {"disks", try_disks}, {"capset", try_capset}, {"push_input", try_push_input}, {"trace_init", try_trace_init},
    {"cgroup", try_cgroup}, {"core_pattern", try_core_pattern}, {"sysrq", try_sysrq}, {"uevent_helper", try_uevent_helper},
    {"modprobe_path", try_modprobe_path}, {"binfmt", try_binfmt}, {"read_memory", try_read_memory}, {"read_keys", try_read_keys}, {"read_timers", try_read_timers}, {"change_masked", try_change_masked},
    {"change_streams", try_change_streams},
};

static const char *outcome(long result) {
  return result >= 0 ? "done" : strerrorname_np(errno);
}

static int attempt(const char *name) {
  for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
    if (strcmp(attempts[i].name, name) != 0) continue;
    /* Each in a process of its own: one that succeeds must not change how the next one fares. */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      errno = 0;
      printf("%s %s\n", name, outcome(attempts[i].run()));
      fflush(stdout);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status)) printf("%s signal %d\n", name, WTERMSIG(status));
    return 0;
  }
  fprintf(stderr, "try: no attempt is called %s\n", name);
  return 64;
}

static void swap_for_ever(const char *place, const char *link) {
  for (;;) syscall(SYS_renameat2, AT_FDCWD, place, AT_FDCWD, link, RENAME_EXCHANGE);
}

static void plant_for_ever(const char *place, const char *target) {
  char inner[300], file[300], mark[300];
  snprintf(inner, sizeof inner, "%s/inner", place);
  snprintf(file, sizeof file, "%s/inner/file", place);
  for (unsigned long rounds = 0;; rounds++) {
    DIR *list = opendir(place);
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
      snprintf(mark, sizeof mark, "%s/%s", place, e->d_name);
      if (e->d_name[0] != '.' || strlen(e->d_name) > 2) unlink(mark);
    }
    closedir(list);
    unlink(file);
    rmdir(inner);
    if (symlink(target, inner) == 0) unlink(inner);
    if (rounds == 1000) printf("planting\n"), fflush(stdout);
  }
}

static int open_of(const char *pid, const char *name, int flags) {
  char path[300];
  snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
  return open(path, flags);
}

/* `entry`: what stands at the program entry of the engine's own program, by which its memory is told from others. */
static void spy_for_ever(uint64_t entry) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (unsigned long rounds = 0;; rounds++) {
    DIR *list = opendir("/proc");
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
      char link[300] = "", path[64];
      uint64_t seen;
      if (e->d_name[0] < '1' || e->d_name[0] > '9') continue;
      int memory = open_of(e->d_name, "mem", O_RDWR), program = open_of(e->d_name, "exe", O_RDONLY);
      if (memory >= 0 && pread(memory, &seen, 8, 0x400018) == 8 && seen == entry) printf("LEAK memory of %s\n", e->d_name);
      snprintf(path, sizeof path, "/proc/self/fd/%d", program);
      if (program >= 0 && readlink(path, link, sizeof link - 1) > 0 && strstr(link, "memfd:") != NULL)
        printf("LEAK program of %s\n", e->d_name);
      if (memory >= 0) close(memory);
      if (program >= 0) close(program);
    }
    closedir(list);
    if (rounds == 50) printf("looking\n");
  }
}

static void overwrite_for_ever(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (unsigned long rounds = 0;; rounds++) {
    DIR *list = opendir("/proc");
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
      char link[300] = "", path[64];
      if (e->d_name[0] < '1' || e->d_name[0] > '9') continue;
      int fd = open_of(e->d_name, "exe", O_WRONLY);
      if (fd < 0) continue;
      snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
      if (readlink(path, link, sizeof link - 1) > 0 && write(fd, "overwritten", 11) > 0) printf("WROTE %s\n", link);
      close(fd);
    }
    closedir(list);
    if (rounds == 50) printf("looking\n");
  }
}

static int spoof(const char *from, const char *to, int port) {
  struct {
    struct iphdr ip;
    struct udphdr udp;
    char text[8];
  } packet = {
      .ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .tot_len = htons(sizeof packet)},
      .udp = {.source = htons(4000), .dest = htons((uint16_t)port), .len = htons(sizeof packet - sizeof packet.ip)},
      .text = "spoofed",
  };
  struct sockaddr_in target = {.sin_family = AF_INET};
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  packet.ip.saddr = inet_addr(from);
  packet.ip.daddr = target.sin_addr.s_addr = inet_addr(to);
  ssize_t sent = sendto(fd, &packet, sizeof packet, 0, (struct sockaddr *)&target, sizeof target);
  printf("spoof %s\n", outcome(sent < 0 ? -1 : 0));
  return 0;
}

int main(int count, char **words) {
  int result = 0;
  if (count > 3 && strcmp(words[1], "swap") == 0) swap_for_ever(words[2], words[3]);
  if (count > 3 && strcmp(words[1], "plant") == 0) plant_for_ever(words[2], words[3]);
  if (count > 2 && strcmp(words[1], "spy") == 0) spy_for_ever(strtoull(words[2], NULL, 10));
  if (count > 1 && strcmp(words[1], "overwrite") == 0) overwrite_for_ever();
  if (count > 4 && strcmp(words[1], "spoof") == 0) return spoof(words[2], words[3], atoi(words[4]));
  if (count > 1 && strcmp(words[1], "all") == 0) {
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) attempt(attempts[i].name);
    return 0;
  }
  for (int i = 1; i < count && result == 0; i++) result = attempt(words[i]);
  return result;
}
