/* The disk writer's own process. It may block on a disk for as long as it likes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"
#include "writer.h"

/* Larger than anything the monitor sends in one frame. */
#define FRAME_MAX 65536
#define IDLE_MS 1000

/* Once there was nothing to do for a while, memory is given back; then it waits for as long as it takes. */
static void wait_for_frame(int pipe) {
  struct pollfd ready = {.fd = pipe, .events = POLLIN};
  if (poll(&ready, 1, IDLE_MS) == 0) memory_trim();
}

static int read_exactly(int fd, void *data, size_t size) {
  char *bytes = data;
  while (size > 0) {
    ssize_t count = read(fd, bytes, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return -1;
    bytes += count;
    size -= (size_t)count;
  }
  return 0;
}

/* One write of at most 4 kB with O_APPEND: lines of several writers do not mix. */
static void append_journal(const char *path, const char *line, size_t size) {
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  while (write(fd, line, size) < 0 && errno == EINTR) continue;
  close(fd);
}

void writer_run(int pipe, const struct plan *plan) {
  static struct log_file log;
  static char data[FRAME_MAX];
  struct frame_header header;
  /* It lives until the monitor's end of the pipe is closed, and writes what is left even when the monitor was killed. */
  prctl(PR_SET_NAME, "writer", 0, 0, 0);
  if (plan->log != NULL) log_init(&log, plan->log, plan->log_bytes, plan->log_files);
  for (;;) {
    wait_for_frame(pipe);
    if (read_exactly(pipe, &header, sizeof header) != 0 || header.size > FRAME_MAX ||
        read_exactly(pipe, data, header.size) != 0)
      break;
    struct timespec time = {.tv_sec = header.seconds, .tv_nsec = header.nanoseconds};
    if (header.kind == WRITE_JOURNAL) append_journal(plan->journal, data, header.size);
    else if (plan->log == NULL) continue;
    else if (header.kind == WRITE_END) log_end(&log);
    else log_output(&log, header.kind - 1, data, header.size, time);
  }
  if (plan->log != NULL) log_end(&log);
  _exit(0);
}
