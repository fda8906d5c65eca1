/* Signals to the container's process, and its stop: asked first, killed after the grace period. */
#include <errno.h>
#include <signal.h>

#include "cgroup.h"
#include "monitor.h"
#include "syscalls.h"

#define KILL_AGAIN_NS 200000000

static void kill_again(void *data) {
  monitor_send_signal(data, SIGKILL);
}

void monitor_send_signal(struct monitor *monitor, int signal) {
  if (monitor->process.pid <= 0 || monitor->ended) return;
  if (pidfd_kill(monitor->process.pidfd, signal) != 0 && errno == ENOSYS) kill(monitor->process.pid, signal);
  if (signal != SIGKILL) return;
  /* With the signal pending already: it runs not one instruction more. */
  pause_release(monitor);
  /*
   * The first process of a pid namespace ends when all others have. More than once: until then somebody in the container
   * may freeze another again.
   */
  for (size_t i = 0; i < monitor->plan.cgroup_count; i++) cgroup_thaw(&monitor->plan.cgroups[i]);
  monitor->stop.expired = kill_again;
  monitor->stop.data = monitor;
  loop_timer_set(&monitor->loop, &monitor->stop, now_ns() + KILL_AGAIN_NS);
}

/* Its time is over. Whoever asked with SIGKILL has asked for this already. */
static void grace_over(void *data) {
  struct monitor *monitor = data;
  if (!monitor->ended && monitor->phase == PHASE_RUNNING && monitor->asked_with != SIGKILL)
    journal_event(monitor, "kill", ",\"signal\":\"9\"");
  monitor_send_signal(monitor, SIGKILL);
}

void monitor_stop(struct monitor *monitor, int signal, uint64_t grace_ms) {
  if (monitor->phase == PHASE_ENDING || monitor->phase == PHASE_DRAINING) return;
  if (monitor->phase == PHASE_HELD)
    fail_kind(&monitor->failure, KIND_CANCELED, "it was stopped before its program ran", "launch");
  if (monitor->phase == PHASE_WAITING || monitor->phase == PHASE_HELD) {
    loop_timer_clear(&monitor->restart_timer);
    loop_timer_clear(&monitor->hold);
    ending_begin(monitor);
    return;
  }
  /* Not executed yet: nobody could handle the signal. */
  monitor_send_signal(monitor, monitor->phase == PHASE_STARTING ? SIGKILL : signal);
  if (pause_release(monitor)) journal_event(monitor, "unpause", "");
  if (grace_ms == UINT64_MAX) return;
  monitor->asked_with = signal;
  monitor->stop.expired = grace_over;
  monitor->stop.data = monitor;
  loop_timer_set(&monitor->loop, &monitor->stop, now_ns() + (int64_t)grace_ms * 1000000);
}
