/* Requests `sync` and `syncUndo`: the work is done by a process of its own, inside the container's mount namespace. */
#include "sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve.h"

struct request {
  const char *archive, *path, *owner, *user, *prefix, *pid, *monitor;
  char *operations;
  size_t operations_size;
  bool undo;
};

static ssize_t read_archive(void *context, void *data, size_t size) {
  const int *archive = context;
  ssize_t count;
  do count = read(*archive, data, size);
  while (count < 0 && errno == EINTR);
  return count;
}

static enum sync_result enter(struct sync *sync, const struct request *request) {
  if (request->operations_size > 0) return sync_enter_private(sync, request->operations, request->operations_size);
  return sync_enter_run(sync, request->pid, request->monitor);
}

static int find_owner(struct sync *sync, const struct request *request) {
  struct user user = {0};
  sync->owner_given = request->owner[0] != '\0';
  int result = user_lookup(sync->root, sync->owner_given ? request->owner : request->user, NULL, &user, sync->failure);
  sync->uid = user.uid;
  sync->gid = user.gid;
  free(user.home);
  free(user.groups);
  return result;
}

static int stage(struct sync *sync, struct tar_reader *reader) {
  struct tar_entry entry;
  int found;
  while ((found = tar_next(reader, &entry, sync->failure)) > 0)
    if (sync_entry(sync, reader, &entry) != 0) return -1;
  return found < 0 ? -1 : sync_finish_staged(sync);
}

static enum sync_result work(struct sync *sync, const struct request *request, struct tar_reader *reader) {
  char base[UNPACK_PATH_MAX];
  if (path_clean(request->path, base) != 0) {
    fail_kind(sync->failure, KIND_INVALID, "not a path in the container", "%s", request->path);
    return SYNC_FAILED;
  }
  sync->base = base;
  sync->prefix = request->prefix;
  enum sync_result result = enter(sync, request);
  if (result != SYNC_DONE) return result;
  if (request->undo) return sync_undo(sync, reader) == 0 ? SYNC_DONE : SYNC_FAILED;
  result = find_owner(sync, request) == 0 && stage(sync, reader) == 0 ? sync_commit(sync) : SYNC_FAILED;
  sync_discard(sync);
  /* A container that ended may take what it needs of its tree with it: then this says nothing about the next run. */
  return result == SYNC_FAILED && sync_run_ended(sync) ? SYNC_ENDED : result;
}

static void report(int status, const struct sync *sync, enum sync_result result) {
  struct json json = {0};
  json_open(&json, '{');
  if (result == SYNC_FAILED && !sync->begun) {
    json_member_failure(&json, sync->failure);
  } else {
    json_member_bool(&json, "ok", true);
    json_member_number(&json, "written", (int64_t)sync->written);
    json_member_number(&json, "deleted", (int64_t)sync->deleted);
    json_member_bool(&json, "ended", result == SYNC_ENDED);
  }
  /* Some of it is in its place: the request was not simply refused. */
  if (result == SYNC_FAILED && sync->begun) {
    json_key(&json, "partial");
    json_open(&json, '{');
    json_member_failure(&json, sync->failure);
    json_close(&json, '}');
  }
  json_close(&json, '}');
  json_send(&json, status);
}

static void run_worker(int status, const struct request *request) {
  struct failure failure = {0};
  struct sync sync = {.failure = &failure, .root = -1, .run = -1};
  enum sync_result result = SYNC_FAILED;
  umask(0);
  /* Each directory of the archive stays open. */
  raise_descriptor_limit();
  int archive = open(request->archive, O_RDONLY | O_CLOEXEC);
  struct tar_reader *reader = tar_open(read_archive, &archive);
  if (archive < 0) fail_errno(&failure, errno, "sync: %s", request->archive);
  else result = work(&sync, request, reader);
  tar_close(reader);
  report(status, &sync, result);
  sync_nodes_free(&sync);
  free(sync.passing);
  close_quietly(sync.run);
  close_quietly(sync.root);
  close_quietly(archive);
}

/*
 * The answer is passed on when the worker has ended, and with it what it mounted or kept mounted: whoever hears it may
 * mount the same directories at once.
 */
static void run_sync(int status, void *context) {
  const struct request *request = context;
  struct buffer reply = {0};
  struct failure failure;
  int ends[2], ended;
  pid_t self = getpid();
  pid_t worker = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
  if (worker == 0) {
    close(ends[0]);
    if (!die_with_parent(self)) _exit(1);
    run_worker(ends[1], request);
    /* Sanitizers look for leaks at an ordinary exit; buffers of standard streams are the parent's. */
    _exit(0);
  }
  if (worker < 0) {
    fail_errno(&failure, errno, "sync");
    send_failure(status, &failure);
    return;
  }
  close(ends[1]);
  read_to_end(ends[0], 65536, &reply);
  while (waitpid(worker, &ended, 0) < 0 && errno == EINTR) continue;
  if (request->operations_size > 0) sync_leave_private(request->operations, request->operations_size);
  if (reply.size > 0) write_all(status, reply.data, reply.size);
  buffer_free(&reply);
}

static void start(uint64_t number, const struct record *record, bool undo) {
  struct failure failure;
  /* The last argument is a list of operations, not a text. */
  for (unsigned i = 0; i + 1 < record->argc; i++)
    if (record_text(record, i, &failure) == NULL) {
      serve_reply_failure(number, &failure);
      return;
    }
  struct request request = {
      .archive = record->argv[1],
      .path = record->argv[2],
      .owner = record->argv[3],
      .user = record->argv[4],
      .prefix = record->argv[5],
      .pid = record->argv[6],
      .monitor = record->argv[7],
      .operations = record->argv[8],
      .operations_size = record->sizes[8],
      .undo = undo,
  };
  struct job_options options = {.request = number, .step = "sync", .run = run_sync, .context = &request};
  serve_job(&options);
}

void sync_request(uint64_t request, const struct record *record) {
  start(request, record, false);
}

void sync_undo_request(uint64_t request, const struct record *record) {
  start(request, record, true);
}
