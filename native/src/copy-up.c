/* Fills a new volume with what an image has at the place where it is mounted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "merged.h"
#include "serve.h"
#include "syscalls.h"

/* Inside the destination while the copy runs: where it is found, the copy was interrupted and goes on. */
#define MARK ".tscompose-copy-up"

struct request {
  char *destination;
  char *subpath; /* empty: none */
  char *target;
  char **lowers;
  unsigned count;
};

enum state { EMPTY, INTERRUPTED, USED };

static int inspect(int directory, enum state *state) {
  int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  if (stream == NULL) {
    close_quietly(fd);
    return -1;
  }
  *state = EMPTY;
  for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct stat status;
    /* Only what we make ourselves: a container can have made anything of that name. */
    if (strcmp(entry->d_name, MARK) == 0 && fstatat(fd, MARK, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode)) {
      *state = INTERRUPTED;
      break;
    }
    *state = USED;
  }
  closedir(stream);
  return 0;
}

static int copy_marked(struct copy *copy, int source, int destination) {
  struct stat status;
  int mark = openat(destination, MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (mark < 0) return fail_errno(copy->failure, errno, "copyUp %s", MARK);
  close(mark);
  if (copy_content(copy, source, destination) != 0) return -1;
  if (fstat(source, &status) != 0) return fail_errno(copy->failure, errno, "copyUp");
  if (unlinkat(destination, MARK, 0) != 0) return fail_errno(copy->failure, errno, "copyUp %s", MARK);
  return copy_directory_attributes(copy, source, destination, &status);
}

static int copy_up(const struct request *request, struct copy *copy) {
  enum state state;
  int destination = open(request->destination, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (destination >= 0 && request->subpath[0] != '\0') {
    int volume = destination;
    destination = open_within(volume, request->subpath, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    close(volume);
    /* What is wrong with it is told by a start, which needs it. */
    if (destination < 0) return 0;
  }
  if (destination < 0 || inspect(destination, &state) != 0)
    return fail_errno(copy->failure, errno, "copyUp to %s", request->destination);
  if (state == USED) return 0;
  int root = merged_open(request->lowers, request->count, copy->failure);
  if (root < 0) return -1;
  int source = open_in_root(root, request->target, O_RDONLY | O_DIRECTORY, 0);
  if (source < 0 && errno == ENOENT) return 0;
  if (source < 0) return fail_errno(copy->failure, errno, "copyUp of %s", request->target);
  copy->resume = state == INTERRUPTED;
  return copy_marked(copy, source, destination);
}

/* In a child that ends afterwards: nothing is closed or freed. */
static void run_copy_up(int status, void *context) {
  struct failure failure;
  struct copy copy = {.step = "copyUp", .failure = &failure};
  struct json json = {0};
  umask(0);
  raise_descriptor_limit();
  if (copy_up(context, &copy) != 0) {
    send_failure(status, &failure);
    return;
  }
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_member_number(&json, "entries", (int64_t)copy.entries);
  json_close(&json, '}');
  json_send(&json, status);
}

void copy_up_request(uint64_t request, const struct record *record) {
  struct failure failure;
  if (record_texts(record, &failure) != 0) {
    serve_reply_failure(request, &failure);
    return;
  }
  struct request arguments = {.destination = record->argv[1],
                              .subpath = record->argv[2],
                              .target = record->argv[3],
                              .lowers = record->argv + 4,
                              .count = record->argc - 4};
  struct job_options options = {.request = request, .step = "copyUp", .run = run_copy_up, .context = &arguments};
  serve_job(&options);
}
