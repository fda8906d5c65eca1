#include "process-child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "syscalls.h"

/* Descriptors of the new process from here on. */
enum { SYNC = 3, PARENT = 4, FIRST_OTHER = 5 };

static void send_message(int socket, const struct process_message *message, int fd) {
  struct iovec part = {.iov_base = (void *)message, .iov_len = sizeof *message};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    packet.msg_control = &control;
    packet.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  }
  if (sendmsg(socket, &packet, MSG_NOSIGNAL) < 0) _exit(125);
}

/*
 * SIGKILL when the parent dies. In a new pid namespace getppid() is 0, so whether it died before is seen on its pid
 * descriptor.
 */
static void die_with(int parent) {
  struct pollfd state = {.fd = parent, .events = POLLIN};
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (poll(&state, 1, 0) > 0) _exit(125);
}

/* Only the streams, the sync socket and the parent's descriptor stay: nothing else can lead out of the container. */
static int close_others(int *sync, int *parent, struct failure *failure) {
  int high_sync = duplicate_above(*sync, 64), high_parent = duplicate_above(*parent, 64);
  if (high_sync < 0 || high_parent < 0 || dup3(high_sync, SYNC, O_CLOEXEC) < 0 ||
      dup3(high_parent, PARENT, O_CLOEXEC) < 0)
    return fail_errno(failure, errno, "descriptors");
  *sync = SYNC;
  *parent = PARENT;
  close_from(FIRST_OTHER);
  return 0;
}

static int join_cgroups(const struct process_request *request, bool in_v2, struct failure *failure) {
  for (size_t i = 0; i < request->cgroup_count; i++) {
    const struct cgroup_path *cgroup = &request->cgroups[i];
    if (cgroup->version == 2 && in_v2) continue;
    /* "0" is the writer itself: unlike a foreign pid it needs no lock over all of the machine's forks. */
    char *path = xasprintf("%s/%s", cgroup->path, cgroup->version == 2 ? "cgroup.procs" : "tasks");
    int result = write_file_at(AT_FDCWD, path, "0");
    free(path);
    if (result != 0) return fail_errno(failure, errno, "cgroup %s", cgroup->path);
  }
  return 0;
}

/* The process that was lent may have ended since. */
static int enter_lent(int pidfd, int namespace, const char *step, struct failure *failure) {
  if (setns(pidfd, namespace) == 0) return 0;
  if (errno == ESRCH)
    return fail_kind(failure, KIND_CONFLICT, "the container whose namespace is shared is not running", "%s", step);
  return fail_errno(failure, errno, "%s", step);
}

static int enter_namespaces(const struct process_request *request, struct failure *failure) {
  if (request->join >= 0) {
    int all = (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP) & ~(int)request->machines;
    return setns(request->join, all) == 0 ? 0 : fail_errno(failure, errno, "enter the container's namespaces");
  }
  if (request->network >= 0 && enter_lent(request->network, CLONE_NEWNET, "enter the network namespace", failure) != 0)
    return -1;
  if (request->ipc_of >= 0 && enter_lent(request->ipc_of, CLONE_NEWIPC, "enter the IPC namespace", failure) != 0)
    return -1;
  /* Only now: the namespace's root is the cgroup that its maker is in. */
  if (request->namespaces & CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP) != 0)
    return fail_errno(failure, errno, "cgroup namespace");
  return 0;
}

static int read_request(const struct process_request *request, struct setup *setup) {
  bool joining = request->join >= 0;
  if (setup_read(setup, request->operations, request->operations_size, joining) != 0) return -1;
  if (request->overrides != NULL && setup_read(setup, request->overrides, request->overrides_size, true) != 0) return -1;
  if (request->words != NULL) setup->words = request->words;
  if (setup->words == NULL || setup->words[0] == NULL)
    return fail_kind(setup->failure, KIND_INVALID, "no program", "launch");
  return 0;
}

/* The container's /dev/console is its terminal. */
static int bind_console(struct setup *setup) {
  struct mount_flags flags = {0};
  int target = target_open(setup->root, "/dev/console", TARGET_FILE);
  int tree = target < 0 ? -1 : tree_clone(setup->terminal, "", false);
  int result = tree < 0 ? -1 : tree_attach(setup, tree, target, "/dev/console", &flags);
  if (result != 0) fail_errno(setup->failure, errno, "terminal: /dev/console");
  close_quietly(tree);
  close_quietly(target);
  return result;
}

static int open_terminal(const struct process_request *request, struct setup *setup, int sync) {
  struct process_message message = {.kind = 'T'};
  int master;
  setup->terminal = terminal_open(setup->root, request->rows, request->columns, &master, setup->failure);
  if (setup->terminal < 0) return -1;
  send_message(sync, &message, master);
  close(master);
  return request->join >= 0 ? 0 : bind_console(setup);
}

static int make_root(const struct process_request *request, struct setup *setup, int sync) {
  umask(0);
  setup->ipc_of = request->ipc_of;
  if (setup_root(setup) != 0) return -1;
  if (request->terminal && open_terminal(request, setup, sync) != 0) return -1;
  if (user_lookup(setup->root, setup->user, setup->groups, &setup->who, setup->failure) != 0) return -1;
  if (setup_make_workdir(setup) != 0) return -1;
  if (setup->readonly_root && setup_readonly_root(setup) != 0) return -1;
  return setup_names(setup) != 0 || setup_sysctls(setup) != 0 || setup_pivot(setup) != 0 ? -1 : 0;
}

static int join_root(const struct process_request *request, struct setup *setup, int sync) {
  setup->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (setup->root < 0) return fail_errno(setup->failure, errno, "open /");
  if (request->terminal && open_terminal(request, setup, sync) != 0) return -1;
  return user_lookup(setup->root, setup->user, setup->groups, &setup->who, setup->failure);
}

/* Opened before the container's tree is entered: its /dev/null may be anything. */
static int set_streams(const struct process_request *request, struct setup *setup, int null_device) {
  if (request->terminal) return terminal_take(setup->terminal, setup->failure);
  for (int fd = 0; fd < 3; fd++)
    if (dup2(request->standard[fd] >= 0 ? request->standard[fd] : null_device, fd) < 0)
      return fail_errno(setup->failure, errno, "standard streams");
  return 0;
}

/* The container's own null device shows a name that can be opened again; where it is none, the machine's stays. */
static void adopt_null(const struct setup *setup) {
  struct stat status;
  int own = open_beneath(setup->root, "dev/null", O_RDWR | O_NOFOLLOW, 0);
  if (own >= 0 && fstat(own, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3))
    for (int fd = 0; fd < 3; fd++)
      if (fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)) dup2(own, fd);
  close_quietly(own);
}

/* So that the user can open /dev/stdout and the like; a device node of the machine stays the machine's. */
static void own_streams(const struct setup *setup, bool terminal) {
  struct stat status;
  for (int fd = 0; fd < 3; fd++)
    if (fstat(fd, &status) == 0 && (terminal || !S_ISCHR(status.st_mode)) && status.st_uid != setup->who.uid)
      if (fchown(fd, setup->who.uid, (gid_t)-1) != 0) continue;
}

static void join_keyring(const char *name) {
  /* Failing is no danger: the default filter denies keyctl, and a quota may be used up. */
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
}

static void reset_signals(void) {
  sigset_t none;
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Process 1 stays behind as init; its child goes on. It has the container's filter too: whoever may trace it in there
 * could have it make any call.
 */
static int split_init(const struct process_request *request, struct setup *setup) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  /* Memory, not a pipe: the limit of descriptors may leave no room for one. */
  volatile int *alone = mmap(NULL, sizeof *alone, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (alone == MAP_FAILED) return fail_errno(setup->failure, errno, "memory");
  pid_t child = fork();
  if (child < 0) return fail_errno(setup->failure, errno, "fork");
  if (child > 0) {
    if (setup->no_new_privileges && setup_seccomp(setup) != 0) _exit(125);
    init_run(child, alone);
  }
  /* A program that looks at process 1 finds none of our descriptors there. */
  while (!*alone) sched_yield();
  /* Its own group, so that a terminal's signals reach it and not init. */
  setpgid(0, 0);
  if (request->terminal) tcsetpgrp(STDIN_FILENO, getpid());
  return 0;
}

/* From here on the new process is on its own: no descriptor of the monitor's, its own user, its own filter. */
static int become(const struct process_request *request, struct setup *setup, int parent) {
  int later = setup_enter_workdir(setup, false);
  if (later < 0) return -1;
  if (setup->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno(setup->failure, errno, "no new privileges");
  /* Without no_new_privs a filter needs CAP_SYS_ADMIN, so it comes before the capabilities go. */
  if (!setup->no_new_privileges && setup_seccomp(setup) != 0) return -1;
  if (setup_credentials(setup) != 0) return -1;
  if (later > 0 && setup_enter_workdir(setup, true) != 0) return -1;
  char **environment = setup_environment(setup);
  setup->executing = request->executing;
  die_with(parent); /* the change of user took the signal away */
  if (request->init && split_init(request, setup) != 0) return -1;
  umask(022);
  reset_signals();
  if (setup->no_new_privileges && setup_seccomp(setup) != 0) return -1;
  return setup_execute(setup, environment);
}

static int run(const struct process_request *request, bool in_v2, int *sync, int parent, struct failure *failure) {
  struct setup setup;
  setup_init(&setup, failure);
  die_with(parent);
  if (read_request(request, &setup) != 0 || join_cgroups(request, in_v2, failure) != 0) return -1;
  if (write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", setup.oom_score_adj != NULL ? setup.oom_score_adj : "0") != 0)
    return fail_errno(failure, errno, "oom_score_adj");
  if (setup_apparmor(&setup) != 0) return -1;
  int null_device = null_device_open(failure);
  if (null_device < 0) return -1;
  if (enter_namespaces(request, failure) != 0) return -1;
  setsid();
  join_keyring(request->keyring);
  if ((request->join >= 0 ? join_root : make_root)(request, &setup, *sync) != 0) return -1;
  if (set_streams(request, &setup, null_device) != 0) return -1;
  adopt_null(&setup);
  own_streams(&setup, request->terminal);
  /* Limits come last: few descriptors are enough for a container, but not for what was done up to here. */
  if (close_others(sync, &parent, failure) != 0 || setup_limits(&setup) != 0) return -1;
  return become(request, &setup, parent);
}

void process_child_run(const struct process_request *request, bool in_v2, int sync, int parent) {
  struct process_message message = {.kind = 'F'};
  run(request, in_v2, &sync, parent, &message.failure);
  if (message.failure.exit_code == 0) message.failure.exit_code = 125;
  send_message(sync, &message, -1);
  _exit(message.failure.exit_code);
}
