/*
 * Exec sessions. Each is a child of the monitor that owns the client's connection: it makes the process in the
 * container, carries its streams, and ends with its exit code. A lost client never ends the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "syscalls.h"

/* Output that the client has not taken: more is not read, which holds the process back. */
#define BACKLOG_MAX 65536
/* How long a client that has everything may take to close. */
#define CLOSE_WAIT_MS 5000

/* What a session tells its monitor, in shared memory. */
struct verdict {
  int started;
  int exit_code;
};

/* Hexadecimal digits: they go into a line of JSON as they are. */
#define ID_LENGTH 64

struct session {
  struct session *next;
  pid_t pid;
  struct verdict *verdict;
  char id[ID_LENGTH + 1];
};

/* The session's own process from here on. */
struct exec {
  int connection; /* -1: the client is gone */
  bool input_ended;
  struct process process;
  bool terminal;
  int input;      /* -1: none or closed */
  int outputs[2]; /* standard output or terminal, standard error */
  struct buffer in, out;
  size_t input_written;
  bool input_blocked; /* the frame at the front waits until the process takes more */
  struct verdict *verdict;
};

static void lose_client(struct exec *exec) {
  close_quietly(exec->connection);
  exec->connection = -1;
  buffer_free(&exec->out);
}

static void close_input(struct exec *exec) {
  /* A terminal has no end of input: the process reads the end-of-file character if it is sent one. */
  if (exec->terminal) return;
  close_quietly(exec->input);
  exec->input = -1;
}

static void flush(struct exec *exec) {
  while (exec->connection >= 0 && exec->out.size > 0) {
    ssize_t count = send(exec->connection, exec->out.data, exec->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) buffer_consume(&exec->out, (size_t)count);
    else if (errno == EAGAIN) return;
    else if (errno != EINTR) lose_client(exec);
  }
}

/* False: nothing more to read now. */
static bool read_output(struct exec *exec, unsigned index) {
  char block[16384];
  if (exec->outputs[index] < 0) return false;
  ssize_t count = read(exec->outputs[index], block, sizeof block);
  if (count < 0 && errno == EINTR) return true;
  if (count < 0 && errno == EAGAIN) return false;
  if (count <= 0) {
    if (index > 0 || !exec->terminal) close_quietly(exec->outputs[index]);
    exec->outputs[index] = -1;
    return false;
  }
  if (exec->connection >= 0) frame_append(&exec->out, index == 0 ? FRAME_OUTPUT : FRAME_ERROR, block, (size_t)count);
  flush(exec);
  return true;
}

/* False: the frame waits until the process takes more. */
static bool write_input(struct exec *exec, const char *payload, uint32_t size) {
  while (exec->input >= 0 && exec->input_written < size) {
    ssize_t count = write(exec->input, payload + exec->input_written, size - exec->input_written);
    if (count >= 0) exec->input_written += (size_t)count;
    else if (errno == EAGAIN) return false;
    else if (errno != EINTR) close_input(exec);
    if (count < 0 && errno != EINTR && exec->terminal) break;
  }
  exec->input_written = 0;
  return true;
}

static void take_frames(struct exec *exec) {
  size_t position = 0, taken = 0;
  unsigned type, rows, columns;
  const char *payload;
  uint32_t size;
  int result;
  exec->input_blocked = false;
  while ((result = frame_next(&exec->in, &position, &type, &payload, &size)) > 0) {
    if (type == FRAME_INPUT && !write_input(exec, payload, size)) {
      exec->input_blocked = true;
      break;
    }
    if (type == FRAME_END_OF_INPUT) close_input(exec);
    if (type == FRAME_RESIZE && exec->terminal && frame_size(payload, size, &rows, &columns))
      terminal_resize(exec->process.terminal, rows, columns);
    taken = position;
  }
  buffer_consume(&exec->in, taken);
  if (result < 0) lose_client(exec);
  if (exec->input_ended && exec->in.size == 0) close_input(exec);
}

static void read_client(struct exec *exec) {
  char block[16384];
  ssize_t count = recv(exec->connection, block, sizeof block, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) exec->input_ended = true;
  else buffer_append(&exec->in, block, (size_t)count);
  take_frames(exec);
}

enum { CLIENT, INPUT, OUTPUT, ERROR, ENDED, WATCHED };

static void wait_for_something(struct exec *exec, struct pollfd polled[WATCHED]) {
  bool behind = exec->connection >= 0 && exec->out.size >= BACKLOG_MAX;
  short wanted = (short)((exec->out.size > 0 ? POLLOUT : 0) | (exec->input_ended || exec->input_blocked ? 0 : POLLIN));
  memset(polled, 0, WATCHED * sizeof *polled);
  /* With its input ended and nothing to send, the client is watched for going away only where that is told apart. */
  polled[CLIENT] = (struct pollfd){.fd = exec->connection, .events = wanted};
  polled[INPUT] = (struct pollfd){.fd = exec->input_blocked ? exec->input : -1, .events = POLLOUT};
  for (unsigned i = 0; i < 2; i++)
    polled[OUTPUT + i] = (struct pollfd){.fd = behind ? -1 : exec->outputs[i], .events = POLLIN};
  polled[ENDED] = (struct pollfd){.fd = exec->process.pidfd, .events = POLLIN};
  while (poll(polled, WATCHED, -1) < 0 && errno == EINTR) continue;
}

/* Carries the streams until the process has ended. */
static int carry(struct exec *exec) {
  struct pollfd polled[WATCHED];
  int status;
  take_frames(exec);
  for (;;) {
    wait_for_something(exec, polled);
    if (polled[CLIENT].revents & POLLOUT) flush(exec);
    if (exec->connection >= 0 && polled[CLIENT].revents & POLLIN) read_client(exec);
    if (exec->connection >= 0 && polled[CLIENT].revents & (POLLHUP | POLLERR) && !(polled[CLIENT].revents & POLLIN)) {
      exec->input_ended = true;
      take_frames(exec);
      lose_client(exec);
    }
    if (polled[INPUT].revents != 0) take_frames(exec);
    for (unsigned i = 0; i < 2; i++)
      if (polled[OUTPUT + i].revents != 0) read_output(exec, i);
    if (polled[ENDED].revents != 0) break;
  }
  while (waitpid(exec->process.pid, &status, 0) < 0 && errno == EINTR) continue;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * Everything that the process wrote is in the pipes by now. What it has left running may hold them open for as long as
 * it likes: that is not waited for.
 */
static void drain(struct exec *exec) {
  for (unsigned i = 0; i < 2; i++)
    while (read_output(exec, i)) {
      struct pollfd client = {.fd = exec->connection, .events = POLLOUT};
      while (exec->connection >= 0 && exec->out.size >= BACKLOG_MAX) {
        poll(&client, 1, -1);
        flush(exec);
        client.fd = exec->connection;
      }
    }
}

/*
 * Sends what is left and waits for the client to close. A connection closed with input on its way would be reset, and
 * the client, in the middle of a write, would lose what it has not read yet.
 */
static void send_rest(struct exec *exec) {
  char unread[4096];
  struct pollfd client = {.fd = exec->connection, .events = POLLIN};
  if (exec->connection < 0) return;
  set_nonblocking(exec->connection, false);
  if (write_all(exec->connection, exec->out.data, exec->out.size) != 0 || shutdown(exec->connection, SHUT_WR) != 0) {
    lose_client(exec);
    return;
  }
  while (poll(&client, 1, CLOSE_WAIT_MS) > 0)
    if (recv(exec->connection, unread, sizeof unread, MSG_DONTWAIT) <= 0) return;
}

static int reply(int connection, pid_t pid, const struct failure *failure) {
  struct json json = {0};
  json_open(&json, '{');
  if (failure == NULL) {
    json_member_bool(&json, "ok", true);
    json_member_number(&json, "pid", pid);
  } else {
    json_member_failure(&json, failure);
  }
  json_close(&json, '}');
  return json_send(&json, connection);
}

struct streams {
  int theirs[3];
  int ours[3];
};

static int open_streams(struct streams *streams, bool terminal, bool input, struct failure *failure) {
  for (unsigned i = 0; i < 3; i++) streams->theirs[i] = streams->ours[i] = -1;
  for (unsigned i = input ? 0 : 1; i < 3 && !terminal; i++) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno(failure, errno, "standard streams");
    streams->theirs[i] = ends[i == 0 ? 0 : 1];
    streams->ours[i] = ends[i == 0 ? 1 : 0];
    set_nonblocking(streams->ours[i], true);
  }
  return 0;
}

static int begin(struct exec *exec, struct monitor *monitor, const struct record *record, struct failure *failure) {
  struct streams streams;
  bool input;
  uint64_t rows, columns;
  enum process_progress progress;
  if (record_flag(record, 0, &exec->terminal, failure) != 0 || record_flag(record, 1, &input, failure) != 0 ||
      record_unsigned(record, 2, 65535, &rows, failure) != 0 || record_unsigned(record, 3, 65535, &columns, failure) != 0 ||
      open_streams(&streams, exec->terminal, input, failure) != 0)
    return -1;
  struct process_request request = {
      .join = monitor->process.pidfd,
      .network = -1,
      .pid_of = -1,
      .ipc_of = -1,
      .no_way_back = monitor->plan.outside != NULL,
      .machines = plan_machines(&monitor->plan),
      .cgroups = monitor->plan.cgroups,
      .cgroup_count = monitor->plan.cgroup_count,
      .operations = monitor->plan.process,
      .operations_size = monitor->plan.process_size,
      .overrides = record->argv[4],
      .overrides_size = record->sizes[4],
      .keyring = monitor->plan.id,
      .terminal = exec->terminal,
      .rows = (unsigned)rows,
      .columns = (unsigned)columns,
      .standard = {streams.theirs[0], streams.theirs[1], streams.theirs[2]},
  };
  if (process_begin(&request, &exec->process, failure) != 0) return -1;
  for (unsigned i = 0; i < 3; i++) close_quietly(streams.theirs[i]);
  do progress = process_continue(&exec->process, failure);
  while (progress == PROCESS_PENDING);
  if (progress == PROCESS_FAILED) {
    /* Left to the container's first process, which may reap nothing, it would hold up the end of the pid namespace. */
    while (waitpid(exec->process.pid, NULL, 0) < 0 && errno == EINTR) continue;
    return -1;
  }
  exec->input = exec->terminal && input ? exec->process.terminal : streams.ours[0];
  exec->outputs[0] = exec->terminal ? exec->process.terminal : streams.ours[1];
  exec->outputs[1] = streams.ours[2];
  if (exec->terminal) set_nonblocking(exec->process.terminal, true);
  return 0;
}

static void run(struct monitor *monitor, struct client *client, const struct record *record, struct verdict *verdict) {
  struct exec exec = {.connection = duplicate_above(client->watch.fd, 0), .verdict = verdict};
  struct failure failure;
  exec.input = exec.outputs[0] = exec.outputs[1] = -1;
  buffer_append(&exec.in, client->stream.buffer.data + client->stream.position,
                client->stream.buffer.size - client->stream.position);
  if (begin(&exec, monitor, record, &failure) != 0) {
    /* Its first process has ended, and the monitor did not know yet. */
    if (failure.error == ESRCH) fail_kind(&failure, KIND_CONFLICT, "the container is not running", "exec");
    reply(exec.connection, 0, &failure);
    _exit(0);
  }
  verdict->started = 1;
  if (reply(exec.connection, exec.process.pid, NULL) != 0) lose_client(&exec);
  verdict->exit_code = carry(&exec);
  drain(&exec);
  if (exec.connection >= 0) frame_append_exit(&exec.out, verdict->exit_code);
  send_rest(&exec);
  _exit(0);
}

/* Nothing of the monitor's is left in the session but the connection and the container's pid descriptor. */
static void keep_only(struct monitor *monitor, struct client *client) {
  int connection = duplicate_above(client->watch.fd, 16);
  int container = duplicate_above(monitor->process.pidfd, 16);
  if (connection < 0 || container < 0 || dup3(connection, 3, O_CLOEXEC) < 0 || dup3(container, 4, O_CLOEXEC) < 0)
    _exit(125);
  close_from(5);
  client->watch.fd = 3;
  monitor->process.pidfd = 4;
}

static const char *read_id(const struct record *record, struct failure *failure) {
  const char *id = record_text(record, 5, failure);
  if (id == NULL) return NULL;
  if (strlen(id) == ID_LENGTH && strspn(id, "0123456789abcdef") == ID_LENGTH) return id;
  fail_kind(failure, KIND_INVALID, "not an id of an exec", "exec");
  return NULL;
}

void session_start(struct client *client, const struct record *record) {
  struct monitor *monitor = client->monitor;
  struct failure failure;
  pid_t parent = getpid();
  const char *id = read_id(record, &failure);
  if (id == NULL) {
    client_reply_failure(client, &failure);
    return;
  }
  if (monitor->phase != PHASE_RUNNING) {
    fail_kind(&failure, KIND_CONFLICT, "the container is not running", "exec");
    client_reply_failure(client, &failure);
    return;
  }
  if (monitor->pause.state != PAUSE_NONE) {
    fail_kind(&failure, KIND_CONFLICT, "the container is paused", "exec");
    client_reply_failure(client, &failure);
    return;
  }
  struct verdict *verdict = mmap(NULL, sizeof *verdict, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = verdict == MAP_FAILED ? -1 : fork();
  if (pid == 0) {
    if (!die_with_parent(parent)) _exit(125);
    prctl(PR_SET_NAME, "exec", 0, 0, 0);
    keep_only(monitor, client);
    run(monitor, client, record, verdict);
  }
  if (pid < 0) {
    fail_errno(&failure, errno, "exec");
    if (verdict != MAP_FAILED) munmap(verdict, sizeof *verdict);
    client_reply_failure(client, &failure);
    return;
  }
  struct session *session = xcalloc(1, sizeof *session);
  *session = (struct session){.next = monitor->sessions, .pid = pid, .verdict = verdict};
  memcpy(session->id, id, ID_LENGTH);
  monitor->sessions = session;
  client_release(client);
}

void session_ended(struct monitor *monitor, pid_t pid, int status) {
  (void)status;
  for (struct session **link = &monitor->sessions; *link != NULL; link = &(*link)->next) {
    struct session *session = *link;
    char extra[ID_LENGTH + 64];
    if (session->pid != pid) continue;
    *link = session->next;
    if (session->verdict->started) {
      snprintf(extra, sizeof extra, ",\"execID\":\"%s\",\"exitCode\":\"%d\"", session->id, session->verdict->exit_code);
      journal_event(monitor, "exec_die", extra);
    }
    munmap(session->verdict, sizeof *session->verdict);
    free(session);
    return;
  }
}

bool session_any(const struct monitor *monitor) {
  return monitor->sessions != NULL;
}

void session_kill_all(struct monitor *monitor) {
  for (const struct session *session = monitor->sessions; session != NULL; session = session->next)
    kill(session->pid, SIGKILL);
}
