/* The parts of the DNS server see each other through this: dns.c answers, dns-forward.c asks upstreams, dns-tcp.c connects. */
#ifndef DNS_SERVER_H
#define DNS_SERVER_H

#include "dns-message.h"
#include "dns-names.h"
#include "network-child-loop.h"

#include <sys/socket.h>

enum {
  DNS_MAX_QUERY = 4096, /* larger ones are not ours to carry */
  DNS_ROUND = 64,       /* datagrams or connections taken at once, so that no source starves the others */
};

struct dns_server {
  struct source udp;
  struct listener tcp;
  int broker;
  size_t upstream_count, network_count;
  uint32_t last_tag;
  struct timer_list attempts, idle;
  struct query *queries;
  struct client *clients;
  size_t query_count, client_count;
  struct names networks[];
};

/** Who asked, and where the reply goes: a TCP connection, or (`client` is NULL) an address. */
struct asker {
  struct client *client;
  const struct sockaddr_storage *from;
  socklen_t from_size;
};

/* dns.c */
uint32_t dns_random(void);
/** Answers, refuses or forwards a message. False: it is no question at all. */
bool dns_handle(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *message,
                size_t size);
void dns_send_reply(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *reply,
                    size_t size);
void dns_send_rcode(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *message,
                    const struct dns_query *query, unsigned rcode);

/* dns-forward.c */
void forward_start(struct loop *loop, struct dns_server *server);
/** Asks the upstreams. For a connection, returns what is to be given up when it ends first; NULL: already answered. */
struct query *forward_query(struct loop *loop, struct dns_server *server, const struct asker *asker,
                            const uint8_t *message, size_t size, const struct dns_query *question);
void forward_give_up(struct loop *loop, struct query *query);
void forward_stop(struct loop *loop, struct dns_server *server);

/* dns-tcp.c */
bool tcp_start(struct loop *loop, struct dns_server *server, int listening);
void client_reply(struct loop *loop, struct client *client, const uint8_t *reply, size_t size);
void client_wait(struct client *client, struct query *pending);
void tcp_stop(struct loop *loop, struct dns_server *server);

#endif
