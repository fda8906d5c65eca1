/* The container's standard streams: to the log and to attached clients, and from these to the container. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "monitor.h"
#include "text.h"

#define READ_SIZE 16384
/* What may hold a pipe open after the container's last process: nothing that is worth waiting longer for. */
#define DRAIN_NS 10000000000
/* A pipe holds a megabyte at most. */
#define DRAIN_LONGEST_NS 30000000000

static void close_watch(struct monitor *monitor, struct watch *watch) {
  if (watch->fd < 0) return;
  loop_remove(&monitor->loop, watch);
  close_quietly(watch->fd);
  watch->fd = -1;
}

static void check_drained(struct monitor *monitor) {
  if (monitor->phase != PHASE_DRAINING || monitor->outputs[0].watch.fd >= 0 || monitor->outputs[1].watch.fd >= 0) return;
  loop_timer_clear(&monitor->drain);
  run_drained(monitor);
}

/* Both get the same, and each at its own speed; the slower one sets the container's. */
static void keep(struct monitor *monitor, enum writer_kind kind, const char *data, size_t size) {
  if (monitor->plan.log != NULL) writer_send(&monitor->writer, kind, data, size);
  if (monitor->shipper.ships) writer_send(&monitor->shipper, kind, data, size);
}

static bool keeping_is_behind(const struct monitor *monitor) {
  return writer_is_full(&monitor->writer) || (monitor->shipper.ships && writer_is_full(&monitor->shipper));
}

static void output_ready(void *data, short events) {
  struct output *output = data;
  struct monitor *monitor = output->monitor;
  char block[READ_SIZE];
  (void)events;
  if (keeping_is_behind(monitor) || (monitor->phase != PHASE_DRAINING && client_is_behind(monitor))) {
    /* The log or a client is behind: the container waits in its write until output_resume. */
    output->watch.events = 0;
    return;
  }
  ssize_t size = read(output->watch.fd, block, sizeof block);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) { /* end of file; EIO on a terminal whose other side is closed */
    close_watch(monitor, &output->watch);
    check_drained(monitor);
    return;
  }
  if (monitor->phase == PHASE_STARTING && !monitor->has_spoken) {
    monitor->spoke = time_now();
    monitor->has_spoken = true;
  }
  keep(monitor, output->stream == 1 ? WRITE_STDOUT : WRITE_STDERR, block, (size_t)size);
  client_broadcast(monitor, output->stream, block, (size_t)size);
  if (monitor->phase == PHASE_DRAINING) {
    /* Not for ever: somebody outside may have been given the pipe, and write to it on and on. */
    int64_t longer = now_ns() + DRAIN_NS, last = monitor->drain_began_ns + DRAIN_LONGEST_NS;
    loop_timer_set(&monitor->loop, &monitor->drain, longer < last ? longer : last);
  }
}

void output_resume(void *data) {
  struct monitor *monitor = data;
  for (unsigned i = 0; i < 2; i++)
    if (monitor->outputs[i].watch.fd >= 0) monitor->outputs[i].watch.events = POLLIN;
}

static void input_ready(void *data, short events) {
  struct monitor *monitor = data;
  if (events & POLLERR) {
    /* Clients that wait for it to take more: what they still send is thrown away. */
    output_close_input(monitor);
    client_input_ready(monitor);
    return;
  }
  monitor->input.events = 0;
  client_input_ready(monitor);
}

static void watch_output(struct monitor *monitor, unsigned index, int fd) {
  struct output *output = &monitor->outputs[index];
  set_nonblocking(fd, true);
  output->monitor = monitor;
  output->stream = index + 1;
  output->watch = (struct watch){.fd = fd, .events = POLLIN, .ready = output_ready, .data = output};
  loop_add(&monitor->loop, &output->watch);
}

static void watch_input(struct monitor *monitor, int fd) {
  set_nonblocking(fd, true);
  monitor->input = (struct watch){.fd = fd, .events = 0, .ready = input_ready, .data = monitor};
  loop_add(&monitor->loop, &monitor->input);
  client_input_ready(monitor);
  if (monitor->input_over) output_close_input(monitor);
  monitor->input_over = false;
}

int output_open(struct monitor *monitor, int standard[3]) {
  int ends[2];
  standard[0] = standard[1] = standard[2] = -1;
  monitor->terminal_peer = -1;
  monitor->outputs[0].watch.fd = monitor->outputs[1].watch.fd = monitor->input.fd = -1;
  if (monitor->plan.terminal) return 0;
  for (unsigned i = 0; i < 2; i++) {
    if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno(&monitor->failure, errno, "standard streams");
    standard[i + 1] = ends[1];
    watch_output(monitor, i, ends[0]);
  }
  if (!monitor->plan.open_stdin) return 0;
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno(&monitor->failure, errno, "standard streams");
  standard[0] = ends[0];
  watch_input(monitor, ends[1]);
  return 0;
}

void output_watch_terminal(struct monitor *monitor, int master) {
  monitor->terminal_peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  watch_output(monitor, 0, master);
  if (monitor->plan.open_stdin) {
    int copy = duplicate_above(master, 0);
    if (copy >= 0) watch_input(monitor, copy);
  }
}

static void give_up(void *data) {
  struct monitor *monitor = data;
  close_watch(monitor, &monitor->outputs[0].watch);
  close_watch(monitor, &monitor->outputs[1].watch);
  check_drained(monitor);
}

void output_drain(struct monitor *monitor) {
  close_quietly(monitor->terminal_peer);
  monitor->terminal_peer = -1;
  monitor->drain.expired = give_up;
  monitor->drain.data = monitor;
  monitor->drain_began_ns = now_ns();
  loop_timer_set(&monitor->loop, &monitor->drain, monitor->drain_began_ns + DRAIN_NS);
  /* What a slow client held back is in the pipes: as much as they hold, and no more. */
  output_resume(monitor);
  check_drained(monitor);
}

void output_close_input(struct monitor *monitor) {
  close_watch(monitor, &monitor->input);
}

void output_end_input(struct monitor *monitor) {
  if (monitor->phase == PHASE_STARTING && monitor->input.fd < 0) monitor->input_over = true;
  else output_close_input(monitor);
}

void output_close(struct monitor *monitor) {
  close_watch(monitor, &monitor->outputs[0].watch);
  close_watch(monitor, &monitor->outputs[1].watch);
  close_watch(monitor, &monitor->input);
  close_quietly(monitor->terminal_peer);
  monitor->terminal_peer = -1;
}
