#include "dns.h"

#include "dns-message.h"
#include "dns-names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

enum {
  TTL = 600,              /* seconds, as Docker's resolver answers */
  MAX_QUERY = 4096,       /* larger ones are not ours to carry */
  MAX_REPLY = 16384,      /* 512 addresses fit */
  MAX_FORWARDED = 256,    /* at the same time */
  MAX_CLIENTS = 64,       /* TCP connections at the same time */
  MAX_ATTEMPTS = 6,
  ATTEMPT_MS = 2000,
  CLIENT_IDLE_MS = 10000,
  ROUND = 64,             /* datagrams or connections taken at once, so that no source starves the others */
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

/** A connection of the container to our TCP socket: one question at a time. */
struct client {
  struct source source;
  struct timer timer;
  struct released released;
  struct client *next, **link;
  struct dns_server *server;
  struct query *pending;
  size_t got; /* of the two length bytes and the question */
  uint8_t *out;
  size_t out_size, out_sent;
  uint8_t in[2 + MAX_QUERY];
};

/** A question that upstreams are asked. */
struct query {
  struct source source; /* the socket to the current upstream; fd -1 until the broker gave it */
  struct timer timer;
  struct released released;
  struct query *next, **link;
  struct dns_server *server;
  struct client *client; /* NULL: over UDP, from `from` */
  struct sockaddr_storage from;
  socklen_t from_size;
  uint32_t tag;
  uint16_t id;
  size_t attempt;
  size_t sent, got;
  uint8_t length[2]; /* TCP: comes before the answer */
  uint8_t *answer;
  struct dns_query question;
  size_t size;
  uint8_t message[]; /* TCP's two length bytes, then the question */
};

static void client_ready(struct loop *loop, struct source *source, uint32_t events);
static void client_reply(struct loop *loop, struct client *client, const uint8_t *reply, size_t size);
static void query_try(struct loop *loop, struct query *query);

static uint32_t random32(void)
{
  uint32_t value = 0;
  while (getrandom(&value, sizeof value, 0) != sizeof value)
    ;
  return value;
}

/* ---- replies ---- */

/** Where a reply goes. */
struct asker {
  struct client *client;
  const struct sockaddr_storage *from;
  socklen_t from_size;
};

static void send_reply(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *reply,
             size_t size)
{
  if (asker->client != NULL)
    client_reply(loop, asker->client, reply, size);
  else if (server->udp.fd >= 0)
    sendto(server->udp.fd, reply, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)asker->from,
         asker->from_size);
}

static void send_rcode(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *message,
             const struct dns_query *query, unsigned rcode)
{
  uint8_t bytes[DNS_PLAIN_UDP];
  struct dns_reply reply;
  dns_reply_begin(&reply, bytes, sizeof bytes, message, query, rcode);
  dns_reply_end(&reply, query, rcode);
  send_reply(loop, server, asker, bytes, reply.size);
}

static void shuffle(const uint8_t **list, size_t count)
{
  for (size_t i = count; i > 1; i--) {
    size_t other = random32() % i;
    const uint8_t *swap = list[i - 1];
    list[i - 1] = list[other];
    list[other] = swap;
  }
}

/* The container's networks are asked in their order; the first that has an address of this kind answers, as Docker. */
static bool find_addresses(struct dns_server *server, const char *name, size_t size, struct names_addresses *found)
{
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
               const uint8_t *message, const struct dns_query *query)
{
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
        send_reply(loop, server, asker, bytes, reply.size);
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
  send_reply(loop, server, asker, bytes, reply.size);
  return true;
}

/* ---- forwarding ---- */

static void query_end(struct loop *loop, struct query *query)
{
  timer_clear(&query->timer);
  source_close(&query->source);
  *query->link = query->next;
  if (query->next != NULL)
    query->next->link = query->link;
  query->server->query_count--;
  if (query->client != NULL)
    query->client->pending = NULL;
  free(query->answer);
  query->answer = NULL;
  loop_release(loop, &query->released, query);
}

static void query_deliver(struct loop *loop, struct query *query, uint8_t *answer, size_t size)
{
  struct dns_server *server = query->server;
  struct asker asker = {query->client, &query->from, query->from_size};
  const uint8_t *message = query->message + 2;
  if (asker.client == NULL && size > query->question.udp_size) {
    uint8_t bytes[DNS_PLAIN_UDP];
    struct dns_reply reply;
    dns_reply_begin(&reply, bytes, sizeof bytes, message, &query->question, dns_rcode(answer));
    bytes[2] |= 0x02; /* TC: the asker comes again over TCP */
    dns_reply_end(&reply, &query->question, DNS_NOERROR);
    send_reply(loop, server, &asker, bytes, reply.size);
  } else {
    dns_put16(answer, query->question.id);
    send_reply(loop, server, &asker, answer, size);
  }
  query_end(loop, query);
}

static void query_fail(struct loop *loop, struct query *query)
{
  struct asker asker = {query->client, &query->from, query->from_size};
  send_rcode(loop, query->server, &asker, query->message + 2, &query->question, DNS_SERVFAIL);
  query_end(loop, query);
}

/* The current upstream gave no usable answer: the next one, or the first again. */
static void query_next(struct loop *loop, struct query *query)
{
  size_t most = query->server->upstream_count * 2;
  if (++query->attempt >= (most < MAX_ATTEMPTS ? most : MAX_ATTEMPTS))
    query_fail(loop, query);
  else
    query_try(loop, query);
}

static void attempt_expired(struct loop *loop, struct timer *timer)
{
  query_next(loop, CONTAINER(struct query, timer, timer));
}

/* An answer to our question. One that blames the upstream is the last word only where every upstream was asked. */
static void query_answered(struct loop *loop, struct query *query, uint8_t *answer, size_t size)
{
  unsigned rcode = dns_rcode(answer);
  bool final = rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN || rcode > DNS_REFUSED;
  if (final || query->attempt + 1 >= query->server->upstream_count)
    query_deliver(loop, query, answer, size);
  else
    query_next(loop, query);
}

static void query_udp_ready(struct loop *loop, struct source *source, uint32_t events)
{
  struct query *query = CONTAINER(struct query, source, source);
  (void)events;
  for (int i = 0; i < ROUND; i++) {
    ssize_t size = recv(source->fd, scratch, sizeof scratch, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
      return;
    if (size < 0) /* refused by the upstream's machine, or unreachable */
      return query_next(loop, query);
    if (dns_answers(scratch, (size_t)size, query->id, query->message + 2, query->question.question_end))
      return query_answered(loop, query, scratch, (size_t)size);
  }
}

static bool query_tcp_write(struct loop *loop, struct query *query)
{
  while (query->sent < query->size + 2) {
    ssize_t count = send(query->source.fd, query->message + query->sent, query->size + 2 - query->sent,
               MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0)
      return errno == EAGAIN;
    query->sent += (size_t)count;
  }
  return source_change(loop, &query->source, EPOLLIN);
}

/* Reads the length and then the answer. False: the upstream failed. */
static bool query_tcp_read(struct loop *loop, struct query *query)
{
  for (;;) {
    size_t whole = query->got < 2 ? 2 : 2u + dns_get16(query->length);
    uint8_t *into = query->got < 2 ? query->length + query->got : query->answer + query->got - 2;
    ssize_t count = recv(query->source.fd, into, whole - query->got, MSG_DONTWAIT);
    if (count < 0)
      return errno == EAGAIN;
    if (count == 0)
      return false;
    query->got += (size_t)count;
    if (query->got < whole)
      continue;
    if (query->answer != NULL)
      break;
    size_t size = dns_get16(query->length);
    if (size < query->question.question_end || (query->answer = malloc(size)) == NULL)
      return false;
  }
  size_t size = query->got - 2;
  if (!dns_answers(query->answer, size, query->id, query->message + 2, query->question.question_end))
    return false;
  query_answered(loop, query, query->answer, size);
  return true;
}

static void query_tcp_ready(struct loop *loop, struct source *source, uint32_t events)
{
  struct query *query = CONTAINER(struct query, source, source);
  (void)events;
  bool fine = query->sent < query->size + 2 ? query_tcp_write(loop, query) : query_tcp_read(loop, query);
  if (!fine)
    query_next(loop, query);
}

/* Asks the broker for a socket to the upstream whose turn it is. */
static void query_try(struct loop *loop, struct query *query)
{
  struct dns_server *server = query->server;
  source_close(&query->source);
  free(query->answer);
  query->answer = NULL;
  query->sent = query->got = 0;
  query->tag = ++server->last_tag;
  struct broker_request request = {
    .tag = query->tag,
    .upstream = (uint16_t)(query->attempt % server->upstream_count),
    .tcp = query->client != NULL,
  };
  timer_set(loop, &server->attempts, &query->timer);
  /* Where the broker is too busy to be asked, the attempt runs out. */
  send(server->broker, &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void dns_broker_reply(struct loop *loop, struct dns_server *server, const struct broker_reply *reply, int fd)
{
  struct query *query = server->queries;
  while (query != NULL && (query->tag != reply->tag || query->source.fd >= 0))
    query = query->next;
  if (query == NULL || fd < 0) {
    if (fd >= 0)
      close(fd);
    if (query != NULL)
      query_next(loop, query);
    return;
  }
  bool tcp = query->client != NULL;
  query->id = (uint16_t)random32();
  dns_put16(query->message, (uint16_t)query->size);
  dns_put16(query->message + 2, query->id);
  query->source = (struct source){fd, tcp ? query_tcp_ready : query_udp_ready};
  if (!source_add(loop, &query->source, tcp ? EPOLLOUT : EPOLLIN) ||
    (!tcp && send(fd, query->message + 2, query->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0))
    query_next(loop, query);
}

static void forward(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *message,
          size_t size, const struct dns_query *question)
{
  struct query *query = server->query_count < MAX_FORWARDED ? malloc(sizeof *query + 2 + size) : NULL;
  if (query == NULL)
    return send_rcode(loop, server, asker, message, question, DNS_SERVFAIL);
  *query = (struct query){
    .source = {.fd = -1},
    .next = server->queries,
    .link = &server->queries,
    .server = server,
    .client = asker->client,
    .from_size = asker->from_size,
    .question = *question,
    .size = size,
  };
  if (asker->client != NULL)
    asker->client->pending = query;
  else
    memcpy(&query->from, asker->from, asker->from_size);
  memcpy(query->message + 2, message, size);
  if (query->next != NULL)
    query->next->link = &query->next;
  server->queries = query;
  server->query_count++;
  query_try(loop, query);
}

/* False: not a question at all. */
static bool handle(struct loop *loop, struct dns_server *server, const struct asker *asker, const uint8_t *message,
           size_t size)
{
  struct dns_query query;
  switch (dns_read_query(message, size, &query)) {
  case DNS_IGNORE:
    return false;
  case DNS_REJECT_FORMERR:
    send_rcode(loop, server, asker, message, &query, DNS_FORMERR);
    return true;
  case DNS_REJECT_NOTIMP:
    send_rcode(loop, server, asker, message, &query, DNS_NOTIMP);
    return true;
  case DNS_REJECT_BADVERS:
    send_rcode(loop, server, asker, message, &query, DNS_BADVERS);
    return true;
  case DNS_QUERY:
    break;
  }
  if (answer_locally(loop, server, asker, message, &query))
    return true;
  if (server->upstream_count == 0)
    send_rcode(loop, server, asker, message, &query, DNS_NXDOMAIN);
  else
    forward(loop, server, asker, message, size, &query);
  return true;
}

/* ---- UDP ---- */

static void udp_ready(struct loop *loop, struct source *source, uint32_t events)
{
  struct dns_server *server = CONTAINER(struct dns_server, udp, source);
  (void)events;
  for (int i = 0; i < ROUND; i++) {
    uint8_t message[MAX_QUERY];
    struct sockaddr_storage from;
    socklen_t from_size = sizeof from;
    ssize_t size = recvfrom(source->fd, message, sizeof message, MSG_DONTWAIT | MSG_TRUNC,
                (struct sockaddr *)&from, &from_size);
    if (size < 0)
      return;
    if ((size_t)size <= sizeof message)
      handle(loop, server, &(struct asker){NULL, &from, from_size}, message, (size_t)size);
  }
}

/* ---- TCP ---- */

static void client_end(struct loop *loop, struct client *client)
{
  if (client->pending != NULL)
    query_end(loop, client->pending);
  timer_clear(&client->timer);
  source_close(&client->source);
  *client->link = client->next;
  if (client->next != NULL)
    client->next->link = client->link;
  client->server->client_count--;
  free(client->out);
  client->out = NULL;
  loop_release(loop, &client->released, client);
}

static void client_expired(struct loop *loop, struct timer *timer)
{
  client_end(loop, CONTAINER(struct client, timer, timer));
}

static void client_write(struct loop *loop, struct client *client)
{
  while (client->out_sent < client->out_size) {
    ssize_t count = send(client->source.fd, client->out + client->out_sent, client->out_size - client->out_sent,
               MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) {
      if (!source_change(loop, &client->source, EPOLLOUT))
        client_end(loop, client);
      return;
    }
    if (count < 0)
      return client_end(loop, client);
    client->out_sent += (size_t)count;
  }
  free(client->out);
  client->out = NULL;
  if (!source_change(loop, &client->source, EPOLLIN))
    client_end(loop, client);
}

static void client_reply(struct loop *loop, struct client *client, const uint8_t *reply, size_t size)
{
  timer_set(loop, &client->server->idle, &client->timer);
  client->out = size <= UINT16_MAX ? malloc(2 + size) : NULL;
  if (client->out == NULL)
    return; /* the connection falls idle and ends */
  dns_put16(client->out, (uint16_t)size);
  memcpy(client->out + 2, reply, size);
  client->out_size = size + 2;
  client->out_sent = 0;
  /* Written when the loop says so: nothing on the way here may end the client. */
  source_change(loop, &client->source, EPOLLOUT);
}

static void client_read(struct loop *loop, struct client *client)
{
  size_t whole = client->got < 2 ? 2 : 2u + dns_get16(client->in);
  while (client->got < whole) {
    ssize_t count = recv(client->source.fd, client->in + client->got, whole - client->got, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
      return;
    if (count <= 0)
      return client_end(loop, client);
    client->got += (size_t)count;
    if (client->got == 2) {
      whole = 2u + dns_get16(client->in);
      if (whole > sizeof client->in)
        return client_end(loop, client);
    }
  }
  client->got = 0;
  /* No further question is read before this one is answered, and no idle time runs. */
  timer_clear(&client->timer);
  if (!source_change(loop, &client->source, 0) ||
    !handle(loop, client->server, &(struct asker){.client = client}, client->in + 2, whole - 2))
    client_end(loop, client);
}

static void client_ready(struct loop *loop, struct source *source, uint32_t events)
{
  struct client *client = CONTAINER(struct client, source, source);
  if (client->out != NULL)
    client_write(loop, client);
  else if (client->pending == NULL && (events & EPOLLIN))
    client_read(loop, client);
  else
    client_end(loop, client); /* reset or gone */
}

static void tcp_ready(struct loop *loop, struct source *source, uint32_t events)
{
  struct dns_server *server = CONTAINER(struct dns_server, tcp.source, source);
  (void)events;
  for (int i = 0; i < ROUND; i++) {
    int fd = listener_accept(loop, &server->tcp);
    if (fd < 0)
      return;
    if (server->client_count >= MAX_CLIENTS && server->idle.first != NULL)
      client_end(loop, CONTAINER(struct client, timer, server->idle.first));
    struct client *client = server->client_count < MAX_CLIENTS ? malloc(sizeof *client) : NULL;
    if (client == NULL) {
      close(fd);
      continue;
    }
    memset(client, 0, offsetof(struct client, in));
    client->source = (struct source){fd, client_ready};
    client->server = server;
    client->link = &server->clients;
    client->next = server->clients;
    if (client->next != NULL)
      client->next->link = &client->next;
    server->clients = client;
    server->client_count++;
    timer_set(loop, &server->idle, &client->timer);
    if (!source_add(loop, &client->source, EPOLLIN))
      client_end(loop, client);
  }
}

struct dns_server *dns_start(struct loop *loop, const struct dns_config *config)
{
  struct dns_server *server = calloc(1, sizeof *server + config->network_count * sizeof(struct names));
  if (server == NULL)
    return NULL;
  server->udp = (struct source){config->udp, udp_ready};
  server->broker = config->broker;
  server->upstream_count = config->upstream_count;
  timer_list_add(loop, &server->attempts, ATTEMPT_MS, attempt_expired);
  timer_list_add(loop, &server->idle, CLIENT_IDLE_MS, client_expired);
  return source_add(loop, &server->udp, EPOLLIN) && listener_add(loop, &server->tcp, config->tcp, tcp_ready) ? server : NULL;
}

void dns_add_network(struct dns_server *server, const char *name, int directory)
{
  names_open(&server->networks[server->network_count++], name, directory);
}

void dns_stop(struct loop *loop, struct dns_server *server)
{
  source_close(&server->udp);
  listener_close(&server->tcp);
  while (server->clients != NULL)
    client_end(loop, server->clients);
  while (server->queries != NULL)
    query_end(loop, server->queries);
}
