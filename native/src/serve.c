/* The coprocess: requests on descriptor 3 until end of file. Locks it holds are freed by the kernel when it ends. */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "enter.h"
#include "verbs.h"

#define CONTROL 3
#define LEAST_DESCRIPTORS 1024
/* A job's reply is one line; a netlink dump is not made by a job. */
#define JOB_REPLY_MAX (1024 * 1024)

struct job {
  uint64_t request;
  pid_t pid;
  int fd;
  bool reaped;
  int wait_status;
  char step[160];
  job_done done;
  void *context;
  struct buffer reply;
};

static struct {
  struct stream stream;
  struct job **jobs;
  size_t count;
  size_t capacity;
  int signals;
  sigset_t old_mask;
} server;

void serve_reply_begin(struct json *json, uint64_t request) {
  memset(json, 0, sizeof *json);
  json_open(json, '{');
  json_key(json, "request");
  json_unsigned(json, request);
  json_member_bool(json, "ok", true);
}

/* Nobody reads any more: what was open ends with us. */
static void send_line(struct json *json) {
  if (json_send(json, CONTROL) != 0) _exit(0);
}

void serve_reply_end(struct json *json) {
  json_close(json, '}');
  send_line(json);
}

void serve_reply_failure(uint64_t request, const struct failure *failure) {
  struct json json = {0};
  json_open(&json, '{');
  json_key(&json, "request");
  json_unsigned(&json, request);
  json_member_failure(&json, failure);
  json_close(&json, '}');
  send_line(&json);
}

/* `{"request":N,` and the rest of a line that starts with `{`. */
static void relay(uint64_t request, const char *line, size_t size) {
  struct json json = {0};
  buffer_printf(&json.buffer, "{\"request\":%llu,", (unsigned long long)request);
  buffer_append(&json.buffer, line + 1, size - 1);
  send_line(&json);
}

/* Its end of the pipe is closed, so it has ended or is about to; one that does neither must not hold up the others. */
static void await_end(struct job *job) {
  static const struct timespec pause = {.tv_nsec = 5000000};
  for (int attempt = 0; attempt < 40 && !job->reaped; attempt++) {
    if (attempt > 0) nanosleep(&pause, NULL);
    job->reaped = waitpid(job->pid, &job->wait_status, WNOHANG) == job->pid;
  }
}

static void describe_end(struct job *job, char *text, size_t size) {
  await_end(job);
  int status = job->wait_status;
  if (!job->reaped) snprintf(text, size, "gave no answer");
  else if (WIFSIGNALED(status)) snprintf(text, size, "ended by signal %d", WTERMSIG(status));
  else snprintf(text, size, "ended with status %d and no answer", WEXITSTATUS(status));
}

static void forget(size_t index) {
  struct job *job = server.jobs[index];
  close_quietly(job->fd);
  buffer_free(&job->reply);
  free(job);
  server.jobs[index] = server.jobs[--server.count];
}

/* The line has come, or the child's end of the pipe was closed. */
static void finish(size_t index) {
  struct job *job = server.jobs[index];
  char *end = job->reply.size > 0 ? memchr(job->reply.data, '\n', job->reply.size) : NULL;
  bool usable = end != NULL && end - job->reply.data > 1 && job->reply.data[0] == '{';
  if (usable) *end = '\0';
  if (job->done != NULL) {
    job->done(job->context, usable ? job->reply.data : NULL);
  } else if (usable) {
    relay(job->request, job->reply.data, (size_t)(end - job->reply.data));
  } else {
    struct failure failure;
    char reason[64];
    describe_end(job, reason, sizeof reason);
    fail_kind(&failure, KIND_INTERNAL, reason, "%s", job->step);
    serve_reply_failure(job->request, &failure);
  }
  forget(index);
}

static void read_job(size_t index) {
  struct job *job = server.jobs[index];
  buffer_reserve(&job->reply, 4096);
  ssize_t count = read(job->fd, job->reply.data + job->reply.size, 4096);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count > 0) {
    job->reply.size += (size_t)count;
    bool whole = memchr(job->reply.data + job->reply.size - (size_t)count, '\n', (size_t)count) != NULL;
    if (!whole && job->reply.size < JOB_REPLY_MAX) return;
  }
  finish(index);
}

static void start_child(const struct job_options *options, int status, pid_t parent) {
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, &server.old_mask, NULL);
  signal(SIGPIPE, SIG_IGN);
  if (!options->survives && !die_with_parent(parent)) _exit(1);
  options->run(status, options->context);
  _exit(0);
}

pid_t serve_job(const struct job_options *options) {
  struct failure failure;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    fail_errno(&failure, errno, "%s", options->step);
    serve_reply_failure(options->request, &failure);
    return -1;
  }
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    start_child(options, ends[1], parent);
  }
  int error = errno;
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    fail_errno(&failure, error, "%s", options->step);
    serve_reply_failure(options->request, &failure);
    return -1;
  }
  struct job *job = xcalloc(1, sizeof *job);
  job->request = options->request;
  job->pid = pid;
  job->fd = ends[0];
  job->done = options->done;
  job->context = options->context;
  snprintf(job->step, sizeof job->step, "%s", options->step);
  if (server.count == server.capacity) {
    server.capacity = server.capacity * 2 + 8;
    server.jobs = xrealloc(server.jobs, server.capacity * sizeof *server.jobs);
  }
  server.jobs[server.count++] = job;
  return pid;
}

/* Waits for the child's end: a lock that it got at the last moment would be held until then. */
bool serve_job_cancel(uint64_t request) {
  for (size_t i = 0; i < server.count; i++) {
    struct job *job = server.jobs[i];
    if (job->request != request) continue;
    if (!job->reaped) {
      kill(job->pid, SIGKILL);
      while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    forget(i);
    return true;
  }
  return false;
}

/* Children end in any order; monitors end long after their launch was answered. */
static void reap(void) {
  struct signalfd_siginfo information;
  while (read(server.signals, &information, sizeof information) > 0) continue;
  for (;;) {
    int status = 0;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    for (size_t i = 0; i < server.count; i++) {
      if (server.jobs[i]->pid != pid) continue;
      server.jobs[i]->reaped = true;
      server.jobs[i]->wait_status = status;
    }
  }
}

static void hello_request(uint64_t request, const struct record *record) {
  struct json json;
  (void)record;
  serve_reply_begin(&json, request);
  json_member_number(&json, "version", 1);
  json_member_string(&json, "build", build_id);
  json_member_number(&json, "pid", getpid());
  serve_reply_end(&json);
}

static const struct {
  uint16_t code;
  void (*handle)(uint64_t request, const struct record *record);
} requests[] = {
    {OP_HELLO, hello_request},
    {OP_LOCK, lock_request},
    {OP_TRY_LOCK, try_lock_request},
    {OP_UNLOCK, unlock_request},
    {OP_CANCEL, cancel_request},
    {OP_NETLINK, netlink_request},
    {OP_LAUNCH, launch_request},
    {OP_REMOVE_TREE, remove_tree_request},
    {OP_MEASURE_TREE, measure_tree_request},
    {OP_COPY_UP, copy_up_request},
    {OP_TOP_DIRECTORY, top_directory_request},
    {OP_VOLUME_MOUNT, volume_mount_request},
    {OP_VOLUME_UNMOUNT, volume_unmount_request},
    {OP_SYNC, sync_request},
    {OP_SYNC_UNDO, sync_undo_request},
};

static int handle(const struct record *record, bool first, struct failure *failure) {
  if (record->code == OP_ENTER) {
    if (!first) return fail_kind(failure, KIND_INVALID, "only as the first record", "enter");
    return enter_namespaces(record, failure);
  }
  for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
    uint64_t request = 0;
    if (requests[i].code != record->code) continue;
    if (record_unsigned(record, 0, INT64_MAX, &request, failure) != 0) return -1;
    requests[i].handle(request, record);
    return 0;
  }
  return fail_kind(failure, KIND_INVALID, "not a request to the coprocess", "%s", record->name);
}

/*
 * The stream is refused. What the client is writing at this moment is still read, up to its end: a write that fails would
 * keep it from reading why.
 */
static void refuse(const struct failure *failure) {
  char rest[4096];
  send_failure(CONTROL, failure);
  shutdown(CONTROL, SHUT_WR);
  for (;;) {
    struct pollfd more = {.fd = CONTROL, .events = POLLIN};
    ssize_t count = poll(&more, 1, -1) < 0 ? -1 : read(CONTROL, rest, sizeof rest);
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) return;
  }
}

/* Everything that can be read without waiting is handled; false at the end of the stream. */
static bool handle_all(struct failure *failure) {
  static bool first = true;
  struct record record;
  for (;;) {
    switch (stream_next(&server.stream, &record, failure)) {
      case STREAM_MORE:
        return true;
      case STREAM_END:
        return false;
      case STREAM_BAD:
        refuse(failure);
        return false;
      case STREAM_RECORD:
        if (handle(&record, first, failure) != 0) {
          refuse(failure);
          return false;
        }
        first = false;
    }
  }
}

static bool read_control(void) {
  struct failure failure;
  ssize_t count = stream_read(&server.stream, CONTROL);
  if (count < 0 && errno != EAGAIN) return false;
  /* A client that went away without a word is an ordinary end. */
  if (count == 0 && !server.stream.header_seen && server.stream.buffer.size == 0) return false;
  return handle_all(&failure);
}

static int loop(void) {
  struct pollfd *set = NULL;
  for (;;) {
    size_t count = server.count;
    set = xrealloc(set, (count + 2) * sizeof *set);
    set[0] = (struct pollfd){.fd = CONTROL, .events = POLLIN};
    set[1] = (struct pollfd){.fd = server.signals, .events = POLLIN};
    for (size_t i = 0; i < count; i++) set[i + 2] = (struct pollfd){.fd = server.jobs[i]->fd, .events = POLLIN};
    if (poll(set, count + 2, -1) < 0) {
      if (errno == EINTR) continue;
      return 70;
    }
    /* From the end, since a finished job is replaced by the last one; new ones come only afterwards. */
    for (size_t i = count; i > 0; i--)
      if (set[i + 1].revents != 0) read_job(i - 1);
    if (set[1].revents != 0) reap();
    if (set[0].revents != 0 && !read_control()) return 0;
  }
}

static void prepare_signals(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_BLOCK, &mask, &server.old_mask);
  server.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (server.signals < 0) _exit(70);
  /* Ctrl-C in the terminal is for the client; it ends us by closing the socket. */
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
}

/*
 * A monitor keeps its namespace under the number 100 (network.c), whatever the limit of the shell that the command was
 * typed in; and containers should not have less than programs expect.
 */
static void raise_low_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= LEAST_DESCRIPTORS) return;
  rlim_t most = limit.rlim_max;
  limit.rlim_cur = LEAST_DESCRIPTORS;
  if (most < LEAST_DESCRIPTORS) limit.rlim_max = LEAST_DESCRIPTORS;
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  limit.rlim_cur = limit.rlim_max = most;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve_main(void) {
  if (fcntl(CONTROL, F_GETFD) < 0) {
    fputs("tscompose-helper serve: descriptor 3 is not open\n", stderr);
    return 64;
  }
  set_cloexec(CONTROL, true);
  raise_low_descriptor_limit();
  stream_init(&server.stream, 0);
  prepare_signals();
  int status = loop();
  /* Jobs that still run are ended by the kernel with us; half-done work is repeatable. */
  fflush(NULL);
  return status;
}
