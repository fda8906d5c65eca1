#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ship.h"

/* Descriptors of the writer's process. */
enum { PIPE = 3, GUARD = 4, LINK = 5 };

static void send_backlog(struct writer *writer);

static void pipe_ready(void *data, short events) {
  (void)events;
  send_backlog(data);
}

static void send_guarded(struct writer *writer) {
  char byte = 0;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (writer->guard < 0 || writer->guarded < 0) return;
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(&control.header), &writer->guarded, sizeof(int));
  sendmsg(writer->guard, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* In the child: nothing of the monitor's stays open, among others the lock, which must be free when the monitor is gone. */
static void run_child(const struct writer *writer, int pipe, int guard) {
  int high_pipe = duplicate_above(pipe, 16), high_guard = duplicate_above(guard, 16);
  int high_link = writer->link < 0 ? -1 : duplicate_above(writer->link, 16);
  if (high_pipe < 0 || high_guard < 0 || dup3(high_pipe, PIPE, O_CLOEXEC) < 0 || dup3(high_guard, GUARD, O_CLOEXEC) < 0)
    _exit(1);
  bool linked = high_link >= 0 && dup3(high_link, LINK, O_CLOEXEC) >= 0;
  close_from(linked ? LINK + 1 : GUARD + 1);
  if (writer->ships) ship_run(PIPE, linked ? LINK : -1, writer->plan);
  else writer_run(PIPE, GUARD, writer->plan);
}

static int start(struct writer *writer) {
  int ends[2], guards[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t pid = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, guards) == 0 ? fork() : -1;
  if (pid == 0) run_child(writer, ends[0], guards[0]);
  close_quietly(ends[0]);
  close_quietly(guards[0]);
  if (pid < 0) {
    close_quietly(ends[1]);
    close_quietly(guards[1]);
    return -1;
  }
  writer->pid = pid;
  writer->guard = guards[1];
  close_quietly(writer->link);
  writer->link = -1;
  set_nonblocking(ends[1], true);
  writer->pipe = (struct watch){.fd = ends[1], .events = 0, .ready = pipe_ready, .data = writer};
  loop_add(writer->loop, &writer->pipe);
  send_guarded(writer);
  return 0;
}

static void drop_backlog(struct writer *writer) {
  buffer_free(&writer->backlog);
  writer->written = 0;
}

static void close_pipe(struct writer *writer) {
  if (writer->pipe.fd < 0) return;
  loop_remove(writer->loop, &writer->pipe);
  close_quietly(writer->pipe.fd);
  close_quietly(writer->guard);
  writer->pipe.fd = writer->guard = -1;
}

static void send_backlog(struct writer *writer) {
  while (writer->written < writer->backlog.size) {
    ssize_t count =
        write(writer->pipe.fd, writer->backlog.data + writer->written, writer->backlog.size - writer->written);
    if (count >= 0) {
      writer->written += (size_t)count;
    } else if (errno == EAGAIN) {
      writer->pipe.events = POLLOUT;
      return;
    } else if (errno != EINTR) {
      /* A frame that was cut off cannot be continued with another reader. */
      close_pipe(writer);
      break;
    }
  }
  drop_backlog(writer);
  writer->pipe.events = 0;
  if (writer->finishing) close_pipe(writer);
  else if (writer->relieved != NULL) writer->relieved(writer->data);
}

bool writer_is_full(const struct writer *writer) {
  return writer->backlog.size > 0;
}

void writer_send(struct writer *writer, enum writer_kind kind, const void *data, size_t size) {
  struct timespec time;
  struct frame_header header = {.size = (uint32_t)size, .kind = kind};
  if (writer->pipe.fd < 0 && (writer->backlog.size > 0 || start(writer) != 0)) {
    drop_backlog(writer);
    if (writer->pipe.fd < 0 && start(writer) != 0) return;
  }
  clock_gettime(CLOCK_REALTIME, &time);
  header.seconds = time.tv_sec;
  header.nanoseconds = time.tv_nsec;
  buffer_append(&writer->backlog, &header, sizeof header);
  buffer_append(&writer->backlog, data, size);
  if (writer->pipe.events == 0) {
    /* Straight away, without telling the senders about relief that they do not wait for. */
    void (*relieved)(void *) = writer->relieved;
    writer->relieved = NULL;
    send_backlog(writer);
    writer->relieved = relieved;
  }
}

void writer_guard(struct writer *writer, int pidfd) {
  writer->guarded = pidfd;
  if (writer->pipe.fd < 0 && !writer->finishing && start(writer) == 0) return;
  send_guarded(writer);
}

void writer_finish(struct writer *writer) {
  writer->finishing = true;
  if (writer->backlog.size == 0) close_pipe(writer);
}

void writer_ended(struct writer *writer) {
  writer->pid = 0;
  if (writer->pipe.fd < 0) return;
  close_pipe(writer);
  drop_backlog(writer);
  if (writer->relieved != NULL) writer->relieved(writer->data);
}
