/*
 * Runs a program and lets one of its operations fail, by number: a system call that changes something (a file, a socket,
 * a mount, a process) is an operation, and before it happens the process that makes it is killed, or gets an errno. The
 * program itself has no part in it, nor can it tell.
 *
 *   faults RULE LOG PROGRAM ARGUMENT…
 *
 * RULE is a file that is read at each operation, so that it may change while the program runs: `ROLES ACTION FIRST LAST
 * CALLS`. Operations of the ROLES (cli, helper, monitor, setup, writer; `*`: of all) that are among the CALLS (names; all
 * ways of writing are `write` to a file and `send` to a socket; `*`: all) are numbered from 1, anew whenever the file changes. ACTION is what becomes of those from FIRST to LAST: `count`
 * (nothing), `kill`, `hold` (it does not come back until the process is killed), or the number of an errno. LOG gets a line for each that was counted.
 *
 * Answers with the program's exit code, or ends by its signal. What it started and left running is watched for as long as it
 * lives by a process of its own: without one, every call that is watched would fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* What is looked at before a call counts: where a descriptor or flags say whether it changes anything. */
enum look { ALWAYS, DESCRIPTOR, FLAGS_SECOND, FLAGS_THIRD, CLONE_FLAGS, CLONE_STRUCT };

static const struct call {
  int number;
  const char *name;
  enum look look;
} calls[] = {
#define CALL(name, look) {SYS_##name, #name, look}
    CALL(write, DESCRIPTOR), CALL(pwrite64, DESCRIPTOR), CALL(writev, DESCRIPTOR), CALL(pwritev, DESCRIPTOR),
    CALL(sendto, DESCRIPTOR), CALL(sendmsg, DESCRIPTOR), CALL(openat, FLAGS_THIRD), CALL(clone, CLONE_FLAGS),
    CALL(clone3, CLONE_STRUCT), CALL(execve, ALWAYS), CALL(execveat, ALWAYS), CALL(mkdirat, ALWAYS),
    CALL(unlinkat, ALWAYS), CALL(linkat, ALWAYS), CALL(symlinkat, ALWAYS), CALL(renameat2, ALWAYS),
    CALL(mknodat, ALWAYS), CALL(ftruncate, ALWAYS), CALL(fsync, ALWAYS), CALL(fdatasync, ALWAYS),
    CALL(flock, ALWAYS), CALL(mount, ALWAYS), CALL(umount2, ALWAYS), CALL(pivot_root, ALWAYS),
    CALL(move_mount, ALWAYS), CALL(open_tree, ALWAYS), CALL(fsmount, ALWAYS), CALL(setns, ALWAYS),
    CALL(unshare, ALWAYS), CALL(fchown, ALWAYS), CALL(fchownat, ALWAYS), CALL(fchmod, ALWAYS), CALL(fchmodat, ALWAYS),
    CALL(setxattr, ALWAYS), CALL(bind, ALWAYS), CALL(connect, ALWAYS), CALL(kill, ALWAYS),
    CALL(pidfd_send_signal, ALWAYS),
#ifdef SYS_open /* the older forms, which newer architectures do without */
    CALL(open, FLAGS_SECOND), CALL(creat, ALWAYS), CALL(mkdir, ALWAYS), CALL(rmdir, ALWAYS), CALL(unlink, ALWAYS),
    CALL(rename, ALWAYS), CALL(renameat, ALWAYS), CALL(link, ALWAYS), CALL(symlink, ALWAYS), CALL(mknod, ALWAYS),
    CALL(chown, ALWAYS), CALL(chmod, ALWAYS), CALL(fork, ALWAYS), CALL(vfork, ALWAYS),
#endif
};
#define CALLS (sizeof calls / sizeof calls[0])

static void give_up(const char *step) {
  fprintf(stderr, "faults: %s: %s\n", step, strerror(errno));
  _exit(125);
}

static int install(void) {
  struct sock_filter filter[CALLS * 2 + 2];
  size_t size = 0;
  filter[size++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < CALLS; i++) {
    filter[size++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
    filter[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  }
  filter[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {(unsigned short)size, filter};
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                      SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
}

static size_t read_file(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t count = fd < 0 ? -1 : read(fd, text, size - 1);
  if (fd >= 0) close(fd);
  text[count > 0 ? count : 0] = '\0';
  return count > 0 ? (size_t)count : 0;
}

/* The first argument of a process, "" where it has none. */
static void verb_of(int pid, char *verb, size_t size) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  size_t count = read_file(path, text, sizeof text);
  size_t end = strlen(text) + 1;
  snprintf(verb, size, "%s", end < count ? text + end : "");
  const char *slash = strrchr(text, '/');
  if (strcmp(slash != NULL ? slash + 1 : text, "node") == 0) snprintf(verb, size, "node");
}

static long status_number(int pid, const char *key) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  read_file(path, text, sizeof text);
  const char *line = strstr(text, key);
  return line == NULL ? 0 : strtol(line + strlen(key), NULL, 10);
}

/* By what it was called with; what a monitor forks is called as the monitor is. */
static const char *role_of(int pid) {
  char verb[64], path[64], name[32];
  verb_of(pid, verb, sizeof verb);
  if (strcmp(verb, "node") == 0) return "cli";
  if (strcmp(verb, "serve") == 0 || strcmp(verb, "unpack") == 0 || strcmp(verb, "files") == 0) return "helper";
  if (strcmp(verb, "monitor") != 0) return NULL;
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  read_file(path, name, sizeof name);
  if (strncmp(name, "tscompose-write", 15) == 0) return "writer";
  verb_of((int)status_number(pid, "\nPPid:"), verb, sizeof verb);
  return strcmp(verb, "monitor") == 0 ? "setup" : "monitor";
}

/* Whether a word is in a list with commas. */
static bool among(const char *list, const char *word) {
  size_t size = strlen(word);
  if (strcmp(list, "*") == 0) return true;
  for (const char *at = list; (at = strstr(at, word)) != NULL; at += size)
    if ((at == list || at[-1] == ',') && (at[size] == ',' || at[size] == '\0')) return true;
  return false;
}

/* What a write goes to: events and pipes between the threads and processes of one command change nothing that lasts. */
static const char *writing(int pid, int fd) {
  char path[64];
  struct stat status;
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  if (stat(path, &status) != 0) return NULL;
  return S_ISREG(status.st_mode) ? "write" : S_ISSOCK(status.st_mode) ? "send" : NULL;
}

static bool counts(const struct call *call, const struct seccomp_notif *notice) {
  const __u64 *arguments = notice->data.args;
  __u64 flags = 0;
  switch (call->look) {
    case FLAGS_SECOND:
      return (arguments[1] & (O_CREAT | O_TRUNC)) != 0;
    case FLAGS_THIRD:
      return (arguments[2] & (O_CREAT | O_TRUNC)) != 0;
    case CLONE_FLAGS:
      return (arguments[0] & CLONE_THREAD) == 0;
    case CLONE_STRUCT: {
      struct iovec here = {&flags, sizeof flags}, there = {(void *)(uintptr_t)arguments[0], sizeof flags};
      process_vm_readv((pid_t)notice->pid, &here, 1, &there, 1, 0);
      return (flags & CLONE_THREAD) == 0;
    }
    default:
      return true;
  }
}

struct rule {
  char text[256];
  char roles[64], action[16], calls[128];
  unsigned long first, last, count;
};

static void refresh(struct rule *rule, const char *path) {
  char text[sizeof rule->text];
  /* An empty one is just being written. */
  if (read_file(path, text, sizeof text) == 0 || strcmp(text, rule->text) == 0) return;
  memset(rule, 0, sizeof *rule);
  snprintf(rule->text, sizeof rule->text, "%s", text);
  if (sscanf(text, "%63s %15s %lu %lu %127s", rule->roles, rule->action, &rule->first, &rule->last, rule->calls) != 5)
    rule->roles[0] = '\0';
}

/* 0: it goes on; -1: it gets no answer, as it was killed or is to hang; else the errno it gets. */
static int decide(struct rule *rule, const struct seccomp_notif *notice, int log) {
  const struct call *call = calls;
  while (call->number != notice->data.nr) call++;
  const char *name = call->look == DESCRIPTOR ? writing((int)notice->pid, (int)notice->data.args[0]) : call->name;
  if (name == NULL || !among(rule->calls, name) || !counts(call, notice)) return 0;
  const char *role = role_of((int)notice->pid);
  if (role == NULL || !among(rule->roles, role)) return 0;
  rule->count++;
  bool chosen = rule->count >= rule->first && rule->count <= rule->last && strcmp(rule->action, "count") != 0;
  long group = status_number((int)notice->pid, "\nTgid:");
  dprintf(log, "%lu %s %ld %s%s\n", rule->count, role, group, name, chosen ? " !" : "");
  if (!chosen) return 0;
  if (strcmp(rule->action, "hold") == 0) return -1;
  if (strcmp(rule->action, "kill") != 0) return atoi(rule->action);
  kill((pid_t)group, SIGKILL);
  return -1;
}

static void supervise(int listener, const char *path, int log) {
  static struct rule rule;
  for (;;) {
    struct seccomp_notif notice = {0};
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    if (poll(&ready, 1, -1) < 0 && errno == EINTR) continue;
    if (ready.revents & POLLHUP) return;
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) != 0) continue;
    refresh(&rule, path);
    int error = decide(&rule, &notice, log);
    if (error < 0) continue;
    struct seccomp_notif_resp answer = {
        .id = notice.id, .error = -error, .flags = error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

/* Every call that would hand the descriptor over is watched already: so it is taken instead. */
static int take_listener(pid_t child, volatile int *number) {
  while (*number == -1) sched_yield();
  if (*number < 0) return -1;
  int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  int listener = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, *number, 0);
  if (pidfd >= 0) close(pidfd);
  return listener;
}

int main(int count, char **words) {
  if (count < 4) {
    fputs("usage: faults RULE LOG PROGRAM ARGUMENT...\n", stderr);
    return 125;
  }
  volatile int *number = mmap(NULL, sizeof *number, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (number == MAP_FAILED) give_up("memory");
  *number = -1;
  pid_t child = fork();
  if (child < 0) give_up("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int listener = install();
    *number = listener < 0 ? -2 : listener;
    if (listener >= 0) execvp(words[3], words + 3);
    _exit(127);
  }
  int listener = take_listener(child, number);
  if (listener < 0) give_up("watch system calls");
  if (fork() == 0) {
    int log = open(words[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
    setsid();
    supervise(listener, words[1], log);
    _exit(0);
  }
  close(listener);
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
  return 128 + WTERMSIG(status);
}
