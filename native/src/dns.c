#include "dns.h"

#include "dns-server.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>

enum {
  TTL = 600,         /* seconds, as Docker's resolver answers */
  MAX_REPLY = 16384, /* 512 addresses fit */
};

uint32_t dns_random(void) {
  uint32_t value = 0;
  while (getrandom(&value, sizeof value, 0) != sizeof value)
    ;
  return value;
}

void dns_send_reply(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *reply,
                    size_t size) {
  if (asker->client != NULL)
    client_reply(loop, asker->client, reply, size);
  else if (server->udp.fd >= 0)
    sendto(server->udp.fd, reply, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)asker->from,
           asker->from_size);
}

void dns_send_rcode(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *message,
                    const struct dns_query *query, unsigned rcode) {
  uint8_t bytes[DNS_PLAIN_UDP];
  struct dns_reply reply;
  dns_reply_begin(&reply, bytes, sizeof bytes, message, query, rcode);
  dns_reply_end(&reply, query, rcode);
  dns_send_reply(loop, server, asker, bytes, reply.size);
}

static void shuffle(const uint8_t **list, size_t count) {
  for (size_t i = count; i > 1; i--) {
    size_t other = dns_random() % i;
    const uint8_t *swap = list[i - 1];
    list[i - 1] = list[other];
    list[other] = swap;
  }
}

/* The container's networks are asked in their order; the first that has an address of this kind answers, as Docker. */
static bool find_addresses(struct dns_server *server, const char *name, size_t size, struct names_addresses *found) {
  bool known = false;
  for (size_t i = 0; i < server->network_count; i++) {
    names_lookup(&server->networks[i], name, size, found);
    known |= found->known;
    if (found->count > 0)
      break;
  }
  return known;
}

/* Answers a question about our own names; false: not ours. A known name never leaves, whatever is asked about it. */
static bool answer_locally(struct loop *loop, struct dns_server *server, const struct asker *asker,
                           const uint8_t *message, const struct dns_query *query) {
  static uint8_t bytes[MAX_REPLY];
  static struct names_addresses found;
  struct dns_reply reply;
  if (!query->plain || query->class != DNS_CLASS_IN || query->name[0] == '\0')
    return false;
  size_t limit = asker->client != NULL ? sizeof bytes : query->udp_size;
  dns_reply_begin(&reply, bytes, limit, message, query, DNS_NOERROR);
  if (query->type == DNS_TYPE_PTR) {
    uint8_t address[16];
    size_t size = dns_reverse_address(query->name, address);
    for (size_t i = 0; size > 0 && i < server->network_count; i++) {
      const char *name = names_reverse(&server->networks[i], address, size);
      if (name != NULL && dns_reply_pointer(&reply, name, server->networks[i].network, TTL)) {
        dns_reply_end(&reply, query, DNS_NOERROR);
        dns_send_reply(loop, server, asker, bytes, reply.size);
        return true;
      }
    }
  }
  size_t size = query->type == DNS_TYPE_A ? 4 : query->type == DNS_TYPE_AAAA ? 16 : 0;
  if (!find_addresses(server, query->name, size, &found))
    return false;
  shuffle(found.list, found.count);
  for (size_t i = 0; i < found.count && dns_reply_address(&reply, found.list[i], size, TTL); i++)
    ;
  dns_reply_end(&reply, query, DNS_NOERROR);
  dns_send_reply(loop, server, asker, bytes, reply.size);
  return true;
}

static void wait_for_upstreams(struct loop *loop, struct dns_server *server, const struct asker *asker,
                               const uint8_t *message, size_t size, const struct dns_query *question) {
  struct query *query = forward_query(loop, server, asker, message, size, question);
  if (asker->client != NULL)
    client_wait(asker->client, query);
}

bool dns_handle(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *message,
                size_t size) {
  struct dns_query query;
  switch (dns_read_query(message, size, &query)) {
  case DNS_IGNORE:
    return false;
  case DNS_REJECT_FORMERR:
    dns_send_rcode(loop, server, asker, message, &query, DNS_FORMERR);
    return true;
  case DNS_REJECT_NOTIMP:
    dns_send_rcode(loop, server, asker, message, &query, DNS_NOTIMP);
    return true;
  case DNS_REJECT_BADVERS:
    dns_send_rcode(loop, server, asker, message, &query, DNS_BADVERS);
    return true;
  case DNS_QUERY:
    break;
  }
  if (answer_locally(loop, server, asker, message, &query))
    return true;
  if (server->upstream_count == 0)
    dns_send_rcode(loop, server, asker, message, &query, DNS_NXDOMAIN);
  else
    wait_for_upstreams(loop, server, asker, message, size, &query);
  return true;
}

static void udp_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct dns_server *server = CONTAINER(struct dns_server, udp, source);
  (void)events;
  for (int i = 0; i < DNS_ROUND; i++) {
    uint8_t message[DNS_MAX_QUERY];
    struct sockaddr_storage from;
    socklen_t from_size = sizeof from;
    ssize_t size =
        recvfrom(source->fd, message, sizeof message, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &from_size);
    if (size < 0)
      return;
    if ((size_t)size <= sizeof message)
      dns_handle(loop, server, &(struct asker){NULL, &from, from_size}, message, (size_t)size);
  }
}

struct dns_server *dns_start(struct loop *loop, const struct dns_config *config) {
  struct dns_server *server = calloc(1, sizeof *server + config->network_count * sizeof(struct names));
  if (server == NULL)
    return NULL;
  server->udp = (struct source){config->udp, udp_ready};
  server->broker = config->broker;
  server->upstream_count = config->upstream_count;
  forward_start(loop, server);
  return source_add(loop, &server->udp, EPOLLIN) && tcp_start(loop, server, config->tcp) ? server : NULL;
}

void dns_add_network(struct dns_server *server, const struct network_child_network *network, int directory) {
  struct names *names = &server->networks[server->network_count++];
  names_open(names, network->name, directory);
  names->links = network->links;
  names->link_count = network->link_count;
}

void dns_stop(struct loop *loop, struct dns_server *server) {
  source_close(loop, &server->udp);
  tcp_stop(loop, server);
  forward_stop(loop, server);
}
