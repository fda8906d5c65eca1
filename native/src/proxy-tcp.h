/* One carried connection after the other, of TCP or (in pieces of a page) of SCTP: two sockets, and a pipe for each direction while bytes are under way. */
#ifndef PROXY_TCP_H
#define PROXY_TCP_H

#include "network-child-loop.h"

#include <sys/socket.h>

enum { SPARE_PIPES = 8 };

struct connections {
  size_t count, most;
  struct connection *busy; /* had more to carry than one turn allows */
  int spare[SPARE_PIPES][2];
  size_t spare_count;
  void (*ended)(struct loop *loop, struct connections *connections); /* one has ended: there is room again */
};

/** Takes over `client` and connects to `target`. */
void connection_start(struct loop *loop, struct connections *connections, int client, int protocol,
                      const struct sockaddr_storage *target);
/** Goes on with busy connections; true: some are busy still. */
bool connections_continue(struct loop *loop, struct connections *connections);

#endif
