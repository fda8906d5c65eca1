/*
 * The verb `files`: one request about the files of a container, on descriptor 3, in a process of its own. It answers a
 * line when it is where they are, then writes to standard output what was asked for, then answers a last line.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enter.h"
#include "merged.h"
#include "sync.h"
#include "verbs.h"

#define CONTROL 3

/* The first arguments of every request. */
#define PLACE_ARGUMENTS 3

static struct files_place place_of(const struct record *record) {
  return (struct files_place){
      .pid = record->argv[0],
      .monitor = record->argv[1],
      .operations = record->argv[2],
      .operations_size = record->sizes[2],
  };
}

static void send_plain(bool ended) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  if (ended) json_member_bool(&json, "ended", true);
  json_close(&json, '}');
  json_send(&json, CONTROL);
}

/* 0 once the container's root is there; 1 where the run is over, which is answered. */
static int enter(const struct record *record, enum files_view view, int *root, struct failure *failure) {
  struct files_place place = place_of(record);
  enum files_result result = files_enter(&place, view, root, failure);
  if (result == FILES_ENDED) send_plain(true);
  return result == FILES_DONE ? 0 : result == FILES_ENDED ? 1 : -1;
}

static int read_path(const struct record *record, struct files_path *path, struct failure *failure) {
  path->clean = record->argv[PLACE_ARGUMENTS];
  return record_flag(record, PLACE_ARGUMENTS + 1, &path->follow, failure);
}

static void send_description(int root, const struct files_path *path, const struct files_found *found) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  files_describe(&json, root, path->clean, found);
  json_close(&json, '}');
  json_send(&json, CONTROL);
}

/* `name` NULL: only what it is. */
static int read_files(const struct record *record, const char *name, struct failure *failure) {
  struct files_path path;
  struct files_found found;
  int root = -1;
  if (read_path(record, &path, failure) != 0) return -1;
  int result = enter(record, FILES_READ, &root, failure);
  if (result == 0) result = files_find(root, &path, &found, failure);
  else return result;
  if (result == 0) {
    send_description(root, &path, &found);
    const struct files_naming naming = {.name = name};
    if (name != NULL) result = files_archive(STDOUT_FILENO, &found, &naming, failure);
    files_close(&found);
  }
  close_quietly(root);
  return result;
}

static int run_stat(const struct record *record, struct failure *failure) {
  return read_files(record, NULL, failure);
}

static int run_archive(const struct record *record, struct failure *failure) {
  return read_files(record, record->argv[PLACE_ARGUMENTS + 2], failure);
}

/* Two arguments from `index` on. */
static int read_times(const struct record *record, unsigned index, struct tar_times *times, struct failure *failure) {
  if (record_signed(record, index, INT64_MIN, INT64_MAX, &times->earliest, failure) != 0) return -1;
  return record_signed(record, index + 1, INT64_MIN, INT64_MAX, &times->latest, failure);
}

static int run_export(const struct record *record, struct failure *failure) {
  struct files_path top = {.clean = "/"};
  struct files_found found;
  struct tar_times times;
  int root = -1;
  if (read_times(record, PLACE_ARGUMENTS, &times, failure) != 0) return -1;
  int result = enter(record, FILES_ROOT, &root, failure);
  if (result != 0) return result;
  result = files_find(root, &top, &found, failure);
  if (result == 0) {
    send_plain(false);
    const struct files_naming naming = {.name = "", .times = &times};
    result = files_archive(STDOUT_FILENO, &found, &naming, failure);
    files_close(&found);
  }
  close_quietly(root);
  return result;
}

static int run_layer(const struct record *record, struct failure *failure) {
  int root = -1;
  int result = enter(record, FILES_ROOT, &root, failure);
  if (result != 0) return result;
  send_plain(false);
  result = files_layer(STDOUT_FILENO, root, STDIN_FILENO, failure);
  close_quietly(root);
  return result;
}

/* A directory of the machine, not a container's. */
static int run_tree(const struct record *record, struct failure *failure) {
  struct files_tree tree = {.trusted = strcmp(record->argv[1], "trusted") == 0};
  if (read_times(record, 2, &tree.times, failure) != 0) return -1;
  if (!tree.trusted && strcmp(record->argv[1], "user") != 0) return fail_kind(failure, KIND_INVALID, "unknown mode", "files");
  tree.root = open(record->argv[0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (tree.root < 0) return fail_errno(failure, errno, "open %s", record->argv[0]);
  send_plain(false);
  int result = files_tree(STDOUT_FILENO, &tree, failure);
  close_quietly(tree.root);
  return result;
}

/* What was written to the file system of a directory of the machine survives a power loss afterwards. */
static int run_sync(const struct record *record, struct failure *failure) {
  int directory = open(record->argv[0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int result = directory < 0 || syncfs(directory) != 0 ? fail_errno(failure, errno, "sync %s", record->argv[0]) : 0;
  close_quietly(directory);
  if (result == 0) send_plain(false);
  return result;
}

static int run_extract(const struct record *record, struct failure *failure) {
  struct files_extraction extraction = {
      .archive = record->argv[PLACE_ARGUMENTS],
      .directory = record->argv[PLACE_ARGUMENTS + 1],
      .user = record->argv[PLACE_ARGUMENTS + 4],
  };
  int root = -1;
  if (record_flag(record, PLACE_ARGUMENTS + 2, &extraction.typed, failure) != 0) return -1;
  if (record_flag(record, PLACE_ARGUMENTS + 3, &extraction.owned, failure) != 0) return -1;
  int archive = open(extraction.archive, O_RDONLY | O_CLOEXEC);
  if (archive < 0) return fail_errno(failure, errno, "open %s", extraction.archive);
  int result = enter(record, FILES_WRITE, &root, failure);
  if (result == 0) {
    send_plain(false);
    result = files_extract(root, archive, &extraction, failure);
    close_quietly(root);
  }
  close_quietly(archive);
  return result;
}

/* The upper directory is opened first: a root made of it covers it. */
static int run_changes(const struct record *record, struct failure *failure) {
  char **lowers = record->argv + PLACE_ARGUMENTS + 2;
  struct files_comparison comparison = {.root = -1, .image = -1};
  uint64_t ignored = 0;
  unsigned rest = record->argc - (PLACE_ARGUMENTS + 2);
  if (record_unsigned(record, PLACE_ARGUMENTS + 1, rest, &ignored, failure) != 0) return -1;
  char **paths = xcalloc(ignored + 1, sizeof *paths);
  memcpy(paths, lowers, ignored * sizeof *paths);
  comparison.ignored = paths;
  comparison.upper = open(record->argv[PLACE_ARGUMENTS], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = comparison.upper < 0 ? fail_errno(failure, errno, "open %s", record->argv[PLACE_ARGUMENTS]) : 0;
  if (result == 0) result = enter(record, FILES_ROOT, &comparison.root, failure);
  if (result == 0) {
    comparison.image = merged_open(lowers + ignored, rest - (unsigned)ignored, failure);
    if (comparison.image < 0) result = -1;
  }
  if (result == 0) {
    send_plain(false);
    result = files_changes(STDOUT_FILENO, &comparison, failure);
  }
  close_quietly(comparison.image);
  close_quietly(comparison.root);
  close_quietly(comparison.upper);
  free(paths);
  return result;
}

static int run_list(const struct record *record, struct failure *failure) {
  bool digests;
  char **lowers = record->argv + PLACE_ARGUMENTS + 2;
  if (record_flag(record, PLACE_ARGUMENTS + 1, &digests, failure) != 0) return -1;
  int root = merged_open(lowers, record->argc - (PLACE_ARGUMENTS + 2), failure);
  if (root < 0) return -1;
  send_plain(false);
  int result = files_list(STDOUT_FILENO, root, record->argv[PLACE_ARGUMENTS], digests, failure);
  close_quietly(root);
  return result;
}

/* The target is mounted first: the layers of the source are stacked over one of them, which may be the target's too. */
static int run_copy(const struct record *record, struct failure *failure) {
  const char *source = record->argv[PLACE_ARGUMENTS];
  char **lowers = record->argv + PLACE_ARGUMENTS + 2;
  unsigned count = record->argc - (PLACE_ARGUMENTS + 2);
  struct files_copying copying = {.root = -1, .source = -1, .owner = record->argv[PLACE_ARGUMENTS + 1]};
  int result = 0;
  if (source[0] != '\0') {
    copying.source = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copying.source < 0) return fail_errno(failure, errno, "open %s", source);
  }
  result = enter(record, FILES_WRITE, &copying.root, failure);
  if (result == 0 && count > 0) {
    copying.source = merged_open(lowers, count, failure);
    if (copying.source < 0) result = -1;
  }
  if (result == 0) {
    send_plain(false);
    result = files_copy(&copying, STDIN_FILENO, failure);
  }
  close_quietly(copying.source);
  close_quietly(copying.root);
  return result;
}

/* The upper directory is opened first: the layers are stacked over one of them. */
static int run_settle(const struct record *record, struct failure *failure) {
  char **paths = record->argv + PLACE_ARGUMENTS + 2;
  unsigned rest = record->argc - (PLACE_ARGUMENTS + 2);
  uint64_t count = 0;
  int lower = -1;
  if (record_unsigned(record, PLACE_ARGUMENTS + 1, rest, &count, failure) != 0) return -1;
  int upper = open(record->argv[PLACE_ARGUMENTS], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (upper < 0) return fail_errno(failure, errno, "open %s", record->argv[PLACE_ARGUMENTS]);
  int result = 0;
  if (count < rest) {
    lower = merged_open(paths + count, rest - (unsigned)count, failure);
    if (lower < 0) result = -1;
  }
  if (result == 0) {
    send_plain(false);
    result = files_settle(upper, lower, paths, count, failure);
  }
  close_quietly(lower);
  close_quietly(upper);
  return result;
}

static const struct {
  uint16_t code;
  int (*run)(const struct record *record, struct failure *failure);
} requests[] = {
    {OP_FILE_STAT, run_stat},
    {OP_FILE_ARCHIVE, run_archive},
    {OP_FILE_EXTRACT, run_extract},
    {OP_FILE_EXPORT, run_export},
    {OP_FILE_LAYER, run_layer},
    {OP_FILE_TREE, run_tree},
    {OP_FILE_SYNC, run_sync},
    {OP_FILE_CHANGES, run_changes},
    {OP_FILE_LIST, run_list},
    {OP_FILE_COPY, run_copy},
    {OP_FILE_SETTLE, run_settle},
};

/* Of a container. */
static bool has_place(const struct record *record) {
  return record->code != OP_FILE_TREE && record->code != OP_FILE_SYNC && record->argc >= PLACE_ARGUMENTS;
}

static int check_texts(const struct record *record, struct failure *failure) {
  for (unsigned i = 0; i < record->argc; i++)
    /* A list of operations, not a text. */
    if (!(has_place(record) && i == PLACE_ARGUMENTS - 1) && record_text(record, i, failure) == NULL) return -1;
  return 0;
}

static int run_request(const struct record *record, struct failure *failure) {
  for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
    if (requests[i].code == record->code) return check_texts(record, failure) == 0 ? requests[i].run(record, failure) : -1;
  return fail_kind(failure, KIND_INVALID, "not a request about files", "files");
}

/* What it mounted ends with it, before the last line is written. */
static int run_worker(const struct record *record) {
  struct failure failure = {0};
  pid_t self = getpid();
  int ended = 0;
  pid_t worker = fork();
  if (worker == 0) {
    if (!die_with_parent(self)) _exit(1);
    umask(0);
    raise_descriptor_limit();
    int result = run_request(record, &failure);
    if (result < 0) send_failure(CONTROL, &failure);
    _exit(result < 0 ? 1 : 0);
  }
  if (worker < 0) {
    fail_errno(&failure, errno, "files");
    send_failure(CONTROL, &failure);
    return 1;
  }
  while (waitpid(worker, &ended, 0) < 0 && errno == EINTR) continue;
  if (has_place(record) && record->sizes[PLACE_ARGUMENTS - 1] > 0)
    sync_leave_private(record->argv[PLACE_ARGUMENTS - 1], record->sizes[PLACE_ARGUMENTS - 1]);
  if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) send_plain(false);
  return WIFEXITED(ended) ? WEXITSTATUS(ended) : 70;
}

int files_main(void) {
  struct failure failure = {0};
  struct stream stream;
  struct record record;
  struct pollfd control = {.fd = CONTROL};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* Nobody would hear the answer. */
  if (poll(&control, 1, 0) > 0 && (control.revents & (POLLHUP | POLLNVAL)) != 0) return 70;
  set_cloexec(CONTROL, true);
  stream_init(&stream, 0);
  enum stream_result got = stream_wait(&stream, CONTROL, &record, &failure);
  if (got == STREAM_RECORD && record.code == OP_ENTER)
    got = enter_namespaces(&record, &failure) == 0 ? stream_wait(&stream, CONTROL, &record, &failure) : STREAM_BAD;
  int status = 1;
  if (got == STREAM_RECORD) {
    status = run_worker(&record);
  } else {
    if (got != STREAM_BAD) fail_kind(&failure, KIND_INVALID, "no request", "files");
    send_failure(CONTROL, &failure);
  }
  stream_free(&stream);
  return status;
}
