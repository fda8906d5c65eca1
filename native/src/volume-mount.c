/* Requests `volumeMount` and `volumeUnmount`: the file system of a volume, at its place on the machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "serve.h"
#include "setup.h"

/* Of the mount that an open file is on (proc_pid_fdinfo(5)); -1 where it is not told. */
static long mount_id(int fd) {
  struct buffer text = {0};
  char *path = xasprintf("/proc/self/fdinfo/%d", fd);
  long id = -1;
  if (read_file_at(AT_FDCWD, path, 4096, &text) == 0) {
    buffer_append(&text, "", 1);
    const char *line = strstr(text.data, "mnt_id:");
    if (line != NULL) id = strtol(line + strlen("mnt_id:"), NULL, 10);
  }
  buffer_free(&text);
  free(path);
  return id;
}

/* Something is mounted at the directory: it is on another mount than the one that holds it. -1 with errno. */
static int is_mounted(const char *target) {
  int place = open(target, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (place < 0) return -1;
  char *above = xasprintf("%s/..", target);
  int parent = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
  free(above);
  long here = mount_id(place), there = parent < 0 ? -1 : mount_id(parent);
  close_quietly(place);
  close_quietly(parent);
  if (here >= 0 && there >= 0) return here != there;
  errno = EIO;
  return -1;
}

struct request {
  const char *target, *type, *device, *flags, *data;
};

/* A bind takes its flags only once it is there (mount(2)). */
static int mount_bind(const struct request *request, const struct mount_flags *flags) {
  if (mount(request->device, request->target, NULL, MS_BIND | (flags->recursive ? MS_REC : 0), NULL) != 0) return -1;
  if (flags->set == 0) return 0;
  return mount(NULL, request->target, NULL, MS_BIND | MS_REMOUNT | flags->set, NULL);
}

static int mount_at(const struct request *request, const struct mount_flags *flags, bool bind) {
  const char *data = request->data[0] != '\0' ? request->data : NULL;
  int result = bind ? mount_bind(request, flags)
                    : mount(request->device, request->target, request->type, flags->set, data);
  if (result == 0 && flags->propagation != 0)
    result = mount(NULL, request->target, NULL, flags->propagation | (flags->recursive_propagation ? MS_REC : 0), NULL);
  return result;
}

/* What is there already is somebody's who uses the volume too. */
static int run_mount(const struct request *request, struct failure *failure) {
  struct mount_flags flags;
  int mounted = is_mounted(request->target);
  bool bind = strcmp(request->type, "bind") == 0;
  if (mount_flags_parse(request->flags, &flags) != 0)
    return fail_kind(failure, KIND_INVALID, "unknown mount flag", "mount %s", request->device);
  if (mounted < 0) return fail_errno(failure, errno, "volume %s", request->target);
  if (mounted > 0 || mount_at(request, &flags, bind) == 0) return 0;
  fail_errno(failure, errno, "mount %s", request->device);
  /* Half of it: bound, but not with its flags. */
  if (is_mounted(request->target) > 0) umount2(request->target, MNT_DETACH | UMOUNT_NOFOLLOW);
  return -1;
}

static void answer(int status, int result, const struct failure *failure) {
  struct json json = {0};
  if (result != 0) {
    send_failure(status, failure);
    return;
  }
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_close(&json, '}');
  json_send(&json, status);
}

/* A server on the network may not answer for long: this is a process of its own. */
static void mount_job(int status, void *context) {
  struct failure failure;
  answer(status, run_mount(context, &failure), &failure);
}

static void unmount_job(int status, void *context) {
  const struct request *request = context;
  struct failure failure;
  int mounted = is_mounted(request->target), result = 0;
  if (mounted < 0 && errno != ENOENT) result = fail_errno(&failure, errno, "volume %s", request->target);
  if (mounted > 0 && umount2(request->target, MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
    result = fail_errno(&failure, errno, "unmount %s", request->target);
  answer(status, result, &failure);
}

static void start(uint64_t number, const struct record *record, void (*run)(int, void *)) {
  struct failure failure;
  if (record_texts(record, &failure) != 0) {
    serve_reply_failure(number, &failure);
    return;
  }
  char **argv = record->argv + 1;
  struct request request = {.target = argv[0]};
  if (run == mount_job)
    request = (struct request){.target = argv[0], .type = argv[1], .device = argv[2], .flags = argv[3], .data = argv[4]};
  struct job_options options = {.request = number, .step = record->name, .run = run, .context = &request};
  serve_job(&options);
}

void volume_mount_request(uint64_t request, const struct record *record) {
  start(request, record, mount_job);
}

void volume_unmount_request(uint64_t request, const struct record *record) {
  start(request, record, unmount_job);
}
