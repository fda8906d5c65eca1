#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void loop_add(struct loop *loop, struct watch *watch) {
  if (loop->count == loop->capacity) {
    loop->capacity = loop->capacity == 0 ? 8 : loop->capacity * 2;
    loop->watches = xrealloc(loop->watches, loop->capacity * sizeof(struct watch *));
  }
  loop->watches[loop->count++] = watch;
}

void loop_remove(struct loop *loop, struct watch *watch) {
  for (size_t i = 0; i < loop->count; i++) {
    if (loop->watches[i] != watch) continue;
    loop->watches[i] = loop->watches[--loop->count];
    break;
  }
  /* It may be waiting for its turn in the round under way. */
  for (size_t i = 0; i < loop->dispatching_count; i++)
    if (loop->dispatching[i] == watch) loop->dispatching[i] = NULL;
}

void loop_timer_set(struct loop *loop, struct timer *timer, int64_t deadline_ns) {
  timer->deadline_ns = deadline_ns > 0 ? deadline_ns : 1;
  if (timer->known) return;
  timer->known = true;
  timer->next = loop->timers;
  loop->timers = timer;
}

void loop_timer_clear(struct timer *timer) {
  timer->deadline_ns = 0;
}

void loop_timer_forget(struct loop *loop, struct timer *timer) {
  for (struct timer **link = &loop->timers; *link != NULL; link = &(*link)->next) {
    if (*link != timer) continue;
    /* The round of timers under way goes on behind it. */
    if (loop->next_timer == timer) loop->next_timer = timer->next;
    *link = timer->next;
    break;
  }
  timer->known = false;
}

static int next_timeout(const struct loop *loop) {
  int64_t earliest = 0;
  for (const struct timer *timer = loop->timers; timer != NULL; timer = timer->next)
    if (timer->deadline_ns != 0 && (earliest == 0 || timer->deadline_ns < earliest)) earliest = timer->deadline_ns;
  if (earliest == 0) return -1;
  int64_t left = earliest - now_ns();
  if (left <= 0) return 0;
  int64_t ms = (left + 999999) / 1000000;
  return ms > 86400000 ? 86400000 : (int)ms;
}

static void run_timers(struct loop *loop) {
  int64_t now = now_ns();
  for (struct timer *timer = loop->timers; timer != NULL; timer = loop->next_timer) {
    loop->next_timer = timer->next;
    if (timer->deadline_ns == 0 || timer->deadline_ns > now) continue;
    timer->deadline_ns = 0;
    timer->expired(timer->data);
  }
}

void loop_turn(struct loop *loop) {
  size_t count = loop->count;
  struct pollfd *polled = xmalloc((count + 1) * sizeof *polled);
  struct watch **watches = xmalloc((count + 1) * sizeof *watches);
  for (size_t i = 0; i < count; i++) {
    watches[i] = loop->watches[i];
    /* Without events even POLLHUP would wake the loop again and again: leave it out. */
    polled[i].fd = watches[i]->events == 0 ? -1 : watches[i]->fd;
    polled[i].events = watches[i]->events;
    polled[i].revents = 0;
  }
  int ready = poll(polled, count, next_timeout(loop));
  loop->dispatching = watches;
  loop->dispatching_count = count;
  for (size_t i = 0; ready > 0 && i < count; i++)
    if (polled[i].revents != 0 && watches[i] != NULL) watches[i]->ready(watches[i]->data, polled[i].revents);
  loop->dispatching_count = 0;
  free(watches);
  free(polled);
  run_timers(loop);
}
