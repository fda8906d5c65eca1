/* Carries connections and datagrams of published addresses to the container. */
#ifndef PROXY_H
#define PROXY_H

#include "network-child-loop.h"

#include <sys/socket.h>

struct proxy;

/** `limit`: descriptors that the process may hold. NULL: out of memory. */
struct proxy *proxy_start(struct loop *loop, size_t endpoint_count, size_t limit);
/** Takes over `fd`: a bound UDP or a listening TCP or SCTP socket, not blocking. False: no room in the loop. */
bool proxy_add(struct loop *loop, struct proxy *proxy, int fd, int protocol, const struct sockaddr_storage *target);
/** Gives up the published addresses and all datagram flows; connections go on. */
void proxy_stop(struct loop *loop, struct proxy *proxy);
size_t proxy_connections(const struct proxy *proxy);
/** The loop's `after`: goes on with connections that had more to carry than one turn allows. */
bool proxy_continue(struct loop *loop, struct proxy *proxy);

#endif
