/*
 * The end of a monitor. The lock is given up last: whoever finds it free finds nothing left of this run. What takes time
 * (processes, cgroups) is looked at again and again from the loop, so that clients are served meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "client.h"
#include "text.h"

#define SESSIONS_NS 2000000000
/* A client that reads at its leisure (a pager, say) is not waited for, and loses nothing. */
#define CLIENTS_NS 500000000
/* What is on its way to a receiver of logs goes on by itself after that. */
#define SHIPPER_NS 1000000000
/* A disk that hangs keeps the writer; it is not waited for much longer than for anything else. */
#define GIVE_UP_NS 10000000000
/* The networks wait for it no longer than that: addresses and ports are what others want. */
#define LOGGED_NS 20000000

static void step(void *data);

static bool cgroups_removed(const struct monitor *monitor) {
  bool all = true;
  for (size_t i = 0; i < monitor->plan.cgroup_count; i++) {
    if (cgroup_remove(&monitor->plan.cgroups[i]) == 0) continue;
    if (errno == EBUSY) cgroup_kill(&monitor->plan.cgroups[i]);
    all = false;
  }
  return all;
}

/* Interfaces first go from sight and then take the kernel some 10 ms: whoever reads the log does not wait for that. */
static void leave_networks(struct monitor *monitor, int64_t passed) {
  if (monitor->left_networks || (monitor->writer.pid > 0 && passed < LOGGED_NS)) return;
  monitor->left_networks = true;
  network_detach(&monitor->network);
}

static void look_again(struct monitor *monitor) {
  /* 1, 2, 4 … 64 ms: usually once is enough. */
  int64_t wait_ms = monitor->ending_tries < 6 ? (int64_t)1 << monitor->ending_tries : 64;
  monitor->ending_tries++;
  monitor->ending_timer.expired = step;
  monitor->ending_timer.data = monitor;
  loop_timer_set(&monitor->loop, &monitor->ending_timer, now_ns() + wait_ms * 1000000);
}

static void report_failure(struct monitor *monitor) {
  if (monitor->report < 0) return;
  if (monitor->failure.exit_code == 0) monitor->failure.exit_code = 125;
  send_failure(monitor->report, &monitor->failure);
}

static void finish(struct monitor *monitor) {
  const struct plan *plan = &monitor->plan, *networks = monitor->network.plan;
  if (monitor->writer.pid > 0) kill(monitor->writer.pid, SIGKILL);
  volume_use_end(&monitor->plan);
  /* Before it is said that all is over: by then nobody is to find it on a network. */
  for (size_t i = 0; i < networks->cleanup_count; i++) unlink(networks->cleanup[i]);
  /* On a full disk the state stays, which says the same: whoever finds it puts it in the place of the other. */
  if (state_write_exit(monitor) == 0) unlink(plan->state);
  unlink(plan->control);
  flock(monitor->lock, LOCK_UN);
  report_failure(monitor);
  client_answer_stops(monitor);
  _exit(0);
}

static void step(void *data) {
  struct monitor *monitor = data;
  int64_t passed = now_ns() - monitor->ending_since_ns;
  bool late = passed > GIVE_UP_NS;
  if (!monitor->ended && monitor->process.pid > 0) {
    monitor_send_signal(monitor, SIGKILL);
    if (!late) {
      look_again(monitor);
      return;
    }
  }
  if (session_any(monitor) && passed > SESSIONS_NS) session_kill_all(monitor);
  if (monitor->writer.pid == 0 && !monitor->logged) {
    monitor->logged = true;
    client_state_changed(monitor);
  }
  leave_networks(monitor, late ? GIVE_UP_NS : passed);
  bool gone = cgroups_removed(monitor);
  bool ships = monitor->shipper.pid > 0 && passed < SHIPPER_NS;
  if (!late && (!gone || !monitor->left_networks || ships || session_any(monitor) || monitor->writer.pid > 0 ||
                monitor->network.child_pid > 0 || (!client_all_flushed(monitor) && passed < CLIENTS_NS))) {
    look_again(monitor);
    return;
  }
  courier_start(monitor);
  finish(monitor);
}

void ending_look(struct monitor *monitor) {
  if (monitor->phase != PHASE_ENDING) return;
  loop_timer_clear(&monitor->ending_timer);
  step(monitor);
}

void ending_begin(struct monitor *monitor) {
  if (monitor->phase == PHASE_ENDING) return;
  monitor->phase = PHASE_ENDING;
  monitor->ending_since_ns = now_ns();
  loop_timer_clear(&monitor->stop);
  loop_timer_clear(&monitor->restart_timer);
  health_stop(monitor);
  if (strcmp(monitor->status, "exited") != 0) {
    /* Stopped between two runs, or a later run could not be made. */
    monitor->status = "exited";
    monitor->shown_pid = 0;
    state_changed(monitor);
  }
  journal_leave(monitor);
  if (monitor->stop_requested) journal_event(monitor, "stop", "");
  if (monitor->control.fd >= 0) {
    loop_remove(&monitor->loop, &monitor->control);
    close_quietly(monitor->control.fd);
    monitor->control.fd = -1;
  }
  writer_finish(&monitor->writer);
  writer_finish(&monitor->shipper);
  step(monitor);
}
