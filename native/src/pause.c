/*
 * Pausing: the container's cgroup is frozen, and thawed again. Whatever ends the container thaws it, since on version 1
 * nobody dies frozen; a monitor that is killed meanwhile leaves that to whoever clears its cgroups.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "client.h"
#include "freezer.h"
#include "stopper.h"

#define GIVE_UP_NS 10000000000
#define LONGEST_WAIT_MS 16

static const struct cgroup_path *own_freezer(const struct monitor *monitor) {
  return freezer_find(monitor->plan.cgroups, monitor->plan.cgroup_count);
}

/* Without any cgroup (without root, where none was given) the processes are stopped by signals. */
static bool stops_by_signals(const struct monitor *monitor) {
  return monitor->plan.cgroup_count == 0 && (monitor->plan.namespaces & CLONE_NEWPID) != 0;
}

static bool can_pause(const struct monitor *monitor) {
  return stops_by_signals(monitor) || own_freezer(monitor) != NULL;
}

static int set_frozen(const struct monitor *monitor, bool frozen) {
  if (!stops_by_signals(monitor)) return freezer_set(own_freezer(monitor), frozen);
  if (monitor->process.pid > 0) stopper_send(monitor->process.pid, frozen ? SIGSTOP : SIGCONT);
  return 0;
}

static bool is_frozen(const struct monitor *monitor) {
  if (stops_by_signals(monitor)) return monitor->process.pid > 0 && stopper_all_stopped(monitor->process.pid);
  return freezer_is_frozen(own_freezer(monitor));
}

/* NULL: it worked. */
static void answer(struct monitor *monitor, const struct failure *failure) {
  for (struct client *client = monitor->clients; client != NULL; client = client->next) {
    if (client->mode != CLIENT_PAUSE) continue;
    if (failure == NULL) client_reply_ok(client);
    else client_reply_failure(client, failure);
  }
}

static void give_up(struct monitor *monitor) {
  struct failure failure;
  fail_kind(&failure, KIND_TIMEOUT, "some of the container's processes cannot be frozen", "pause");
  answer(monitor, &failure);
  pause_release(monitor);
}

static void step(void *data) {
  struct monitor *monitor = data;
  struct pause *pause = &monitor->pause;
  bool possible = can_pause(monitor);
  if (possible && is_frozen(monitor)) {
    pause->state = PAUSE_FROZEN;
    state_changed(monitor);
    journal_event(monitor, "pause", "");
    answer(monitor, NULL);
    return;
  }
  if (!possible || now_ns() - pause->since_ns > GIVE_UP_NS) {
    give_up(monitor);
    return;
  }
  /* A version 1 freezer that met a process in the middle of a fork has to be asked again. */
  set_frozen(monitor, true);
  pause->wait_ms = pause->wait_ms * 2 < LONGEST_WAIT_MS ? pause->wait_ms * 2 : LONGEST_WAIT_MS;
  loop_timer_set(&monitor->loop, &pause->timer, now_ns() + pause->wait_ms * 1000000);
}

static int freeze(struct monitor *monitor, struct failure *failure) {
  struct pause *pause = &monitor->pause;
  if (monitor->phase != PHASE_RUNNING || monitor->ended)
    return fail_kind(failure, KIND_CONFLICT, "the container is not running", "pause");
  if (monitor->stop_requested || monitor->leaving)
    return fail_kind(failure, KIND_CONFLICT, "the container is being stopped", "pause");
  if (pause->state == PAUSE_FROZEN) return fail_kind(failure, KIND_CONFLICT, "the container is already paused", "pause");
  if (pause->state == PAUSE_FREEZING) return 0;
  if (!can_pause(monitor)) return fail_kind(failure, KIND_UNSUPPORTED, "the kernel offers no cgroup freezer", "pause");
  if (set_frozen(monitor, true) != 0) return fail_errno(failure, errno, "freeze %s", own_freezer(monitor)->path);
  *pause = (struct pause){.state = PAUSE_FREEZING, .since_ns = now_ns(), .timer = pause->timer};
  pause->timer.expired = step;
  pause->timer.data = monitor;
  loop_timer_set(&monitor->loop, &pause->timer, now_ns());
  health_rest(monitor);
  return 0;
}

void pause_container(struct client *client) {
  struct failure failure;
  if (freeze(client->monitor, &failure) == 0) client->mode = CLIENT_PAUSE;
  else client_reply_failure(client, &failure);
}

bool pause_release(struct monitor *monitor) {
  struct pause *pause = &monitor->pause;
  enum pause_state before = pause->state;
  if (before == PAUSE_NONE) return false;
  if (can_pause(monitor)) set_frozen(monitor, false);
  pause->state = PAUSE_NONE;
  loop_timer_clear(&pause->timer);
  health_resume(monitor);
  if (before == PAUSE_FROZEN) {
    state_changed(monitor);
    return true;
  }
  struct failure failure;
  fail_kind(&failure, KIND_CONFLICT, monitor->ended ? "the container is not running" : "the container was thawed meanwhile",
            "pause");
  answer(monitor, &failure);
  return false;
}

void unpause_container(struct client *client) {
  struct monitor *monitor = client->monitor;
  struct failure failure;
  if (monitor->pause.state == PAUSE_NONE) {
    fail_kind(&failure, KIND_CONFLICT, "the container is not paused", "unpause");
    client_reply_failure(client, &failure);
    return;
  }
  if (pause_release(monitor)) journal_event(monitor, "unpause", "");
  client_reply_ok(client);
}
