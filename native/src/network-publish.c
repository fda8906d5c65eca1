/* Published addresses: bound by the monitor itself, so that one that is in use is told of at once. */
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "outside.h"
#include "proxy-protocol.h"

static socklen_t address_size(const struct sockaddr_storage *address) {
  return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static unsigned port_of(const struct sockaddr_storage *address) {
  return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                              : ((const struct sockaddr_in *)address)->sin_port);
}

/* Without root the machine's network is not ours: the keeper binds for us. */
static int bind_address(const struct network *network, const struct publish *publish) {
  const char *outside = network->launched->outside;
  return outside != NULL ? outside_bind(outside, &publish->address, publish->protocol)
                         : bind_here(&publish->address, publish->protocol);
}

/* A machine without IPv6 has no `::` to publish at; the IPv4 twin of the same port is enough then. */
static bool is_absent_ipv6(const struct publish *publish, int error) {
  return strcmp(publish->host, "::") == 0 && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL);
}

int network_bind(const struct network *network, const struct publish *publish, struct failure *failure) {
  int fd = bind_address(network, publish);
  if (fd >= 0) return fd;
  if (is_absent_ipv6(publish, errno)) return -2;
  return fail_errno(failure, errno, publish->address.ss_family == AF_INET6 ? "publish %s [%s]:%u" : "publish %s %s:%u",
                    protocol_name(publish->protocol), publish->host, port_of(&publish->address));
}

bool network_is_bound(const struct network_child_endpoint *endpoint, const struct publish *publish) {
  struct sockaddr_storage bound = {0};
  socklen_t size = sizeof bound;
  if (endpoint->protocol != publish->protocol || getsockname(endpoint->fd, (struct sockaddr *)&bound, &size) != 0) return false;
  return bound.ss_family == publish->address.ss_family &&
         memcmp(&bound, &publish->address, address_size(&publish->address)) == 0;
}

int network_publish(struct network *network, struct failure *failure) {
  const struct plan *plan = network->plan;
  network->endpoints = xcalloc(plan->published_count + 1, sizeof *network->endpoints);
  for (size_t i = 0; i < plan->published_count; i++) {
    const struct publish *publish = &plan->published[i];
    int fd = network_bind(network, publish, failure);
    if (fd == -1) return -1;
    if (fd >= 0)
      network->endpoints[network->endpoint_count++] =
          (struct network_child_endpoint){.fd = fd, .protocol = publish->protocol, .target = publish->target};
  }
  return 0;
}
