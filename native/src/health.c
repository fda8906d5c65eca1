/* Health probes: the plan's words, executed in the container with its own confinement. Rules and defaults are Docker's. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor.h"
#include "text.h"

#define OUTPUT_MAX 4096
#define RESULTS_MAX 5
#define MS 1000000LL
#define PROCESS_IS_EXITING 4 /* PF_EXITING of linux/sched.h */

static void probe(void *data);

static uint64_t or_default(uint64_t value, uint64_t other) {
  return value > 0 ? value : other;
}

static bool in_start_period(const struct monitor *monitor) {
  const struct health *health = &monitor->health;
  return strcmp(health->status, "starting") == 0 &&
         now_ns() - health->started_ns < (int64_t)monitor->plan.health.start_period_ms * MS;
}

static void plan_next(struct monitor *monitor) {
  const struct health_plan *plan = &monitor->plan.health;
  uint64_t wait = in_start_period(monitor) ? or_default(plan->start_interval_ms, 5000) : or_default(plan->interval_ms, 30000);
  monitor->health.timer.expired = probe;
  monitor->health.timer.data = monitor;
  loop_timer_set(&monitor->loop, &monitor->health.timer, now_ns() + (int64_t)wait * MS);
}

static void close_output(struct monitor *monitor) {
  struct watch *output = &monitor->health.output;
  if (output->fd < 0) return;
  loop_remove(&monitor->loop, output);
  close_quietly(output->fd);
  output->fd = -1;
}

/* Takes the text over. */
static void keep_result(struct health *health, int exit_code, struct buffer *text) {
  if (health->result_count == RESULTS_MAX) {
    free(health->results[0].output);
    memmove(health->results, health->results + 1, (RESULTS_MAX - 1) * sizeof health->results[0]);
    health->result_count--;
  }
  health->results[health->result_count++] = (struct probe_result){.start = health->probe_start,
                                                                  .end = time_now(),
                                                                  .exit_code = exit_code,
                                                                  .output = text->data,
                                                                  .output_size = text->size};
  *text = (struct buffer){0};
}

static void judge(struct monitor *monitor, int exit_code, bool was_starting_up) {
  struct health *health = &monitor->health;
  const char *before = health->status;
  if (exit_code == 0) {
    health->failing_streak = 0;
    health->status = "healthy";
  } else if (!was_starting_up) {
    /* While it starts up, a failure is no failure yet. */
    health->failing_streak++;
    if (health->failing_streak >= or_default(monitor->plan.health.retries, 3)) health->status = "unhealthy";
  }
  state_changed(monitor);
  if (before == health->status) return;
  char action[40];
  snprintf(action, sizeof action, "health_status: %s", health->status);
  journal_event(monitor, action, "");
  if (!monitor->plan.health.restart || strcmp(health->status, "unhealthy") != 0) return;
  health->ended_run = true;
  monitor_stop(monitor, monitor->plan.stop_signal, monitor->plan.grace_ms);
}

static void finish_probe(struct monitor *monitor, int exit_code, struct buffer *text) {
  struct health *health = &monitor->health;
  process_close(&health->probe);
  close_output(monitor);
  keep_result(health, exit_code, text);
  judge(monitor, exit_code, health->began_in_start_period);
  monitor_settle(monitor);
  plan_next(monitor);
}

static void read_output(struct monitor *monitor) {
  struct health *health = &monitor->health;
  char block[4096];
  while (health->output.fd >= 0) {
    ssize_t count = read(health->output.fd, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      close_output(monitor);
      return;
    }
    /* One byte more than is kept says that there was more. */
    size_t room = OUTPUT_MAX + 1 - health->text.size;
    buffer_append(&health->text, block, (size_t)count < room ? (size_t)count : room);
  }
}

static void output_ready(void *data, short events) {
  (void)events;
  read_output(data);
}

static void sync_ready(void *data, short events) {
  struct monitor *monitor = data;
  struct health *health = &monitor->health;
  (void)events;
  if (process_continue(&health->probe, &health->failure) == PROCESS_PENDING) return;
  loop_remove(&monitor->loop, &health->sync);
  health->sync.fd = -1;
}

/* The probe was made a group of its own: what it has started goes with it. */
static void kill_probe(struct health *health) {
  if (kill(-health->probe.pid, SIGKILL) != 0) kill(health->probe.pid, SIGKILL);
}

static void late(void *data) {
  struct monitor *monitor = data;
  monitor->health.timed_out = true;
  kill_probe(&monitor->health);
}

static int start_probe(struct monitor *monitor) {
  struct health *health = &monitor->health;
  struct plan *plan = &monitor->plan;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno(&health->failure, errno, "health probe");
  struct process_request request = {
      .join = monitor->process.pidfd,
      .network = -1,
      .pid_of = -1,
      .ipc_of = -1,
      .no_way_back = plan->outside != NULL,
      .machines = plan_machines(plan),
      .cgroups = plan->cgroups,
      .cgroup_count = plan->cgroup_count,
      .operations = plan->process,
      .operations_size = plan->process_size,
      .words = plan->health.words,
      .keyring = plan->id,
      .standard = {-1, ends[1], ends[1]},
  };
  int result = process_begin(&request, &health->probe, &health->failure);
  close_quietly(ends[1]);
  if (result != 0) {
    close_quietly(ends[0]);
    return -1;
  }
  set_nonblocking(ends[0], true);
  health->output = (struct watch){.fd = ends[0], .events = POLLIN, .ready = output_ready, .data = monitor};
  health->sync = (struct watch){.fd = health->probe.sync, .events = POLLIN, .ready = sync_ready, .data = monitor};
  loop_add(&monitor->loop, &health->output);
  loop_add(&monitor->loop, &health->sync);
  return 0;
}

/* When the container's first process ends, a probe is killed with it: that says nothing about the container's health. */
static bool container_is_ending(const struct monitor *monitor) {
  struct buffer text = {0};
  unsigned long flags = 0;
  char *path = xasprintf("/proc/%d/stat", (int)monitor->process.pid);
  bool known = monitor->phase == PHASE_RUNNING && read_file_at(AT_FDCWD, path, 4096, &text) == 0;
  if (known) {
    buffer_append(&text, "", 1);
    /* Field 9 (proc_pid_stat(5)), counted from the end of the name. */
    char *field = strrchr(text.data, ')');
    for (int i = 0; field != NULL && i < 7; i++) field = strchr(field + 1, ' ');
    if (field != NULL) flags = strtoul(field, NULL, 10);
  }
  buffer_free(&text);
  free(path);
  return !known || flags & PROCESS_IS_EXITING;
}

static void probe(void *data) {
  struct monitor *monitor = data;
  struct health *health = &monitor->health;
  if (health->probe.pid > 0) {
    /* Left by an earlier run and killed, but not gone yet. */
    plan_next(monitor);
    return;
  }
  health->probe_start = time_now();
  health->began_in_start_period = in_start_period(monitor);
  health->timed_out = false;
  health->failure = (struct failure){0};
  if (start_probe(monitor) != 0) {
    struct buffer text = {0};
    if (container_is_ending(monitor)) return;
    buffer_text(&text, health->failure.message);
    finish_probe(monitor, -1, &text);
    return;
  }
  health->timer.expired = late;
  loop_timer_set(&monitor->loop, &health->timer, now_ns() + (int64_t)or_default(monitor->plan.health.timeout_ms, 30000) * MS);
}

/* What the result says, and the text that is kept with it. */
static int describe_result(struct monitor *monitor, int status, struct buffer *text) {
  struct health *health = &monitor->health;
  struct buffer output = health->text;
  health->text = (struct buffer){0};
  int exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (health->timed_out) {
    double seconds = (double)or_default(monitor->plan.health.timeout_ms, 30000) / 1000;
    buffer_printf(text, "Health check exceeded timeout (%gs)%s", seconds, output.size > 0 ? ": " : "");
    exit_code = -1;
  }
  if (health->failure.kind != NULL && !health->timed_out) {
    buffer_text(text, health->failure.message);
    exit_code = health->failure.exit_code;
  } else {
    buffer_append(text, output.data, output.size < OUTPUT_MAX ? output.size : OUTPUT_MAX);
    if (output.size > OUTPUT_MAX) buffer_text(text, "...");
  }
  buffer_free(&output);
  return exit_code;
}

static void forget_dropped(struct monitor *monitor) {
  struct health *health = &monitor->health;
  health->dropped = false;
  buffer_free(&health->text);
  process_close(&health->probe);
  close_output(monitor);
  if (monitor->phase == PHASE_RUNNING && monitor->pause.state == PAUSE_NONE) plan_next(monitor);
}

bool health_reaped(struct monitor *monitor, pid_t pid, int status) {
  struct health *health = &monitor->health;
  struct buffer text = {0};
  if (health->probe.pid == 0 || pid != health->probe.pid) return false;
  while (health->sync.fd >= 0) sync_ready(monitor, POLLIN);
  loop_timer_clear(&health->timer);
  read_output(monitor);
  if (health->dropped) {
    forget_dropped(monitor);
    return true;
  }
  int exit_code = describe_result(monitor, status, &text);
  if (monitor->phase == PHASE_RUNNING && (exit_code == 0 || !container_is_ending(monitor))) {
    finish_probe(monitor, exit_code, &text);
  } else {
    process_close(&health->probe);
    close_output(monitor);
  }
  buffer_free(&text);
  return true;
}

void health_start(struct monitor *monitor) {
  struct health *health = &monitor->health;
  if (!monitor->plan.health.set) return;
  health->status = "starting";
  health->failing_streak = 0;
  health->ended_run = false;
  health->started_ns = now_ns();
  plan_next(monitor);
}

void health_stop(struct monitor *monitor) {
  struct health *health = &monitor->health;
  loop_timer_clear(&health->timer);
  if (health->probe.pid > 0) kill_probe(health);
}

void health_rest(struct monitor *monitor) {
  struct health *health = &monitor->health;
  loop_timer_clear(&health->timer);
  if (health->probe.pid == 0) return;
  health->dropped = true;
  kill_probe(health);
}

void health_resume(struct monitor *monitor) {
  /* A probe that was dropped has to be reaped first; the next one is planned then. */
  if (monitor->plan.health.set && monitor->phase == PHASE_RUNNING && monitor->health.probe.pid == 0) plan_next(monitor);
}
