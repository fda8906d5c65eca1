/* The network of a container, as its monitor holds it. */
#ifndef NETWORK_H
#define NETWORK_H

#include "loop.h"
#include "network-child.h"
#include "plan.h"

struct network {
  struct loop *loop;
  const struct plan *launched; /* the launch plan */
  const struct plan *plan;     /* the newest one: the launch plan, or `changed` */
  struct plan *changed;        /* NULL: nothing was changed yet */
  int namespace; /* held for the monitor's life; -1: the machine's */
  struct network_child_endpoint *endpoints;
  size_t endpoint_count;
  struct network_child child;
  pid_t child_pid; /* 0: none */
  struct network_child_starting starting; /* one that is not ready yet; pid 0: none */
  struct watch broker;
  struct timer again; /* the next start of a child that died */
  int64_t child_started_ns;
};

/* --- network-publish.c --- */
/* Binds the published addresses. 0 or -1. */
int network_publish(struct network *network, struct failure *failure);
/* A socket that is bound to the address; -1 with the failure filled in, -2 where the machine has no IPv6 to bind `::` of. */
int network_bind(const struct network *network, const struct publish *publish, struct failure *failure);
/* True where the socket is bound to just this address. */
bool network_is_bound(const struct network_child_endpoint *endpoint, const struct publish *publish);

/* --- network-batch.c --- */
/* Sends a batch in the namespace that this process is in. `what` names it in a failure. */
int network_batch(int family, const char *batch, size_t size, const char *what, struct failure *failure);
/* The same in the machine's namespace, the container's being descriptor 100 meanwhile. */
int network_batch_machine(const struct network *network, int (*run)(void *data, struct failure *failure), void *data,
                          struct failure *failure);
/* Calls `run` in the container's namespace. */
int network_inside(const struct network *network, int (*run)(void *data, struct failure *failure), void *data,
                   struct failure *failure);
/* Operation `interfaceSysctl`, to be called inside. */
int network_sysctl(const struct record *record, struct failure *failure);

/* --- network.c --- */
/* Makes or opens the namespace and runs the `attach` and `inside` batches. */
int network_attach(struct network *network, struct failure *failure);
/* Starts the network child where there is something for it to do; it gets ready by itself. */
int network_start_child(struct network *network, struct failure *failure);
/* Waits until it is. */
int network_finish_child(struct network *network, struct failure *failure);
/* What a child has to know, as a plan says. The arrays belong to `child`, the endpoints to the caller. */
void network_describe_child(const struct network *network, const struct plan *plan,
                            struct network_child_endpoint *endpoints, size_t endpoint_count,
                            struct network_child *child);
void network_free_child(struct network_child *child);
/* Forks it; its broker is `*broker`. The pid, or -1 with the failure filled in. */
pid_t network_fork_child(const struct network *network, const struct network_child *child, int *broker,
                         struct failure *failure);
/* The child is this one from now on (pid 0: none): the one before ends with its last connection. */
void network_adopt_child(struct network *network, pid_t pid, int broker);
/* A child that died is started again: DNS and published ports belong to the container's life, not to that process's. */
void network_child_ended(struct network *network);
void network_drop_broker(struct network *network);

/* --- network-detach.c --- */
/* Runs the `detach` batches and lets go of everything. */
void network_detach(struct network *network);

/* --- network-change.c --- */
/* A change of the networks that is under way: see docs/native.md, `update`. */
struct network_change;
/* Carries out everything that may fail. NULL with the failure filled in: everything is as it was. `wanted` stays the caller's. */
struct network_change *network_change_begin(struct network *network, struct plan *wanted, struct failure *failure);
void network_change_undo(struct network_change *change);
/* Nothing can fail any more. `wanted` is the network's from now on. */
void network_change_commit(struct network_change *change);

/* --- edit-lines.c --- */
/*
 * Operation `editLines`: the file keeps its inode, since the container has it mounted. One that is not there, or that the
 * container made into something else, stays as it is.
 */
int edit_lines(const char *path, const char *removed, const char *added, struct failure *failure);

#endif
