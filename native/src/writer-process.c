/* The disk writer's own process. It may block on a disk for as long as it likes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"
#include "syscalls.h"
#include "writer.h"

#define IDLE_MS 1000

/* The process to kill when the monitor dies. */
static int guarded = -1;

static void receive_guarded(int guard) {
  char byte;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  while (recvmsg(guard, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) > 0) {
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
      close_quietly(guarded);
      memcpy(&guarded, CMSG_DATA(header), sizeof guarded);
    }
    message.msg_controllen = sizeof control;
  }
}

/*
 * Once there was nothing to do for a while, memory is given back; then it waits for as long as it takes. A monitor that
 * ended by itself has no container any more, so killing it then does no harm.
 */
static void wait_for_frame(int pipe, int *guard) {
  int timeout = IDLE_MS;
  for (;;) {
    struct pollfd ready[] = {{.fd = pipe, .events = POLLIN}, {.fd = *guard, .events = POLLIN}};
    int count = poll(ready, ARRAY_SIZE(ready), timeout);
    if (count == 0) {
      memory_trim();
      timeout = -1;
    }
    if (ready[1].revents != 0) receive_guarded(*guard);
    if (ready[1].revents & POLLHUP) {
      if (guarded >= 0) pidfd_kill(guarded, SIGKILL);
      *guard = -1;
    }
    if (ready[0].revents != 0) return;
  }
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

int writer_read_frame(int pipe, struct frame_header *header, char data[FRAME_MAX]) {
  if (read_exactly(pipe, header, sizeof *header) != 0 || header->size > FRAME_MAX) return -1;
  return read_exactly(pipe, data, header->size);
}

void writer_run(int pipe, int guard, const struct plan *plan) {
  static struct log_file log;
  static char data[FRAME_MAX];
  struct frame_header header;
  /* It lives until the monitor's end of the pipe is closed, and writes what is left even when the monitor was killed. */
  prctl(PR_SET_NAME, "tscompose-write", 0, 0, 0);
  if (plan->log != NULL) log_init(&log, plan->log, plan->log_attributes, plan->log_bytes, plan->log_files);
  for (;;) {
    wait_for_frame(pipe, &guard);
    if (writer_read_frame(pipe, &header, data) != 0) break;
    struct timespec time = {.tv_sec = header.seconds, .tv_nsec = header.nanoseconds};
    if (header.kind == WRITE_JOURNAL) append_journal(plan->journal, data, header.size);
    else if (plan->log == NULL) continue;
    else if (header.kind == WRITE_END) log_end(&log);
    else log_output(&log, header.kind - 1, data, header.size, time);
  }
  if (plan->log != NULL) log_end(&log);
  _exit(0);
}
