/*
 * The network child: one process beside each monitor that answers DNS and carries published connections inside the
 * container's network namespace, without capabilities. See docs/native.md, "Network child".
 */
#ifndef NETWORK_CHILD_H
#define NETWORK_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

/** An upstream resolver, reached from the namespace of the process that calls network_child_broker(). */
struct network_child_upstream {
  struct sockaddr_storage address; /* AF_INET or AF_INET6, port set */
};

/** A name that stands for another one, for this container alone. */
struct network_child_link {
  const char *alias, *name;
};

enum { RESOLVERS_MAX = 8 };

/** Upstreams that a file names (resolv.conf(5)), which may change at any time. */
struct network_child_resolvers {
  const char *file; /* NULL: the upstreams stay */
  struct stat read; /* of the file, when it was last read */
  size_t count;     /* none yet: those that the caller named */
  struct network_child_upstream list[RESOLVERS_MAX];
};

/** The name servers of a resolver file, as many as fit; `text` is taken to pieces. */
size_t resolvers_parse(char *text, struct network_child_upstream *list, size_t most);
/** Reads the file again where it changed. */
void resolvers_refresh(struct network_child_resolvers *resolvers);

/** One network of the container: its name, and the directory of name files (docs/native.md). */
struct network_child_network {
  const char *name;
  const char *directory;
  const struct network_child_link *links;
  size_t link_count;
};

/** A published address. The monitor has bound the socket (all but UDP: also called listen()). */
struct network_child_endpoint {
  int fd;
  int protocol; /* IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP */
  struct sockaddr_storage target; /* address and port inside the container's namespace */
};

struct network_child {
  int container_net;                              /* namespace descriptor: O_RDONLY|O_CLOEXEC */
  struct sockaddr_storage dns;                    /* where to answer, inside the namespace; ss_family 0: no DNS */
  const struct network_child_upstream *upstreams; /* asked in this order; none: unknown names do not exist */
  size_t upstream_count;
  struct network_child_resolvers resolvers; /* take their place once they are read */
  const struct network_child_network *networks;
  size_t network_count;
  const struct network_child_endpoint *endpoints; /* the descriptors stay the caller's; the child keeps copies */
  size_t endpoint_count;
  /* Where the caller's own namespace leads to no upstream: a socket on its way to one, or -1 with errno. NULL: it does. */
  int (*connect)(const void *data, const struct sockaddr_storage *address, int protocol);
  const void *connect_data;
};

/** Why a start failed: an errno and what was done, as "answer dns at 127.0.0.11:53". */
struct network_child_error {
  int number;
  char step[128];
};

/*
 * Forks the child and waits until it is ready: namespaces entered, sockets made, everything else dropped. Everything
 * in `child` is copied by the fork. Returns its pid, to be reaped by the caller, or -1 with `error` filled in (nothing
 * is left then). The child dies with the caller (parent-death signal).
 *
 * `*broker` becomes a close-on-exec descriptor of the caller: whenever it is readable, network_child_broker() must be
 * called. Closing it makes the child give up its DNS and published sockets at once and exit when its last connection
 * has ended: a caller that wants other endpoints or networks starts a new child, then closes the old one's broker.
 */
pid_t network_child_start(const struct network_child *child, int *broker, struct network_child_error *error);

/* The same in two parts: a child that gets ready while its caller does something else. All zeros: there is none. */
struct network_child_starting {
  pid_t pid;
  int broker;
  int ready;
};
/* 0, or -1 with `error` filled in: nothing is left then. */
int network_child_fork(const struct network_child *child, struct network_child_starting *starting,
                       struct network_child_error *error);
/* Waits for it; as network_child_start(). */
pid_t network_child_finish(const struct network_child_starting *starting, int *broker,
                           struct network_child_error *error);

/*
 * Serves the child's pending requests for fresh sockets that are connected to one of `child->upstreams`, or of the file
 * that takes their place. Never blocks (but as long as `connect` does). To be called in the machine's network namespace,
 * where there is no `connect`. Returns false at end of file: the child is gone, close `broker`.
 */
bool network_child_broker(int broker, struct network_child *child);

#endif
