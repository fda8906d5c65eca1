#include "network-child-sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Address sanitizer needs more memory and more calls than the real program: it tests everything but these limits. */
#ifdef __SANITIZE_ADDRESS__
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

/* ---- file tree ---- */

static int empty_tree(void) {
  int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (fs < 0)
    return -1;
  int tree = -1;
  if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "4096", 0) == 0 &&
      syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "0700", 0) == 0 &&
      syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
    tree = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  close(fs);
  return tree;
}

/*
 * The trees are mounted nowhere: each is reached by its descriptor alone, its `..` at the top is itself, and it goes with
 * this process. So no mount namespace is needed, whose copy and end cost more than all the rest.
 */
bool sandbox_enter_root(const char *const *directories, size_t count, int *opened, const char **failed) {
  struct mount_attr read_only = {
      .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
  };
  for (size_t i = 0; i < count; i++) {
    *failed = "open the directory of names";
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, directories[i], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0 || syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &read_only, sizeof read_only) != 0 ||
        (opened[i] = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
      return false;
    /* `tree` stays open: with it the kernel would take the tree apart. */
  }
  *failed = "enter an empty root";
  int root = empty_tree();
  return root >= 0 && syscall(SYS_mount_setattr, root, "", AT_EMPTY_PATH, &read_only, sizeof read_only) == 0 &&
         fchdir(root) == 0 && chroot(".") == 0;
}

/* ---- limits ---- */

size_t sandbox_limit(void) {
  static const struct rlimit none = {0, 0}, memory = {64 << 20, 64 << 20};
  struct rlimit files = {32768, 32768};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_FSIZE, &none);
  if (!sanitized)
    setrlimit(RLIMIT_DATA, &memory);
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max > 32768)
      files.rlim_max = 32768;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  return (size_t)files.rlim_cur;
}

/* ---- system calls ---- */

#if defined(__x86_64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#else
#error "system call filter: unknown architecture"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARGUMENT(index)                                                                                           \
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (index)) /* low half */
#define LOAD_ARGUMENT_HIGH(index)                                                                                      \
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (index) + 4)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define PERMIT(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), ALLOW

/*
 * Everything else kills. Files: opened for reading only. Memory: never executable. A datagram is sent to an address only
 * where the proxy is needed, or from the socket that answers DNS: the sockets of upstreams go where they were connected to.
 */
static const struct sock_filter common[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_AUDIT_ARCH, 1, 0),
    KILL,
    LOAD(nr),
#ifdef __NR_epoll_wait
    PERMIT(__NR_epoll_wait),
#endif
    PERMIT(__NR_epoll_pwait),
    PERMIT(__NR_epoll_ctl),
    PERMIT(__NR_recvfrom),
    PERMIT(__NR_recvmsg),
    PERMIT(__NR_accept4),
    PERMIT(__NR_close),
    PERMIT(__NR_read),
    PERMIT(__NR_write),
    PERMIT(__NR_lseek),
    PERMIT(__NR_getdents64),
#ifdef __NR_newfstatat
    PERMIT(__NR_newfstatat),
#endif
    PERMIT(__NR_fstat),
    PERMIT(__NR_getrandom),
    PERMIT(__NR_clock_gettime),
    PERMIT(__NR_brk),
    PERMIT(__NR_munmap),
    PERMIT(__NR_mremap),
    PERMIT(__NR_madvise),
    PERMIT(__NR_restart_syscall),
    PERMIT(__NR_rt_sigreturn),
    PERMIT(__NR_exit),
    PERMIT(__NR_exit_group),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 4),
    LOAD_ARGUMENT(2),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 0, 1),
    KILL,
    ALLOW,
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mprotect, 0, 4),
    LOAD_ARGUMENT(2),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
    KILL,
    ALLOW,
};

/* What only the proxy needs. New sockets: IPv4 and IPv6, streams and datagrams (no packet, netlink or unix sockets). */
static const struct sock_filter with_proxy[] = {
    PERMIT(__NR_splice),
    PERMIT(__NR_sendto),
    PERMIT(__NR_sendmsg),
    PERMIT(__NR_connect),
    PERMIT(__NR_shutdown),
    PERMIT(__NR_setsockopt),
    PERMIT(__NR_getsockopt),
    PERMIT(__NR_pipe2),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 8),
    LOAD_ARGUMENT(0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 5),
    LOAD_ARGUMENT(1),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t) ~(SOCK_NONBLOCK | SOCK_CLOEXEC)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 0, 1),
    ALLOW,
};

enum { ANSWERING = 2 }; /* the instruction of without_proxy whose operand is the descriptor that answers */

static const struct sock_filter without_proxy[] = {
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_sendto, 0, 7), LOAD_ARGUMENT(0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0),           LOAD_ARGUMENT(4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),           LOAD_ARGUMENT_HIGH(4),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),           ALLOW,
};

static const struct sock_filter last[] = {KILL};

static bool load_filter(int answering, bool proxy) {
  struct sock_filter filter[sizeof common / sizeof *common + sizeof with_proxy / sizeof *with_proxy + 1];
  size_t count = 0;
#define APPEND(part) (memcpy(filter + count, part, sizeof part), count += sizeof part / sizeof *part)
  APPEND(common);
  if (proxy) {
    APPEND(with_proxy);
  } else {
    APPEND(without_proxy);
    filter[sizeof common / sizeof *common + ANSWERING].k = (uint32_t)answering;
  }
  APPEND(last);
  struct sock_fprog program = {(unsigned short)count, filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static bool drop_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  static const struct __user_cap_data_struct none[2];
  for (int capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL)
      return false;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return syscall(SYS_capset, &header, none) == 0;
}

bool sandbox_drop(int answering, bool proxy, const char **failed) {
  *failed = "drop groups";
  /* In a user namespace with setgroups denied there is nothing that could be dropped. */
  if (setgroups(0, NULL) != 0 && errno != EPERM)
    return false;
  *failed = "drop capabilities";
  if (!drop_capabilities())
    return false;
  *failed = "load the system call filter";
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         (sanitized || load_filter(answering, proxy));
}
