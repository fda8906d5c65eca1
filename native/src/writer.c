#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define READ 3

static void send_backlog(struct writer *writer);

static void pipe_ready(void *data, short events) {
  (void)events;
  send_backlog(data);
}

static int start(struct writer *writer) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[0], READ);
    /* Among others the lock, which must be free when the monitor is gone. */
    close_from(READ + 1);
    writer_run(READ, writer->plan);
  }
  close_quietly(ends[0]);
  if (pid < 0) {
    close_quietly(ends[1]);
    return -1;
  }
  writer->pid = pid;
  set_nonblocking(ends[1], true);
  writer->pipe = (struct watch){.fd = ends[1], .events = 0, .ready = pipe_ready, .data = writer};
  loop_add(writer->loop, &writer->pipe);
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
  writer->pipe.fd = -1;
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
