#include "monitor.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "share.h"
#include "syscalls.h"
#include "text.h"

static void report_success(struct monitor *monitor) {
  struct json json = {0};
  if (monitor->report < 0) return;
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_member_number(&json, "pid", monitor->process.pid);
  json_member_number(&json, "monitor", getpid());
  json_close(&json, '}');
  json_send(&json, monitor->report);
  close_quietly(monitor->report);
  monitor->report = -1;
}

static uint64_t oom_kills(const struct monitor *monitor) {
  return cgroup_oom_kills(monitor->plan.cgroups, monitor->plan.cgroup_count);
}

static void note_oom(struct monitor *monitor) {
  uint64_t kills = oom_kills(monitor);
  if (kills <= monitor->oom_kills) return;
  monitor->oom_kills = kills;
  monitor->oom_killed = true;
  journal_event(monitor, "oom", "");
}

static void unwatch_memory(struct monitor *monitor) {
  if (monitor->memory_events.fd < 0) return;
  loop_remove(&monitor->loop, &monitor->memory_events);
  close_quietly(monitor->memory_events.fd);
  monitor->memory_events.fd = -1;
}

/* The file is ready until it was read through this very descriptor, also right after it was opened. */
static bool acknowledge_memory(const struct monitor *monitor) {
  char text[4096];
  return pread(monitor->memory_events.fd, text, sizeof text, 0) > 0;
}

static void memory_ready(void *data, short events) {
  struct monitor *monitor = data;
  (void)events;
  bool there = acknowledge_memory(monitor);
  note_oom(monitor);
  if (!there) unwatch_memory(monitor);
}

static void watch_memory(struct monitor *monitor) {
  int fd = cgroup_oom_events(monitor->plan.cgroups, monitor->plan.cgroup_count);
  monitor->memory_events = (struct watch){.fd = fd, .events = POLLPRI, .ready = memory_ready, .data = monitor};
  if (fd < 0) return;
  loop_add(&monitor->loop, &monitor->memory_events);
  if (!acknowledge_memory(monitor)) unwatch_memory(monitor);
}

/* Nobody would know of a run that is not written down: then it is none, as long as nobody was told of it. */
static void take_back(struct monitor *monitor, int error) {
  fail_errno(&monitor->failure, error, "write %s", monitor->plan.state);
  monitor->exit_code = monitor->failure.exit_code = 125;
  monitor->status = "exited";
  monitor->shown_pid = 0;
  monitor->has_started = false;
  unwatch_memory(monitor);
  ending_begin(monitor);
}

static void executed(struct monitor *monitor) {
  monitor->phase = PHASE_RUNNING;
  monitor->status = "running";
  monitor->shown_pid = monitor->process.pid;
  /* Nothing that a run writes is older than the run. */
  monitor->started = monitor->has_spoken ? monitor->spoke : time_now();
  monitor->has_started = true;
  monitor->exit_code = 0;
  monitor->failure.kind = NULL;
  monitor->oom_killed = false;
  monitor->oom_kills = oom_kills(monitor);
  restart_ran(monitor);
  client_input_ready(monitor);
  watch_memory(monitor);
  health_start(monitor);
  if (state_changed(monitor) != 0 && monitor->report >= 0) {
    take_back(monitor, errno);
    return;
  }
  journal_place(monitor);
  journal_event(monitor, "start", "");
  report_success(monitor);
  monitor_settle(monitor);
}

/* Of a run that never was, as Docker has it: by what was wrong with the program, else one that no program ends with. */
int not_started_code(const struct monitor *monitor) {
  int code = monitor->failure.exit_code;
  return code == 126 || code == 127 ? code : 128;
}

/*
 * A process that could not be set up; it is reaped by itself. What a later run shares may have ended while it began, which is
 * the same as before it did.
 */
static void not_executed(struct monitor *monitor) {
  if (monitor->stopped_by_user)
    fail_kind(&monitor->failure, KIND_CANCELED, "it was stopped before its program ran", "launch");
  output_close(monitor);
  monitor->exit_code = not_started_code(monitor);
  if (monitor->has_started && restart_waits_for_other(monitor)) {
    writer_guard(&monitor->writer, -1);
    process_close(&monitor->process);
    return;
  }
  ending_begin(monitor);
}

static void end_sync(struct monitor *monitor) {
  loop_remove(&monitor->loop, &monitor->sync);
  monitor->sync.fd = -1;
}

static void sync_ready(void *data, short events) {
  struct monitor *monitor = data;
  (void)events;
  enum process_progress progress = process_continue(&monitor->process, &monitor->failure);
  if (monitor->process.terminal >= 0) {
    output_watch_terminal(monitor, monitor->process.terminal);
    monitor->process.terminal = -1; /* belongs to the output now */
  }
  if (progress == PROCESS_PENDING) return;
  end_sync(monitor);
  if (progress == PROCESS_EXECUTED) executed(monitor);
  else not_executed(monitor);
}

int run_begin(struct monitor *monitor) {
  int standard[3];
  struct share share;
  struct plan *plan = &monitor->plan;
  monitor->ended = false;
  monitor->phase = PHASE_STARTING;
  monitor->has_spoken = false;
  if (share_open(plan, &share, &monitor->failure) != 0 || output_open(monitor, standard) != 0) {
    share_close(&share);
    monitor->exit_code = not_started_code(monitor);
    return -1;
  }
  struct process_request request = {
      .namespaces = plan->namespaces,
      .join = -1,
      .network = share.network >= 0 ? share.network : monitor->network.namespace,
      .pid_of = share.pid, .ipc_of = share.ipc,
      .no_way_back = plan->outside != NULL,
      .cgroups = plan->cgroups, .cgroup_count = plan->cgroup_count,
      .operations = plan->process,
      .operations_size = plan->process_size,
      .keyring = plan->id,
      .terminal = plan->terminal,
      .rows = plan->rows, .columns = plan->columns,
      .init = plan->init,
      .standard = {standard[0], standard[1], standard[2]},
  };
  int result = process_begin(&request, &monitor->process, &monitor->failure);
  for (int fd = 0; fd < 3; fd++) close_quietly(standard[fd]);
  share_close(&share);
  if (result != 0) {
    output_close(monitor);
    monitor->exit_code = not_started_code(monitor);
    return -1;
  }
  writer_guard(&monitor->writer, monitor->process.pidfd);
  monitor->sync = (struct watch){.fd = monitor->process.sync, .events = POLLIN, .ready = sync_ready, .data = monitor};
  loop_add(&monitor->loop, &monitor->sync);
  return 0;
}

/* The first process has ended: with its pid namespace everything in it; without one the rest is killed here. */
void run_process_ended(struct monitor *monitor, int status) {
  monitor->ended = true;
  monitor->wait_status = status;
  while (monitor->process.sync >= 0) sync_ready(monitor, POLLIN);
  if (monitor->phase != PHASE_RUNNING) return;
  monitor->phase = PHASE_DRAINING;
  monitor->finished = time_now();
  monitor->has_finished = true;
  loop_timer_clear(&monitor->stop);
  pause_release(monitor);
  health_stop(monitor);
  if (!(monitor->plan.namespaces & CLONE_NEWPID)) cgroup_kill_rest(monitor->plan.cgroups, monitor->plan.cgroup_count);
  output_drain(monitor);
}

/* Whole seconds of the run. The clock may have been set back meanwhile. */
static int64_t run_seconds(const struct monitor *monitor) {
  int64_t nanoseconds = (int64_t)(monitor->finished.tv_sec - monitor->started.tv_sec) * 1000000000 +
                        monitor->finished.tv_nsec - monitor->started.tv_nsec;
  return nanoseconds > 0 ? nanoseconds / 1000000000 : 0;
}

void run_drained(struct monitor *monitor) {
  char extra[96];
  int status = monitor->wait_status;
  monitor->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  monitor->shown_pid = 0;
  output_close(monitor);
  writer_send(&monitor->writer, WRITE_END, "", 0);
  if (monitor->shipper.ships) writer_send(&monitor->shipper, WRITE_END, "", 0);
  unwatch_memory(monitor);
  note_oom(monitor);
  writer_guard(&monitor->writer, -1);
  process_close(&monitor->process);
  client_run_ended(monitor);
  snprintf(extra, sizeof extra, ",\"execDuration\":\"%lld\",\"exitCode\":\"%d\"%s", (long long)run_seconds(monitor),
           monitor->exit_code, monitor->health.ended_run ? ",\"cause\":\"unhealthy\"" : "");
  bool again = restart_plan_next(monitor);
  monitor->status = again ? "restarting" : "exited";
  monitor->phase = PHASE_WAITING;
  state_changed(monitor);
  journal_leave(monitor);
  journal_event(monitor, "die", extra);
  if (!again) ending_begin(monitor);
}
