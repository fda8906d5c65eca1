/* The event loop of the network child: descriptors, timers, and objects that end while their events are delivered. */
#ifndef NETWORK_CHILD_LOOP_H
#define NETWORK_CHILD_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/** A descriptor in the loop. Embedded first in its object, so that the object is found from it. */
struct source {
  int fd; /* -1: closed, no event is delivered any more */
  void (*ready)(struct loop *loop, struct source *source, uint32_t events);
};

/** The object that a source or a timer is a member of. */
#define CONTAINER(type, member, pointer) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** A point in time at which an object is dealt with. A timer that is not set has no list. */
struct timer {
  struct timer *previous, *next;
  struct timer_list *list;
  int64_t due; /* milliseconds of CLOCK_MONOTONIC */
};

/** All timers of one duration: the order of setting is the order of expiry, so each step costs the same. */
struct timer_list {
  struct timer *first, *last;
  int64_t duration;
  void (*expired)(struct loop *loop, struct timer *timer);
  struct timer_list *following;
};

/** A listening socket. Where nothing can be accepted (no descriptors left), it rests for a while. */
struct listener {
  struct source source;
  struct timer rest;
};

/** An object's place in the list of those to be freed after the current events. Embedded anywhere. */
struct released {
  struct released *next;
  void *object;
};

struct loop {
  int epoll;
  int64_t now;
  struct timer_list *lists;
  struct timer_list rests;
  struct released *released;
  /* Called after each round of events; true: there is more work, do not wait. */
  bool (*after)(struct loop *loop);
  bool ended;
};

/** 64 KiB for whatever is read or built within one call; nothing in it survives a return to the loop. */
extern uint8_t scratch[65536 + 2];

bool loop_open(struct loop *loop);
/** Runs until `ended`. Returns false where waiting for events failed. */
bool loop_run(struct loop *loop);
bool source_add(struct loop *loop, struct source *source, uint32_t events);
bool source_change(struct loop *loop, struct source *source, uint32_t events);
/*
 * Leaves the loop and closes the descriptor. It leaves explicitly: where another process holds the same socket (a
 * published one, or one just handed over), closing alone would not end its events.
 */
void source_close(struct loop *loop, struct source *source);

bool listener_add(struct loop *loop, struct listener *listener, int fd,
                  void (*ready)(struct loop *, struct source *, uint32_t));
/** A connection (not blocking, close-on-exec), or -1: none now. */
int listener_accept(struct loop *loop, struct listener *listener);
/** Takes no connections until listener_resume(). */
void listener_pause(struct loop *loop, struct listener *listener);
void listener_resume(struct loop *loop, struct listener *listener);
void listener_close(struct loop *loop, struct listener *listener);

void timer_list_add(struct loop *loop, struct timer_list *list, int64_t duration,
                    void (*expired)(struct loop *, struct timer *));
/** Sets the timer, or sets it again, to the list's duration from now. */
void timer_set(struct loop *loop, struct timer_list *list, struct timer *timer);
void timer_clear(struct timer *timer);

/** Frees `object` once no event of the current round can name it. */
void loop_release(struct loop *loop, struct released *place, void *object);

#endif
