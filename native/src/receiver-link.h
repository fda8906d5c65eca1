/* The way to a receiver of logs: a socket that comes and goes. */
#ifndef RECEIVER_LINK_H
#define RECEIVER_LINK_H

#include "plan.h"

struct receiver_link {
  const struct receiver *receiver;
  const char *outside; /* the keeper's socket; NULL: the machine's network is ours */
  int fd;              /* -1: there is none */
  bool connecting;
};

enum link_result { LINK_SENT, LINK_LATER, LINK_LOST };

/* On the way, or connected at once. -1 with errno. */
int link_open(struct receiver_link *link);
/* After `link_open`, when the socket is ready: connected, or -1 with errno and closed. */
int link_settle(struct receiver_link *link);
/* Waits until it is connected, for seconds at most. -1 with errno and closed. */
int link_wait(struct receiver_link *link);
/* `sent`: how much of the message went before; what goes now is added. A message that nobody could take counts as sent. */
enum link_result link_send(struct receiver_link *link, const char *message, size_t size, size_t *sent);
/* A stream's other side has gone; what it said is thrown away. */
bool link_has_ended(struct receiver_link *link);
void link_close(struct receiver_link *link);

#endif
