#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outside.h"
#include "text.h"
#include "verbs.h"

#define CONTROL 3
#define OTHER_TRIES 2000 /* of 5 ms */

static int open_lock(const char *path, struct failure *failure) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  return fd >= 0 ? fd : fail_errno(failure, errno, "lock %s", path);
}

static int listen_at(const char *path, struct failure *failure) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *slash = strrchr(path, '/');
  char *parent = xmemdup0(path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
  int directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  free(parent);
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, slash == NULL ? path : slash + 1);
  unlink(path);
  /* The mode comes from the umask: there is no moment at which others could connect. */
  umask(0177);
  if (directory < 0 || fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 128) != 0) {
    fail_errno(failure, errno, "socket %s", path);
    close_quietly(fd);
    fd = -1;
  }
  umask(077);
  close_quietly(directory);
  return fd;
}

static void member_namespace(struct json *json, const char *key, const char *kind, pid_t pid) {
  char *path = xasprintf("/proc/%d/ns/%s", (int)pid, kind), name[64] = "";
  ssize_t count = readlink(path, name, sizeof name - 1);
  free(path);
  json_member_string(json, key, count > 0 ? name : "");
}

static int write_state(const struct record *record, const struct inside *inside, bool outbound, struct failure *failure) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_number(&json, "v", 1);
  json_member_number(&json, "pid", inside->pid);
  json_member_string(&json, "boot", boot_id());
  member_namespace(&json, "user", "user", inside->pid);
  member_namespace(&json, "mount", "mnt", inside->pid);
  member_namespace(&json, "net", "net", inside->pid);
  json_member_bool(&json, "outbound", outbound);
  json_close(&json, '}');
  buffer_text(&json.buffer, "\n");
  int result = write_file_atomic(record->argv[KEEPER_STATE], json.buffer.data, json.buffer.size, 0600, false);
  if (result != 0) fail_errno(failure, errno, "write %s", record->argv[KEEPER_STATE]);
  json_free(&json);
  return result;
}

static void reply_ok(void) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_close(&json, '}');
  json_send(&json, CONTROL);
}

/*
 * Until nobody uses the namespaces any more. The command that started us is served first: while it holds its socket open it
 * is about to enter, and the lock is not looked at.
 */
static void keep(const struct inside *inside, int listener) {
  struct pollfd set[] = {{.fd = inside->channel, .events = POLLIN},
                         {.fd = listener, .events = POLLIN},
                         {.fd = CONTROL, .events = POLLIN}};
  for (;;) {
    if (poll(set, ARRAY_SIZE(set), -1) < 0 && errno != EINTR) return;
    /* The program that leads outside may end; containers then have no way out until the next keeper. */
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    if (set[0].revents != 0) return;
    if (set[1].revents != 0) outside_answer(listener);
    if (set[2].revents != 0) {
      keeper_watch_use(inside);
      set[2].fd = -1;
      close(CONTROL);
    }
  }
}

/*
 * Another keeper has the lock: one that another command starts is ready when it has written its state; one that ends, or failed,
 * leaves the lock to us. 1: we have it, 0: the other one is ready, -1.
 */
static int take_lock(const struct record *record, int lock, struct failure *failure) {
  for (int tries = 0; tries < OTHER_TRIES; tries++) {
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) return 1;
    if (access(record->argv[KEEPER_STATE], F_OK) == 0) return 0;
    usleep(5000);
  }
  return fail_kind(failure, KIND_TIMEOUT, "another one is being started and does not become ready", "keeper");
}

/* Not removed: should this keeper fail, or be killed before it is ready, the next one still has to find what is in use. */
static void set_aside(const struct record *record) {
  rename(record->argv[KEEPER_STATE], record->argv[KEEPER_OLD_STATE]);
}

static int run(const struct record *record, struct failure *failure) {
  struct inside inside = {.channel = -1};
  int lock = open_lock(record->argv[KEEPER_LOCK], failure);
  if (lock < 0) return -1;
  int taken = take_lock(record, lock, failure);
  if (taken < 0) return -1;
  if (taken == 0) {
    reply_ok();
    return 0;
  }
  set_aside(record);
  int use = open_lock(record->argv[KEEPER_USE], failure);
  if (use < 0 || keeper_begin_inside(record, use, &inside, failure) != 0) return -1;
  pid_t outbound = keeper_start_outbound(record, inside.pid);
  int listener = listen_at(record->argv[KEEPER_SOCKET], failure);
  if (listener < 0 || write_state(record, &inside, outbound > 0, failure) != 0) return -1;
  close(use);
  reply_ok();
  keep(&inside, listener);
  unlink(record->argv[KEEPER_STATE]);
  unlink(record->argv[KEEPER_OLD_STATE]);
  unlink(record->argv[KEEPER_SOCKET]);
  return 0;
}

int keeper_main(void) {
  struct failure failure = {0};
  struct stream stream;
  struct record record;
  set_cloexec(CONTROL, true);
  prctl(PR_SET_NAME, "tscompose-keep", 0, 0, 0);
  umask(077);
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  stream_init(&stream, 0);
  enum stream_result got = stream_wait(&stream, CONTROL, &record, &failure);
  int result = -1;
  if (got == STREAM_RECORD && record.code == OP_KEEPER) result = record_texts(&record, &failure);
  else if (got != STREAM_BAD) fail_kind(&failure, KIND_INVALID, "not a request to the keeper", "keeper");
  if (result == 0) result = run(&record, &failure);
  if (result != 0) send_failure(CONTROL, &failure);
  return result == 0 ? 0 : 1;
}
