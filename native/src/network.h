/* The network of a container, as its monitor holds it. */
#ifndef NETWORK_H
#define NETWORK_H

#include "loop.h"
#include "network-child.h"
#include "plan.h"

struct network {
  struct loop *loop;
  const struct plan *plan;
  int namespace; /* held for the monitor's life; -1: the machine's */
  struct network_child_endpoint *endpoints;
  size_t endpoint_count;
  struct network_child child;
  pid_t child_pid; /* 0: none */
  struct watch broker;
  struct timer again; /* the next start of a child that died */
  int64_t child_started_ns;
};

/* Binds the published addresses. 0 or -1. */
int network_publish(struct network *network, struct failure *failure);
/* Makes or opens the namespace and runs the `attach` and `inside` batches. */
int network_attach(struct network *network, struct failure *failure);
/* Starts the network child where there is something for it to do. */
int network_start_child(struct network *network, struct failure *failure);
/* A child that died is started again: DNS and published ports belong to the container's life, not to that process's. */
void network_child_ended(struct network *network);
/* Runs the `detach` batches and lets go of everything. */
void network_detach(struct network *network);

#endif
