#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "share.h"
#include "syscalls.h"
#include "text.h"
#include "verbs.h"

#define PLAN 3
#define REPORT 4
#define QUIET_NS 1000000000
/* Whoever asked to attach and does not come may have been killed. */
#define HOLD_NS 5000000000

static int read_plan(struct monitor *monitor) {
  struct stat status;
  if (fstat(PLAN, &status) != 0 || status.st_size == 0)
    return fail_errno(&monitor->failure, errno != 0 ? errno : EINVAL, "launch plan");
  size_t size = (size_t)status.st_size;
  char *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, PLAN, 0);
  if (data == MAP_FAILED) return fail_errno(&monitor->failure, errno, "launch plan");
  close(PLAN);
  return plan_read(&monitor->plan, data, size, 0, &monitor->failure);
}

/* Free again by the kernel, whatever ends this process: a free lock means a dead monitor. */
static int take_lock(struct monitor *monitor) {
  monitor->lock = open(monitor->plan.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (monitor->lock < 0) return fail_errno(&monitor->failure, errno, "lock %s", monitor->plan.lock);
  if (flock(monitor->lock, LOCK_EX | LOCK_NB) == 0) return 0;
  if (errno != EWOULDBLOCK) return fail_errno(&monitor->failure, errno, "lock %s", monitor->plan.lock);
  fail_kind(&monitor->failure, KIND_CONFLICT, "another monitor holds it: the container runs already", "lock %s",
            monitor->plan.lock);
  monitor->failure.error = EWOULDBLOCK;
  return -1;
}

static int make_cgroups(struct monitor *monitor) {
  struct plan *plan = &monitor->plan;
  if (cgroup_clear(plan->cgroups, plan->cgroup_count, &monitor->failure) != 0) return -1;
  for (size_t i = 0; i < plan->cgroup_count; i++)
    if (cgroup_make(&plan->cgroups[i], &monitor->failure) != 0) return -1;
  if (cgroup_write_all(plan->writes, plan->write_count, &monitor->failure) != 0) return -1;
  return cgroup_attach_devices(plan->devices, plan->device_count, &monitor->failure);
}

/*
 * A process that writes itself into a version 2 cgroup waits for a grace period of the whole machine; one that is cloned
 * into it does not. So the monitor is a clone of the process that was started.
 */
static bool clone_into_own_cgroup(const struct cgroup_path *cgroup) {
  int directory = open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  pid_t pid = directory < 0 ? -1 : clone_process(0, NULL, directory);
  close_quietly(directory);
  if (pid > 0) _exit(0);
  return pid == 0;
}

static int join_own_cgroups(struct monitor *monitor) {
  struct plan *plan = &monitor->plan;
  for (size_t i = 0; i < plan->monitor_cgroup_count; i++) {
    const struct cgroup_path *cgroup = &plan->monitor_cgroups[i];
    if (cgroup_make(cgroup, &monitor->failure) != 0) return -1;
    if (cgroup->version == 2 && clone_into_own_cgroup(cgroup)) continue;
    if (cgroup_join(cgroup, &monitor->failure) != 0) return -1;
  }
  return 0;
}

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

/* Everything up to here needed code and memory that waiting does not. */
static void quiet(void *data) {
  (void)data;
  memory_trim();
}

void monitor_settle(struct monitor *monitor) {
  monitor->quiet.expired = quiet;
  loop_timer_set(&monitor->loop, &monitor->quiet, now_ns() + QUIET_NS);
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
  /* The networks stay for all runs. */
  if (monitor->report >= 0) journal_networks(monitor, NULL, monitor->network.plan);
  journal_event(monitor, "start", "");
  report_success(monitor);
  monitor_settle(monitor);
}

/* Of a run that never was, as Docker has it: by what was wrong with the program, else one that no program ends with. */
static int not_started_code(const struct monitor *monitor) {
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

int monitor_begin_run(struct monitor *monitor) {
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
static void first_process_ended(struct monitor *monitor, int status) {
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

void monitor_drained(struct monitor *monitor) {
  char extra[96];
  int status = monitor->wait_status;
  monitor->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  monitor->shown_pid = 0;
  output_close(monitor);
  writer_send(&monitor->writer, WRITE_END, "", 0);
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
  journal_event(monitor, "die", extra);
  if (!again) ending_begin(monitor);
}

static void reaped(struct monitor *monitor, pid_t pid, int status) {
  if (pid == monitor->process.pid && !monitor->ended) first_process_ended(monitor, status);
  else if (pid == monitor->writer.pid) writer_ended(&monitor->writer);
  else if (pid == monitor->network.child_pid) {
    if (monitor->phase == PHASE_ENDING) monitor->network.child_pid = 0;
    else network_child_ended(&monitor->network);
  } else if (!health_reaped(monitor, pid, status)) {
    session_ended(monitor, pid, status);
  }
}

static void signals_ready(void *data, short events) {
  struct monitor *monitor = data;
  struct signalfd_siginfo info;
  (void)events;
  while (read(monitor->signals.fd, &info, sizeof info) == sizeof info) {
    /* The machine goes down: the container is stopped, and its policy starts it again next time. */
    if (info.ssi_signo != SIGTERM) continue;
    monitor->leaving = true;
    monitor_stop(monitor, monitor->plan.stop_signal, monitor->plan.grace_ms);
  }
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) reaped(monitor, pid, status);
}

static int watch_signals(struct monitor *monitor) {
  sigset_t all, watched;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigaddset(&watched, SIGTERM);
  int fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return fail_errno(&monitor->failure, errno, "signal descriptor");
  monitor->signals = (struct watch){.fd = fd, .events = POLLIN, .ready = signals_ready, .data = monitor};
  loop_add(&monitor->loop, &monitor->signals);
  return 0;
}

/* Out of reach of the container and of the killer of large processes. */
static void protect(void) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl(PR_SET_NAME, "tscompose-monit", 0, 0, 0);
  write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", "-999");
  umask(077);
}

static void begin_after_hold(void *data) {
  monitor_begin_first_run(data);
}

void monitor_begin_first_run(struct monitor *monitor) {
  loop_timer_clear(&monitor->hold);
  if (monitor_begin_run(monitor) == 0) client_run_begins(monitor);
  else ending_begin(monitor);
}

static void hold(struct monitor *monitor) {
  monitor->phase = PHASE_HELD;
  monitor->hold = (struct timer){.expired = begin_after_hold, .data = monitor};
  loop_timer_set(&monitor->loop, &monitor->hold, now_ns() + HOLD_NS);
}

static int launch(struct monitor *monitor) {
  if (watch_signals(monitor) != 0) return -1;
  if (volume_use_begin(&monitor->plan, &monitor->failure) != 0) return -1;
  if (client_listen(monitor, &monitor->failure) != 0 || make_cgroups(monitor) != 0) return -1;
  if (network_publish(&monitor->network, &monitor->failure) != 0) return -1;
  if (network_attach(&monitor->network, &monitor->failure) != 0) return -1;
  if (network_start_child(&monitor->network, &monitor->failure) != 0) return -1;
  if (monitor->plan.expected_clients == 0) return monitor_begin_run(monitor);
  hold(monitor);
  return 0;
}

int monitor_main(void) {
  static struct monitor monitor;
  monitor.report = REPORT;
  cloexec_from(PLAN);
  protect();
  if (read_plan(&monitor) != 0 || join_own_cgroups(&monitor) != 0 || take_lock(&monitor) != 0) {
    monitor.failure.exit_code = 125;
    send_failure(REPORT, &monitor.failure);
    return 1;
  }
  /* Left by a monitor that was killed: it does not speak of this run. */
  unlink(monitor.plan.state);
  monitor.status = "exited";
  monitor.phase = PHASE_STARTING;
  monitor.memory_events.fd = monitor.control.fd = monitor.network.broker.fd = monitor.network.namespace = -1;
  monitor.process.pidfd = monitor.process.sync = monitor.process.terminal = monitor.terminal_peer = -1;
  monitor.outputs[0].watch.fd = monitor.outputs[1].watch.fd = monitor.input.fd = monitor.sync.fd = -1;
  monitor.health.output.fd = monitor.health.sync.fd = -1;
  monitor.network.loop = &monitor.loop;
  monitor.network.plan = monitor.network.launched = &monitor.plan;
  monitor.writer = (struct writer){.loop = &monitor.loop,
                                   .plan = &monitor.plan,
                                   .pipe = {.fd = -1},
                                   .guard = -1,
                                   .guarded = -1,
                                   .relieved = output_resume,
                                   .data = &monitor};
  if (launch(&monitor) != 0) ending_begin(&monitor);
  for (;;) loop_turn(&monitor.loop);
}
