import type {Condition, SeccompAction, SeccompProfile, SeccompRule} from './profile.ts';

const allow: SeccompAction = {kind: 'allow'};
const noPermission: SeccompAction = {kind: 'error', errno: 1};
const notImplemented: SeccompAction = {kind: 'error', errno: 38};

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h). */
const newNamespaces = 0x7e020000;

/** Everyone may: what Docker's default profile grants without conditions, by what it is for. */
const ordinary = `
  open openat openat2 creat close close_range read write readv writev pread64 pwrite64 preadv preadv2 pwritev pwritev2
  lseek _llseek dup dup2 dup3 fcntl fcntl64 ioctl flock fsync fdatasync sync syncfs sync_file_range
  readahead fadvise64 fadvise64_64 fallocate truncate truncate64 ftruncate ftruncate64 copy_file_range sendfile sendfile64
  splice tee vmsplice name_to_handle_at
  stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 access faccessat
  faccessat2 statmount listmount cachestat
  mkdir mkdirat mknod mknodat rmdir link linkat symlink symlinkat readlink readlinkat rename renameat renameat2 unlink
  unlinkat getdents getdents64 getcwd chdir fchdir
  chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 umask
  utime utimes utimensat utimensat_time64 futimesat
  getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr
  listxattrat removexattr lremovexattr fremovexattr removexattrat
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
  landlock_create_ruleset landlock_add_rule landlock_restrict_self

  select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
  epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 pipe pipe2
  io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64

  brk mmap mmap2 munmap mremap mprotect msync mincore madvise mlock mlock2 mlockall munlock munlockall remap_file_pages
  memfd_create memfd_secret pkey_alloc pkey_free pkey_mprotect mseal map_shadow_stack membarrier

  fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp setpgid getsid setsid
  set_tid_address set_thread_area get_thread_area set_robust_list get_robust_list rseq prctl seccomp uname sysinfo
  getcpu getrandom times getrusage restart_syscall uretprobe
  ptrace process_vm_readv process_vm_writev process_mrelease pidfd_open pidfd_send_signal
  futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue
  kill tkill tgkill pause sigaltstack sigprocmask sigreturn rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
  rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
  getpriority setpriority ioprio_get ioprio_set getrlimit ugetrlimit setrlimit prlimit64
  sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
  sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
  sched_rr_get_interval_time64

  getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32
  getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32
  setresgid setresgid32 setgroups setgroups32 setfsuid setfsuid32 setfsgid setfsgid32 capget capset

  time gettimeofday adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 nanosleep alarm getitimer setitimer
  timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64

  socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
  send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64
  ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
  mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
`.trim();

function equalTo(argument: 0, value: number): readonly [Condition] {
  return [{argument, operator: '==', value}];
}

/**
 * Address families up to AF_QIPCRTR (sys/socket.h: 42) and AF_SMC, AF_XDP, AF_MCTP, without AF_ALG (38), a large and
 * rarely used part of the kernel, and AF_VSOCK (40), which reaches the machine's host past every network. Named one by
 * one: a condition like "not 40" would be met by 40 with a bit in the unused half of the register.
 */
const sockets: readonly SeccompRule[] = [
  {calls: 'socket', action: allow, when: [{argument: 0, operator: '<', value: 38}]},
  ...[39, 41, 42, 43, 44, 45].map(
    (family): SeccompRule => ({calls: 'socket', action: allow, when: equalTo(0, family)}),
  ),
];

/** PER_LINUX, PER_LINUX32, each with UNAME26, and the question which one is set (linux/personality.h). */
const personalities = [0, 0x8, 0x20000, 0x20008, 0xffffffff].map(
  (value): SeccompRule => ({calls: 'personality', action: allow, when: equalTo(0, value)}),
);

/** Calls that go with a capability: useless without it, or a way around not having it. */
const privileged: readonly SeccompRule[] = [
  {calls: 'open_by_handle_at', action: allow, with: ['DAC_READ_SEARCH']},
  {
    calls: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
      lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
      setdomainname sethostname setns syslog umount umount2 unshare`,
    action: allow,
    with: ['SYS_ADMIN'],
  },
  // The flags of clone3 are in memory, where no filter can look: libraries fall back to clone on "not implemented".
  {calls: 'clone3', action: notImplemented, without: ['SYS_ADMIN']},
  {
    calls: 'clone',
    action: allow,
    without: ['SYS_ADMIN'],
    when: [{argument: 0, operator: '==', mask: newNamespaces, value: 0}],
  },
  {calls: 'reboot', action: allow, with: ['SYS_BOOT']},
  {calls: 'chroot', action: allow, with: ['SYS_CHROOT']},
  {calls: 'delete_module init_module finit_module', action: allow, with: ['SYS_MODULE']},
  {calls: 'acct', action: allow, with: ['SYS_PACCT']},
  {calls: 'kcmp pidfd_getfd process_madvise', action: allow, with: ['SYS_PTRACE']},
  {calls: 'iopl ioperm', action: allow, with: ['SYS_RAWIO']},
  {calls: 'settimeofday stime clock_settime clock_settime64', action: allow, with: ['SYS_TIME']},
  {calls: 'vhangup', action: allow, with: ['SYS_TTY_CONFIG']},
  {calls: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node', action: allow, with: ['SYS_NICE']},
  {calls: 'syslog', action: allow, with: ['SYSLOG']},
  {calls: 'bpf', action: allow, with: ['BPF']},
  {calls: 'perf_event_open', action: allow, with: ['PERFMON']},
];

/**
 * The filter of every container that asks for no other one: the semantics of Docker's default profile, stricter about
 * address families (see `sockets`).
 */
export const defaultSeccompProfile: SeccompProfile = {
  otherwise: noPermission,
  newer: notImplemented,
  rules: [
    {calls: ordinary, action: allow},
    ...sockets,
    ...personalities,
    {calls: 'arch_prctl modify_ldt', action: allow, machines: ['x64']},
    {
      calls: 'arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls',
      action: allow,
      machines: ['arm64'],
    },
    ...privileged,
  ],
};
