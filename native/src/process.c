#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process-child.h"
#include "syscalls.h"

/* Where a clone may be put at once. */
static const char *unified_cgroup(const struct process_request *request) {
  for (size_t i = 0; i < request->cgroup_count; i++)
    if (request->cgroups[i].version == 2) return request->cgroups[i].killed ? NULL : request->cgroups[i].path;
  return NULL;
}

/* Clones straight into the cgroup where the kernel can; otherwise the child joins by itself. */
static pid_t clone_into(const struct process_request *request, uint64_t more, int *pidfd, bool *in_v2) {
  const char *path = unified_cgroup(request);
  uint64_t flags = (request->namespaces & ~(uint64_t)CLONE_NEWCGROUP) | more;
  int cgroup = path == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  *in_v2 = cgroup >= 0;
  pid_t pid = clone_process(flags, pidfd, cgroup);
  if (pid < 0 && cgroup >= 0 && errno != EAGAIN && errno != ENOMEM) {
    *in_v2 = false;
    pid = clone_process(flags, pidfd, -1);
  }
  close_quietly(cgroup);
  return pid;
}

struct passed {
  pid_t pid;
  int error;
};

static void clone_there(const struct process_request *request, int sync, int parent, int joined, int answer) {
  struct passed passed = {.pid = -1};
  bool in_v2;
  if (setns(joined, CLONE_NEWPID) == 0) passed.pid = clone_into(request, CLONE_PARENT, NULL, &in_v2);
  if (passed.pid == 0) {
    close(answer);
    process_child_run(request, in_v2, sync, parent);
  }
  passed.error = errno;
  _exit(write_all(answer, &passed, sizeof passed) == 0 ? 0 : 1);
}

/*
 * Whoever enters a pid namespace for its children cannot leave it again without rights over its own. So another process
 * enters, and what it clones there becomes a child of this one.
 */
static int clone_through_other(const struct process_request *request, struct process *process, const int sync[2], int parent,
                               int joined) {
  struct passed passed = {.pid = -1, .error = ECHILD};
  int answer[2];
  if (pipe2(answer, O_CLOEXEC) != 0) return -1;
  pid_t other = fork();
  if (other == 0) clone_there(request, sync[1], parent, joined, answer[1]);
  if (other < 0) passed.error = errno;
  close(answer[1]);
  if (other > 0 && read(answer[0], &passed, sizeof passed) != sizeof passed) passed.pid = -1;
  close(answer[0]);
  while (other > 0 && waitpid(other, NULL, 0) < 0 && errno == EINTR) continue;
  process->pid = passed.pid;
  if (passed.pid > 0) process->pidfd = pidfd_open_process(passed.pid);
  errno = passed.error;
  return passed.pid < 0 ? -1 : 0;
}

static int clone_for(const struct process_request *request, struct process *process, int sync[2], int parent) {
  int own = -1, joined = request->join >= 0 ? request->join : request->pid_of;
  bool in_v2;
  if (request->machines & CLONE_NEWPID) joined = -1;
  if (joined >= 0 && request->no_way_back) return clone_through_other(request, process, sync, parent, joined);
  if (joined >= 0) {
    own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(joined, CLONE_NEWPID) != 0) {
      close_quietly(own);
      return -1;
    }
  }
  process->pid = clone_into(request, 0, &process->pidfd, &in_v2);
  if (process->pid == 0) process_child_run(request, in_v2, sync[1], parent);
  int error = errno;
  /* This process's later children are its own again. */
  if (own >= 0 && setns(own, CLONE_NEWPID) != 0) abort();
  close_quietly(own);
  errno = error;
  return process->pid < 0 ? -1 : 0;
}

static int share_mark(struct process_request *request, struct process *process, struct failure *failure) {
  void *page = mmap(NULL, sizeof *process->executing, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return fail_errno(failure, errno, "memory");
  request->executing = process->executing = page;
  return 0;
}

static void forget_mark(struct process *process) {
  if (process->executing != NULL) munmap((void *)process->executing, sizeof *process->executing);
  process->executing = NULL;
}

int process_begin(const struct process_request *given, struct process *process, struct failure *failure) {
  int sync[2];
  struct process_request copy = *given, *request = &copy;
  *process = (struct process){.pidfd = -1, .sync = -1, .terminal = -1};
  int parent = pidfd_open_process(getpid());
  if (parent < 0) return fail_errno(failure, errno, "pid descriptor");
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) != 0) {
    close_quietly(parent);
    return fail_errno(failure, errno, "socket pair");
  }
  bool shared = share_mark(request, process, failure) == 0;
  int result = shared ? clone_for(request, process, sync, parent) : -1;
  if (!shared) {
    close_quietly(sync[0]);
  } else if (result != 0) {
    /* A namespace whose first process has ended takes no other one (pid_namespaces(7)). */
    if (request->pid_of >= 0 && (errno == ENOMEM || errno == ESRCH))
      fail_kind(failure, KIND_CONFLICT, "the container whose processes are shared is not running", "join");
    else
      fail_errno(failure, errno, request->join >= 0 ? "enter the container" : "make the namespaces");
    forget_mark(process);
    process->pid = 0;
    close_quietly(sync[0]);
  } else {
    process->sync = sync[0];
  }
  close_quietly(sync[1]);
  close_quietly(parent);
  return result;
}

enum process_progress process_continue(struct process *process, struct failure *failure) {
  struct process_message message;
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
  struct msghdr packet = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t size = recvmsg(process->sync, &packet, MSG_CMSG_CLOEXEC);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return PROCESS_PENDING;
  struct cmsghdr *attached = size > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
  if (attached != NULL && attached->cmsg_type == SCM_RIGHTS && process->terminal < 0) {
    memcpy(&process->terminal, CMSG_DATA(attached), sizeof(int));
    return PROCESS_PENDING;
  }
  close_quietly(process->sync);
  process->sync = -1;
  bool executed = size == 0 && *process->executing;
  forget_mark(process);
  if (executed) return PROCESS_EXECUTED;
  if (size == sizeof message && message.kind == 'F') *failure = message.failure;
  else fail_kind(failure, KIND_INTERNAL, "it was killed before its program ran", "launch");
  if (failure->exit_code == 0) failure->exit_code = 125;
  return PROCESS_FAILED;
}

void process_close(struct process *process) {
  close_quietly(process->pidfd);
  close_quietly(process->sync);
  close_quietly(process->terminal);
  forget_mark(process);
  *process = (struct process){.pidfd = -1, .sync = -1, .terminal = -1};
}
