#include "proxy.h"

#include "proxy-tcp.h"
#include "proxy-udp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { ROUND = 32, MAX_CONNECTIONS = 4096, DESCRIPTORS_EACH = 6 /* two sockets, two pipes */ };

struct endpoint {
  struct listener listener;
  struct datagrams datagrams;
  int protocol;
  struct sockaddr_storage target;
  struct proxy *proxy;
};

struct proxy {
  struct connections connections;
  struct flows flows;
  bool full;
  size_t endpoint_count;
  struct endpoint endpoints[];
};

static void tcp_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct endpoint *endpoint = CONTAINER(struct endpoint, listener.source, source);
  struct proxy *proxy = endpoint->proxy;
  (void)events;
  /* Full, and yet awake: it had rested for want of descriptors. */
  if (proxy->full)
    return listener_pause(loop, &endpoint->listener);
  for (int i = 0; i < ROUND && !proxy->full; i++) {
    int fd = listener_accept(loop, &endpoint->listener);
    if (fd < 0)
      return;
    connection_start(loop, &proxy->connections, fd, endpoint->protocol, &endpoint->target);
    if (proxy->connections.count < proxy->connections.most)
      continue;
    /* Full: further connections wait in the kernel's queue. */
    proxy->full = true;
    for (size_t j = 0; j < proxy->endpoint_count; j++)
      if (proxy->endpoints[j].protocol != IPPROTO_UDP)
        listener_pause(loop, &proxy->endpoints[j].listener);
  }
}

static void connection_ended(struct loop *loop, struct connections *connections) {
  struct proxy *proxy = CONTAINER(struct proxy, connections, connections);
  if (!proxy->full)
    return;
  proxy->full = false;
  for (size_t j = 0; j < proxy->endpoint_count; j++)
    if (proxy->endpoints[j].protocol != IPPROTO_UDP)
      listener_resume(loop, &proxy->endpoints[j].listener);
}

struct proxy *proxy_start(struct loop *loop, size_t endpoint_count, size_t limit) {
  struct proxy *proxy = calloc(1, sizeof *proxy + endpoint_count * sizeof(struct endpoint));
  if (proxy == NULL)
    return NULL;
  /* A quarter of the descriptors is left to datagram flows and DNS. */
  size_t most = limit / 4 * 3 / DESCRIPTORS_EACH;
  proxy->connections.most = most < MAX_CONNECTIONS ? most : MAX_CONNECTIONS;
  proxy->connections.ended = connection_ended;
  flows_start(loop, &proxy->flows, limit / 8);
  return proxy;
}

bool proxy_add(struct loop *loop, struct proxy *proxy, int fd, int protocol, const struct sockaddr_storage *target) {
  struct endpoint *endpoint = &proxy->endpoints[proxy->endpoint_count++];
  endpoint->protocol = protocol;
  endpoint->proxy = proxy;
  endpoint->target = *target;
  if (protocol == IPPROTO_UDP)
    return datagrams_add(loop, &endpoint->datagrams, &proxy->flows, fd, target);
  return listener_add(loop, &endpoint->listener, fd, tcp_ready);
}

void proxy_stop(struct loop *loop, struct proxy *proxy) {
  flows_end(loop, &proxy->flows);
  for (size_t i = 0; i < proxy->endpoint_count; i++) {
    struct endpoint *endpoint = &proxy->endpoints[i];
    if (endpoint->protocol == IPPROTO_UDP)
      source_close(loop, &endpoint->datagrams.source);
    else
      listener_close(loop, &endpoint->listener);
  }
}

size_t proxy_connections(const struct proxy *proxy) {
  return proxy->connections.count;
}

bool proxy_continue(struct loop *loop, struct proxy *proxy) {
  return connections_continue(loop, &proxy->connections);
}
