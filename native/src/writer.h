/*
 * The disk writer: a process beside the monitor that writes the container's log and the event journal. Disks hang; the
 * monitor must not. It sends to a pipe that never blocks it, and while the pipe is full it reads no output of the
 * container, which holds the container back.
 *
 * It is also the one who notices when the monitor was killed, and then kills the container: the kernel's parent-death
 * signal does that too, but a first process that changes its user (as gosu and su do) or executes a set-user-ID program
 * loses it (prctl(2), PR_SET_PDEATHSIG).
 */
#ifndef WRITER_H
#define WRITER_H

#include "loop.h"
#include "plan.h"

enum writer_kind {
  WRITE_STDOUT = 1,
  WRITE_STDERR = 2,
  WRITE_JOURNAL = 3, /* one whole line */
  WRITE_END = 4,     /* the container's output has ended: what is left of a line is written */
};

struct writer {
  bool ships;     /* to the plan's receiver, instead of to the disk (ship.h) */
  int link;       /* that its process starts with, its own from then on; -1: none */
  struct loop *loop;
  const struct plan *plan;
  pid_t pid; /* 0: none */
  int guard;  /* a container's first process (its pid descriptor) is sent over this */
  int guarded; /* the newest one, sent again to a new writer; the caller's, -1: none */
  struct watch pipe;
  struct buffer backlog; /* what the pipe did not take */
  size_t written;        /* of the backlog */
  bool finishing;        /* the pipe is closed as soon as the backlog is gone */
  void (*relieved)(void *data); /* the backlog is gone */
  void *data;
};

/* A backlog is bounded by its senders: they stop reading while this is true. */
bool writer_is_full(const struct writer *writer);
void writer_send(struct writer *writer, enum writer_kind kind, const void *data, size_t size);
/* From now on the writer kills this process when the monitor dies. -1: there is none any more. */
void writer_guard(struct writer *writer, int pidfd);
/* No more will come: the writer ends when it has written everything. */
void writer_finish(struct writer *writer);
/* To be called when its pid was reaped. */
void writer_ended(struct writer *writer);

/* Larger than anything the monitor sends in one frame. */
#define FRAME_MAX 65536

/* In the writer's process: reads frames until end of file. */
void writer_run(int pipe, int guard, const struct plan *plan) __attribute__((noreturn));

struct frame_header {
  uint32_t size;
  uint32_t kind;
  int64_t seconds; /* wall clock, when the output was read */
  int64_t nanoseconds;
};

/* The next frame, waited for. -1 at end of file. */
int writer_read_frame(int pipe, struct frame_header *header, char data[FRAME_MAX]);

#endif
