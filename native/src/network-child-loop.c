#include "network-child-loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint8_t scratch[65536 + 2];

static int64_t monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void rest_over(struct loop *loop, struct timer *timer) {
  listener_resume(loop, CONTAINER(struct listener, rest, timer));
}

bool loop_open(struct loop *loop) {
  *loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC), .now = monotonic_ms()};
  timer_list_add(loop, &loop->rests, 100, rest_over);
  return loop->epoll >= 0;
}

bool listener_add(struct loop *loop, struct listener *listener, int fd,
                  void (*ready)(struct loop *, struct source *, uint32_t)) {
  *listener = (struct listener){.source = {fd, ready}};
  return source_add(loop, &listener->source, EPOLLIN);
}

int listener_accept(struct loop *loop, struct listener *listener) {
  int fd = accept4(listener->source.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
    listener_pause(loop, listener);
    timer_set(loop, &loop->rests, &listener->rest);
  }
  return fd;
}

void listener_pause(struct loop *loop, struct listener *listener) {
  if (listener->source.fd >= 0)
    source_change(loop, &listener->source, 0);
}

void listener_resume(struct loop *loop, struct listener *listener) {
  timer_clear(&listener->rest);
  if (listener->source.fd >= 0)
    source_change(loop, &listener->source, EPOLLIN);
}

void listener_close(struct loop *loop, struct listener *listener) {
  timer_clear(&listener->rest);
  source_close(loop, &listener->source);
}

bool source_add(struct loop *loop, struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

bool source_change(struct loop *loop, struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &event) == 0;
}

void source_close(struct loop *loop, struct source *source) {
  if (source->fd < 0)
    return;
  epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
  close(source->fd);
  source->fd = -1;
}

void timer_list_add(struct loop *loop, struct timer_list *list, int64_t duration,
                    void (*expired)(struct loop *, struct timer *)) {
  *list = (struct timer_list){.duration = duration, .expired = expired, .following = loop->lists};
  loop->lists = list;
}

void timer_clear(struct timer *timer) {
  struct timer_list *list = timer->list;
  if (list == NULL)
    return;
  *(timer->previous != NULL ? &timer->previous->next : &list->first) = timer->next;
  *(timer->next != NULL ? &timer->next->previous : &list->last) = timer->previous;
  timer->list = NULL;
  timer->previous = timer->next = NULL;
}

void timer_set(struct loop *loop, struct timer_list *list, struct timer *timer) {
  timer_clear(timer);
  *timer = (struct timer){.previous = list->last, .list = list, .due = loop->now + list->duration};
  *(list->last != NULL ? &list->last->next : &list->first) = timer;
  list->last = timer;
}

void loop_release(struct loop *loop, struct released *place, void *object) {
  *place = (struct released){.next = loop->released, .object = object};
  loop->released = place;
}

static void free_released(struct loop *loop) {
  while (loop->released != NULL) {
    struct released *place = loop->released;
    loop->released = place->next;
    free(place->object);
  }
}

static void expire(struct loop *loop) {
  for (struct timer_list *list = loop->lists; list != NULL; list = list->following) {
    while (list->first != NULL && list->first->due <= loop->now) {
      struct timer *timer = list->first;
      timer_clear(timer);
      list->expired(loop, timer);
    }
  }
}

static int wait_ms(const struct loop *loop) {
  int64_t first = -1;
  for (const struct timer_list *list = loop->lists; list != NULL; list = list->following)
    if (list->first != NULL && (first < 0 || list->first->due < first))
      first = list->first->due;
  if (first < 0)
    return -1;
  return first <= loop->now ? 0 : (int)(first - loop->now);
}

bool loop_run(struct loop *loop) {
  bool more = false;
  while (!loop->ended) {
    struct epoll_event events[64];
    int count = epoll_pwait(loop->epoll, events, 64, more ? 0 : wait_ms(loop), NULL);
    if (count < 0 && errno != EINTR)
      return false;
    loop->now = monotonic_ms();
    for (int i = 0; i < count; i++) {
      struct source *source = events[i].data.ptr;
      if (source->fd >= 0)
        source->ready(loop, source, events[i].events);
    }
    expire(loop);
    more = loop->after != NULL && loop->after(loop);
    free_released(loop);
  }
  return true;
}
