#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sync.h"
#include "syscalls.h"

bool sync_run_ended(const struct sync *sync) {
  struct pollfd process = {.fd = sync->run, .events = POLLIN};
  return sync->run >= 0 && poll(&process, 1, 0) > 0;
}

/* The parent of a process, 0 where it is not known: field 4 of /proc/PID/stat, after a name that may hold anything. */
static pid_t parent_of(pid_t pid) {
  char path[40];
  struct buffer text = {0};
  int parent = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (read_file_at(AT_FDCWD, path, 4096, &text) == 0) {
    buffer_append(&text, "", 1);
    const char *end = strrchr(text.data, ')');
    if (end == NULL || sscanf(end + 1, " %*c %d", &parent) != 1) parent = 0;
  }
  buffer_free(&text);
  return parent;
}

/* Numbers are used again: only the first process of the container is a child of its monitor. */
static enum sync_result open_run(struct sync *sync, pid_t pid, pid_t monitor) {
  sync->run = pidfd_open_process(pid);
  if (sync->run < 0 && errno == ESRCH) return SYNC_ENDED;
  if (sync->run < 0) {
    fail_errno(sync->failure, errno, "sync: pid descriptor");
    return SYNC_FAILED;
  }
  bool same = parent_of(pid) == monitor;
  return same && !sync_run_ended(sync) ? SYNC_DONE : SYNC_ENDED;
}

static int open_root(struct sync *sync) {
  sync->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return sync->root >= 0 ? 0 : fail_errno(sync->failure, errno, "sync: open /");
}

enum sync_result sync_enter_run(struct sync *sync, const char *pid, const char *monitor) {
  uint64_t process, parent;
  if (!parse_unsigned(pid, INT32_MAX, &process) || !parse_unsigned(monitor, INT32_MAX, &parent)) {
    fail_kind(sync->failure, KIND_INVALID, "not a process number", "sync");
    return SYNC_FAILED;
  }
  enum sync_result result = open_run(sync, (pid_t)process, (pid_t)parent);
  if (result != SYNC_DONE) return result;
  /* The namespace lives as long as we are in it, whatever becomes of the container meanwhile. */
  if (setns(sync->run, CLONE_NEWNS) != 0) {
    if (errno == ESRCH || sync_run_ended(sync)) return SYNC_ENDED;
    fail_errno(sync->failure, errno, "sync: enter the container");
    return SYNC_FAILED;
  }
  return open_root(sync) == 0 ? SYNC_DONE : SYNC_FAILED;
}

/* File systems that a start mounts anew: what is written to them now would be lost. */
static int note_passing(struct sync *sync, const struct setup *setup) {
  sync->passing = xcalloc(setup->mount_count + 1, sizeof *sync->passing);
  for (size_t i = 0; i < setup->mount_count; i++) {
    struct stat status;
    if (setup->mounts[i].code != OP_MOUNT) continue;
    int fd = target_open(setup->root, setup->mounts[i].argv[2], TARGET_EXISTING);
    int result = fd < 0 ? -1 : fstat(fd, &status);
    if (result == 0) sync->passing[sync->passing_count++] = status.st_dev;
    close_quietly(fd);
    if (result != 0) return fail_errno(sync->failure, errno, "sync: %s", setup->mounts[i].argv[2]);
  }
  return 0;
}

static int enter_private(struct sync *sync, struct setup *setup, char *operations, size_t size) {
  if (setup_read(setup, operations, size, false) != 0) return -1;
  if (unshare(CLONE_NEWNS) != 0) return fail_errno(sync->failure, errno, "sync: mount namespace");
  if (setup_root(setup) != 0 || note_passing(sync, setup) != 0) return -1;
  if (setup->readonly_root && setup_readonly_root(setup) != 0) return -1;
  sync->root = setup->root;
  return 0;
}

enum sync_result sync_enter_private(struct sync *sync, char *operations, size_t size) {
  struct setup setup;
  setup_init(&setup, sync->failure);
  int result = enter_private(sync, &setup, operations, size);
  setup_free(&setup);
  return result == 0 ? SYNC_DONE : SYNC_FAILED;
}

void sync_leave_private(char *operations, size_t size) {
  struct setup setup;
  struct failure failure;
  setup_init(&setup, &failure);
  if (setup_read(&setup, operations, size, false) == 0)
    for (size_t i = 0; i < setup.mount_count; i++) {
      if (setup.mounts[i].code != OP_OVERLAY) continue;
      int work = open(setup.mounts[i].argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (work >= 0) overlay_forget_volatile(work);
      close_quietly(work);
    }
  setup_free(&setup);
}
