/* The DNS server: answers names of the container's networks, forwards the rest to the upstreams. */
#ifndef DNS_H
#define DNS_H

#include "network-child.h"
#include "network-child-loop.h"

#include <sys/socket.h>

struct dns_server;

struct dns_config {
  int udp, tcp; /* bound (TCP: listening) sockets, not blocking */
  int broker;   /* answers requests for sockets connected to an upstream */
  size_t upstream_count;
  size_t network_count;
};

/** What is sent through the broker socket, one message each. */
struct broker_request {
  uint32_t tag;
  uint16_t upstream;
  uint16_t tcp;
};

/** With the socket as SCM_RIGHTS where `error` is 0. */
struct broker_reply {
  uint32_t tag;
  int32_t error;
  uint32_t upstreams; /* how many there are by now */
};

/** NULL: out of memory or descriptors. */
struct dns_server *dns_start(struct loop *loop, const struct dns_config *config);
/** Takes over a directory of name files. To be called `network_count` times before the loop runs. */
/* What it points to must stay. */
void dns_add_network(struct dns_server *server, const struct network_child_network *network, int directory);
/** The broker is readable. */
void dns_broker_reply(struct loop *loop, struct dns_server *server, const struct broker_reply *reply, int fd);
/** Closes everything: no question is answered any more. */
void dns_stop(struct loop *loop, struct dns_server *server);

#endif
