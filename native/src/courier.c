/*
 * What attached clients have not taken when their container has ended: a pager shows a page, and somebody reads it. A
 * process of its own goes on sending, so that the monitor ends, and with it whatever waits for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "syscalls.h"

#define FIRST 3

/* For a client that has everything and does not close: much longer than one in the middle of a write needs. */
#define LINGER_MS 10000

struct parcel {
  int fd;
  struct buffer rest;
  bool sent; /* the client is to close */
};

/* As in client.c: a client that is in the middle of a write would lose what it has not read. */
static void await_end(struct parcel *parcel) {
  char unread[4096];
  ssize_t count = recv(parcel->fd, unread, sizeof unread, MSG_DONTWAIT);
  if (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) return;
  close_quietly(parcel->fd);
  parcel->fd = -1;
}

static void send_parcel(struct parcel *parcel) {
  ssize_t count = send(parcel->fd, parcel->rest.data, parcel->rest.size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count > 0) buffer_consume(&parcel->rest, (size_t)count);
  bool failed = count < 0 && errno != EAGAIN && errno != EINTR;
  if (!failed && parcel->rest.size > 0) return;
  parcel->sent = !failed && shutdown(parcel->fd, SHUT_WR) == 0;
  if (parcel->sent) return;
  close_quietly(parcel->fd);
  parcel->fd = -1;
}

/* A client that is gone resets its connection; one that never reads keeps this process, and nothing else. */
static void deliver(struct parcel *parcels, size_t count) {
  struct pollfd polled[CLIENTS_MAX];
  for (;;) {
    size_t left = 0, unsent = 0;
    for (size_t i = 0; i < count; i++) {
      polled[i] = (struct pollfd){.fd = parcels[i].fd, .events = parcels[i].sent ? POLLIN : POLLOUT};
      if (parcels[i].fd >= 0) left++;
      if (parcels[i].fd >= 0 && !parcels[i].sent) unsent++;
    }
    if (left == 0) return;
    int ready = poll(polled, count, unsent > 0 ? -1 : LINGER_MS);
    if (ready == 0 || (ready < 0 && errno != EINTR)) return;
    for (size_t i = 0; i < count; i++)
      if (parcels[i].fd >= 0 && polled[i].revents != 0)
        parcels[i].sent ? await_end(&parcels[i]) : send_parcel(&parcels[i]);
  }
}

/* Nothing of the monitor's stays open but the connections: neither its lock nor anything that others wait for. */
static bool keep_connections(struct parcel *parcels, size_t count) {
  for (size_t i = 0; i < count; i++)
    if ((parcels[i].fd = duplicate_above(parcels[i].fd, FIRST + (int)count)) < 0) return false;
  for (size_t i = 0; i < count; i++) {
    if (dup3(parcels[i].fd, FIRST + (int)i, O_CLOEXEC) < 0) return false;
    parcels[i].fd = FIRST + (int)i;
  }
  close_from(FIRST + (int)count);
  return true;
}

void courier_start(struct monitor *monitor) {
  static struct parcel parcels[CLIENTS_MAX];
  size_t count = 0;
  for (const struct client *client = monitor->clients; client != NULL && count < CLIENTS_MAX; client = client->next)
    if (client->out.size > 0 || client->lingers)
      parcels[count++] = (struct parcel){
          .fd = client->watch.fd, .rest = client->out, .sent = client->mode == CLIENT_LINGERING};
  if (count == 0 || fork() != 0) return;
  prctl(PR_SET_NAME, "tscompose-send", 0, 0, 0);
  if (keep_connections(parcels, count)) deliver(parcels, count);
  _exit(0);
}
