/* The event loop of a monitor: descriptors and timers, by poll(2). Nothing here ever waits for anything else. */
#ifndef LOOP_H
#define LOOP_H

#include <poll.h>

#include "util.h"

struct loop;

struct watch {
  int fd; /* -1: not in the loop */
  short events;
  void (*ready)(void *data, short events);
  void *data;
};

struct timer {
  int64_t deadline_ns; /* on CLOCK_BOOTTIME; 0: not set */
  void (*expired)(void *data);
  void *data;
  struct timer *next;
  bool known; /* in the loop's list, where it stays */
};

struct loop {
  struct watch **watches;
  size_t count, capacity;
  struct watch **dispatching; /* the watches of the poll under way */
  size_t dispatching_count;
  struct timer *timers;
  struct timer *next_timer; /* of the round under way */
};

int64_t now_ns(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps, never steps */

/* The watch is the caller's and stays where it is until it is removed. */
void loop_add(struct loop *loop, struct watch *watch);
void loop_remove(struct loop *loop, struct watch *watch);
void loop_timer_set(struct loop *loop, struct timer *timer, int64_t deadline_ns);
void loop_timer_clear(struct timer *timer);
/* Takes it out of the loop's list: its memory may go. */
void loop_timer_forget(struct loop *loop, struct timer *timer);
/* Waits for the next thing to happen and handles it. */
void loop_turn(struct loop *loop);

#endif
