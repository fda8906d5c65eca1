/* The keeper's child: it is inside the namespaces, and they last as long as it does (or what runs in them). */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enter.h"
#include "keeper.h"

enum { NEEDS_MAPS = 'm', READY = 'r', FAILED = 'f', GO = 'g', UNUSED = 'u' };

struct message {
  char kind;
  struct failure failure;
};

static void tell(int channel, char kind, const struct failure *failure) {
  struct message message = {.kind = kind};
  if (failure != NULL) message.failure = *failure;
  if (send(channel, &message, sizeof message, MSG_NOSIGNAL) < 0) _exit(1);
}

static bool hear(int channel, struct message *message) {
  ssize_t count;
  do count = recv(channel, message, sizeof *message, 0);
  while (count < 0 && errno == EINTR);
  return count == sizeof *message;
}

/* Whether the namespace of a process is the one that is looked for: its descriptor, or -1. */
static int open_same(const char *pid, const char *kind, const char *wanted) {
  char *path = xasprintf("/proc/%s/ns/%s", pid, kind), name[64] = "";
  int fd = -1;
  if (readlink(path, name, sizeof name - 1) > 0 && strcmp(name, wanted) == 0) fd = open(path, O_RDONLY | O_CLOEXEC);
  free(path);
  return fd;
}

static bool enter_those_of(const struct record *record, const char *pid) {
  struct failure ignored;
  int user = open_same(pid, "user", record->argv[KEEPER_USER]);
  int mount = open_same(pid, "mnt", record->argv[KEEPER_MOUNT]);
  int net = open_same(pid, "net", record->argv[KEEPER_NET]);
  bool entered = user >= 0 && mount >= 0 && net >= 0 && setns(user, CLONE_NEWUSER) == 0 &&
                 enter_as_root(&ignored) == 0 && setns(net, CLONE_NEWNET) == 0 && setns(mount, CLONE_NEWNS) == 0;
  close_quietly(user);
  close_quietly(mount);
  close_quietly(net);
  return entered;
}

/* Namespaces that a keeper which was killed left, and which monitors or helpers still use. */
static bool adopt(const struct record *record) {
  char *pids = xstrdup(record->argv[KEEPER_ADOPT]);
  bool adopted = false;
  for (char *pid = strtok(pids, " "); pid != NULL && !adopted; pid = strtok(NULL, " "))
    adopted = enter_those_of(record, pid);
  free(pids);
  return adopted;
}

static int switch_on_loopback(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int result = fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
  close_quietly(fd);
  return result;
}

/* Between the networks of this namespace, and out of it. A kernel without IPv6 has no such setting. */
static void forward_packets(void) {
  write_file_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_forward", "1");
  write_file_at(AT_FDCWD, "/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

static int make(int channel, struct failure *failure) {
  struct message answer;
  if (unshare(CLONE_NEWUSER) != 0) return fail_errno(failure, errno, "make a user namespace");
  tell(channel, NEEDS_MAPS, NULL);
  if (!hear(channel, &answer) || answer.kind != GO) _exit(1);
  if (enter_as_root(failure) != 0) return -1;
  if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) return fail_errno(failure, errno, "make a mount and a network namespace");
  /* Slave: what is mounted and unmounted on the machine goes on to be seen. */
  if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) != 0) return fail_errno(failure, errno, "mount propagation of /");
  if (switch_on_loopback() != 0) return fail_errno(failure, errno, "switch on the loopback interface");
  forward_packets();
  return 0;
}

static void wait_until_unused(int use) {
  while (flock(use, LOCK_EX) != 0)
    if (errno != EINTR) _exit(1);
}

/* Does not return. Whoever holds the lock `use` shared needs the namespaces. */
static void run(const struct record *record, int use, int channel, pid_t parent) {
  struct failure failure;
  struct message answer;
  if (!die_with_parent(parent)) _exit(1);
  if (!adopt(record) && make(channel, &failure) != 0) {
    tell(channel, FAILED, &failure);
    _exit(1);
  }
  /* Both are lost by a change of credentials: the signal, and that its user may see its namespaces. */
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (!die_with_parent(parent)) _exit(1);
  tell(channel, READY, NULL);
  if (!hear(channel, &answer) || answer.kind != GO) _exit(1);
  wait_until_unused(use);
  tell(channel, UNUSED, NULL);
  /*
   * With the lock in hand until the parent has ended, which ends this process: nobody enters what is about to go. A parent that
   * somebody has stopped would keep everybody waiting for ever.
   */
  for (;;) {
    kill(parent, SIGCONT);
    sleep(1);
  }
}

static int await_ready(const struct record *record, const struct inside *inside, struct failure *failure) {
  struct message message;
  for (;;) {
    if (!hear(inside->channel, &message))
      return fail_kind(failure, KIND_INTERNAL, "its process ended without a word", "make the namespaces");
    if (message.kind == READY) return 0;
    if (message.kind == FAILED) {
      *failure = message.failure;
      return -1;
    }
    if (keeper_write_maps(record, inside->pid, failure) != 0) return -1;
    tell(inside->channel, GO, NULL);
  }
}

int keeper_begin_inside(const struct record *record, int use, struct inside *inside, struct failure *failure) {
  int channel[2];
  pid_t parent = getpid();
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) return fail_errno(failure, errno, "keeper");
  inside->pid = fork();
  if (inside->pid < 0) return fail_errno(failure, errno, "keeper");
  if (inside->pid == 0) {
    close(channel[0]);
    run(record, use, channel[1], parent);
  }
  close(channel[1]);
  inside->channel = channel[0];
  return await_ready(record, inside, failure);
}

void keeper_watch_use(const struct inside *inside) {
  tell(inside->channel, GO, NULL);
}
