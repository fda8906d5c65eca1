/* Whether the container runs again, and when: Docker's policies and backoff. */
#include <string.h>

#include "monitor.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 60000
/* A run of this length was no failure to start. */
#define LONG_RUN_NS 10000000000

/*
 * The container whose namespaces this one shares may be between two runs itself: the two often end together. That is a run
 * that failed, after which the policy says what follows.
 */
bool restart_waits_for_other(struct monitor *monitor) {
  if (monitor->plan.join_count == 0 || monitor->failure.kind == NULL) return false;
  if (strcmp(monitor->failure.kind, KIND_CONFLICT) != 0 || !restart_plan_next(monitor)) return false;
  monitor->phase = PHASE_WAITING;
  state_changed(monitor);
  return true;
}

static void again(void *data) {
  struct monitor *monitor = data;
  monitor->restart_count++;
  if (run_begin(monitor) == 0 || restart_waits_for_other(monitor)) return;
  ending_begin(monitor);
}

void restart_ran(struct monitor *monitor) {
  monitor->run_started_ns = now_ns();
}

static bool is_wanted(const struct monitor *monitor) {
  const struct plan *plan = &monitor->plan;
  if (monitor->stopped_by_user || monitor->leaving) return false;
  /* The code of a process that was asked to end says nothing. */
  bool failed = monitor->exit_code != 0 || monitor->health.ended_run;
  switch (plan->restart) {
    case RESTART_ALWAYS:
    case RESTART_UNLESS_STOPPED:
      return true;
    case RESTART_ON_FAILURE:
      return failed && (plan->max_retries == 0 || monitor->restart_count < plan->max_retries);
    default:
      return monitor->health.ended_run;
  }
}

bool restart_plan_next(struct monitor *monitor) {
  if (!is_wanted(monitor)) return false;
  if (monitor->backoff_ms == 0 || now_ns() - monitor->run_started_ns >= LONG_RUN_NS)
    monitor->backoff_ms = BACKOFF_FIRST_MS;
  else
    monitor->backoff_ms = monitor->backoff_ms * 2 < BACKOFF_MAX_MS ? monitor->backoff_ms * 2 : BACKOFF_MAX_MS;
  monitor->restart_timer.expired = again;
  monitor->restart_timer.data = monitor;
  loop_timer_set(&monitor->loop, &monitor->restart_timer, now_ns() + monitor->backoff_ms * 1000000);
  return true;
}
