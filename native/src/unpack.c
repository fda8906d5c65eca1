/* The verb `unpack`: a tar stream on standard input into an empty directory. */
#include "unpack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enter.h"
#include "merged.h"
#include "stream.h"
#include "syscalls.h"
#include "verbs.h"

#define CONTROL 3
/* The largest images have a few hundred thousand entries. */
#define ENTRIES_MAX 8000000

static ssize_t read_input(void *context, void *data, size_t size) {
  ssize_t count;
  (void)context;
  do count = read(STDIN_FILENO, data, size);
  while (count < 0 && errno == EINTR);
  return count;
}

static int check_empty(int directory) {
  int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  int count = 0;
  if (stream == NULL) {
    close_quietly(fd);
    return -1;
  }
  while (readdir(stream) != NULL) count++;
  closedir(stream);
  if (count <= 2) return 0;
  errno = ENOTEMPTY;
  return -1;
}

static int set_directory_times(struct unpack *unpack) {
  for (size_t i = 0; i < unpack->deferred_count; i++) {
    struct deferred *deferred = &unpack->deferred[i];
    struct timespec times[2] = {deferred->mtime, deferred->mtime};
    int fd = open_beneath(unpack->root, deferred->path, O_RDONLY | O_DIRECTORY, 0);
    /* Replaced by a later entry. */
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) continue;
    int result = fd < 0 ? -1 : futimens(fd, times);
    close_quietly(fd);
    if (result != 0) return fail_errno(unpack->failure, errno, "unpack %s", deferred->path);
  }
  return 0;
}

static int unpack_all(struct unpack *unpack, struct tar_reader *reader) {
  struct tar_entry entry;
  int found;
  while ((found = tar_next(reader, &entry, unpack->failure)) > 0) {
    if (++unpack->entries > ENTRIES_MAX)
      return fail_kind(unpack->failure, KIND_EXHAUSTED, "it has more than 8 million entries", "archive");
    if (unpack_entry(unpack, reader, &entry) != 0) return -1;
  }
  if (found < 0 || tar_drain(reader, unpack->failure) != 0) return -1;
  if (unpack->root_opaque && hide_lower_root(unpack) != 0) return -1;
  return set_directory_times(unpack);
}

static int open_destination(struct unpack *unpack, const char *path) {
  unpack->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (unpack->root < 0 || check_empty(unpack->root) != 0) return fail_errno(unpack->failure, errno, "unpack to %s", path);
  /* What a top without an entry gets. */
  if (fchmod(unpack->root, 0755) != 0) return fail_errno(unpack->failure, errno, "unpack to %s", path);
  return 0;
}

static int run(struct unpack *unpack, const struct record *record) {
  if (record_texts(record, unpack->failure) != 0) return -1;
  bool overlay = strcmp(record->argv[1], "overlay") == 0;
  bool trusted = strcmp(record->argv[2], "trusted") == 0;
  if ((!overlay && strcmp(record->argv[1], "none") != 0) || (!trusted && strcmp(record->argv[2], "user") != 0))
    return fail_kind(unpack->failure, KIND_INVALID, "unknown mode", "unpack");
  unpack->whiteouts = overlay;
  unpack->privileged = trusted;
  unpack->few_ids = !trusted;
  unpack->opaque_name = trusted ? "trusted.overlay.opaque" : "user.overlay.opaque";
  if (open_destination(unpack, record->argv[0]) != 0) return -1;
  if (record->argc > 3) {
    unpack->lower = merged_open(record->argv + 3, record->argc - 3, unpack->failure);
    if (unpack->lower < 0) return -1;
  }
  struct tar_reader *reader = tar_open(read_input, NULL);
  int result = unpack_all(unpack, reader);
  tar_close(reader);
  return result;
}

static void release(struct unpack *unpack) {
  for (size_t i = 0; i < unpack->deferred_count; i++) free(unpack->deferred[i].path);
  free(unpack->deferred);
  parent_forget(unpack);
  close_quietly(unpack->lower);
  close_quietly(unpack->root);
}

static int reply(const struct unpack *unpack) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_member_number(&json, "bytes", (int64_t)unpack->bytes);
  json_member_number(&json, "entries", (int64_t)unpack->entries);
  json_member_number(&json, "implied", (int64_t)unpack->implied);
  json_member_number(&json, "skipped", (int64_t)unpack->skipped);
  json_member_number(&json, "unowned", (int64_t)unpack->unowned);
  json_close(&json, '}');
  return json_send(&json, CONTROL) == 0 ? 0 : 70;
}

/* Nobody would hear the answer, and whoever cleans up must not meet a process that still writes. */
static bool is_abandoned(void) {
  struct pollfd control = {.fd = CONTROL};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return poll(&control, 1, 0) > 0 && (control.revents & (POLLHUP | POLLNVAL)) != 0;
}

static enum stream_result read_request(struct stream *stream, struct record *record, struct failure *failure) {
  enum stream_result result = stream_wait(stream, CONTROL, record, failure);
  if (result != STREAM_RECORD || record->code != OP_ENTER) return result;
  if (enter_namespaces(record, failure) != 0) return STREAM_BAD;
  return stream_wait(stream, CONTROL, record, failure);
}

int unpack_main(void) {
  struct failure failure = {0};
  struct unpack unpack = {.root = -1, .lower = -1, .cached_fd = -1, .failure = &failure};
  struct stream stream;
  struct record record;
  if (is_abandoned()) return 70;
  set_cloexec(CONTROL, true);
  umask(0);
  stream_init(&stream, 0);
  enum stream_result got = read_request(&stream, &record, &failure);
  int result = -1;
  if (got == STREAM_RECORD && record.code == OP_UNPACK) result = run(&unpack, &record);
  else if (got != STREAM_BAD) fail_kind(&failure, KIND_INVALID, "not a request to unpack", "unpack");
  int status = result == 0 ? reply(&unpack) : 1;
  if (result != 0) send_failure(CONTROL, &failure);
  release(&unpack);
  stream_free(&stream);
  return status;
}
