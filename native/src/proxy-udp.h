/* Datagrams of published addresses: a socket towards the container for each client, until it is silent. */
#ifndef PROXY_UDP_H
#define PROXY_UDP_H

#include "network-child-loop.h"

#include <sys/socket.h>

enum { FLOW_BUCKETS = 256 };

struct flows {
  size_t count, most;
  struct timer_list silence; /* also the order of last use */
  struct flow *buckets[FLOW_BUCKETS];
};

/** One published address. */
struct datagrams {
  struct source source;
  struct flows *flows;
  const struct sockaddr_storage *target;
};

void flows_start(struct loop *loop, struct flows *flows, size_t most);
void flows_end(struct loop *loop, struct flows *flows);
/** Takes over the bound socket `fd`; `target` must live as long. */
bool datagrams_add(struct loop *loop, struct datagrams *datagrams, struct flows *flows, int fd,
                   const struct sockaddr_storage *target);

#endif
