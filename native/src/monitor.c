#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "ship.h"
#include "syscalls.h"
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

/* Everything up to here needed code and memory that waiting does not. */
static void quiet(void *data) {
  (void)data;
  memory_trim();
}

void monitor_settle(struct monitor *monitor) {
  monitor->quiet.expired = quiet;
  loop_timer_set(&monitor->loop, &monitor->quiet, now_ns() + QUIET_NS);
}

static void reaped(struct monitor *monitor, pid_t pid, int status) {
  if (pid == monitor->process.pid && !monitor->ended) run_process_ended(monitor, status);
  else if (pid == monitor->writer.pid) writer_ended(&monitor->writer);
  else if (pid == monitor->shipper.pid) writer_ended(&monitor->shipper);
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
  ending_look(monitor);
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
  if (run_begin(monitor) == 0) client_run_begins(monitor);
  else ending_begin(monitor);
}

static void hold(struct monitor *monitor) {
  monitor->phase = PHASE_HELD;
  monitor->hold = (struct timer){.expired = begin_after_hold, .data = monitor};
  loop_timer_set(&monitor->loop, &monitor->hold, now_ns() + HOLD_NS);
}

static int start_shipper(struct monitor *monitor) {
  if (ship_connect(&monitor->plan, &monitor->shipper.link, &monitor->failure) != 0) return -1;
  monitor->shipper.ships = monitor->plan.receiver.protocol != RECEIVER_NONE;
  if (monitor->shipper.ships) writer_guard(&monitor->shipper, -1);
  return 0;
}

static int launch(struct monitor *monitor) {
  if (watch_signals(monitor) != 0) return -1;
  if (volume_use_begin(&monitor->plan, &monitor->failure) != 0) return -1;
  if (client_listen(monitor, &monitor->failure) != 0) return -1;
  if (network_publish(&monitor->network, &monitor->failure) != 0) return -1;
  if (network_attach(&monitor->network, &monitor->failure) != 0) return -1;
  if (network_start_child(&monitor->network, &monitor->failure) != 0) return -1;
  if (make_cgroups(monitor) != 0 || start_shipper(monitor) != 0) return -1;
  if (network_finish_child(&monitor->network, &monitor->failure) != 0) return -1;
  if (monitor->plan.expected_clients == 0) return run_begin(monitor);
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
                                   .link = -1,
                                   .relieved = output_resume,
                                   .data = &monitor};
  monitor.shipper = monitor.writer;
  if (launch(&monitor) != 0) {
    monitor.exit_code = not_started_code(&monitor);
    ending_begin(&monitor);
  }
  for (;;) loop_turn(&monitor.loop);
}
