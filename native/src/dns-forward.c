#include "dns.h"
#include "dns-server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
  MAX_FORWARDED = 256, /* at the same time */
  MAX_ATTEMPTS = 6,
  ATTEMPT_MS = 2000,
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

static void query_try(struct loop *loop, struct query *query);

static void query_end(struct loop *loop, struct query *query) {
  timer_clear(&query->timer);
  source_close(loop, &query->source);
  *query->link = query->next;
  if (query->next != NULL)
    query->next->link = query->link;
  query->server->query_count--;
  if (query->client != NULL)
    client_wait(query->client, NULL);
  free(query->answer);
  query->answer = NULL;
  loop_release(loop, &query->released, query);
}

static void query_deliver(struct loop *loop, struct query *query, uint8_t *answer, size_t size) {
  struct dns_server *server = query->server;
  struct asker asker = {query->client, &query->from, query->from_size};
  const uint8_t *message = query->message + 2;
  if (asker.client == NULL && size > query->question.udp_size) {
    uint8_t bytes[DNS_PLAIN_UDP];
    struct dns_reply reply;
    dns_reply_begin(&reply, bytes, sizeof bytes, message, &query->question, dns_rcode(answer));
    bytes[2] |= 0x02; /* TC: the asker comes again over TCP */
    dns_reply_end(&reply, &query->question, DNS_NOERROR);
    dns_send_reply(loop, server, &asker, bytes, reply.size);
  } else {
    dns_put16(answer, query->question.id);
    dns_send_reply(loop, server, &asker, answer, size);
  }
  query_end(loop, query);
}

static void query_fail(struct loop *loop, struct query *query) {
  struct asker asker = {query->client, &query->from, query->from_size};
  dns_send_rcode(loop, query->server, &asker, query->message + 2, &query->question, DNS_SERVFAIL);
  query_end(loop, query);
}

/* The current upstream gave no usable answer: the next one, or the first again. */
static void query_next(struct loop *loop, struct query *query) {
  size_t most = query->server->upstream_count * 2;
  if (++query->attempt >= (most < MAX_ATTEMPTS ? most : MAX_ATTEMPTS))
    query_fail(loop, query);
  else
    query_try(loop, query);
}

static void attempt_expired(struct loop *loop, struct timer *timer) {
  query_next(loop, CONTAINER(struct query, timer, timer));
}

/* An answer to our question. One that blames the upstream is the last word only where every upstream was asked. */
static void query_answered(struct loop *loop, struct query *query, uint8_t *answer, size_t size) {
  unsigned rcode = dns_rcode(answer);
  bool final = rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN || rcode > DNS_REFUSED;
  if (final || query->attempt + 1 >= query->server->upstream_count)
    query_deliver(loop, query, answer, size);
  else
    query_next(loop, query);
}

static void query_udp_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct query *query = CONTAINER(struct query, source, source);
  (void)events;
  for (int i = 0; i < DNS_ROUND; i++) {
    ssize_t size = recv(source->fd, scratch, sizeof scratch, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
      return;
    if (size < 0) /* refused by the upstream's machine, or unreachable */
      return query_next(loop, query);
    if (dns_answers(scratch, (size_t)size, query->id, query->message + 2, query->question.question_end))
      return query_answered(loop, query, scratch, (size_t)size);
  }
}

static bool query_tcp_write(struct loop *loop, struct query *query) {
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
static bool query_tcp_read(struct loop *loop, struct query *query) {
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

static void query_tcp_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct query *query = CONTAINER(struct query, source, source);
  (void)events;
  bool fine = query->sent < query->size + 2 ? query_tcp_write(loop, query) : query_tcp_read(loop, query);
  if (!fine)
    query_next(loop, query);
}

/* Asks the broker for a socket to the upstream whose turn it is. */
static void query_try(struct loop *loop, struct query *query) {
  struct dns_server *server = query->server;
  source_close(loop, &query->source);
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

void dns_broker_reply(struct loop *loop, struct dns_server *server, const struct broker_reply *reply, int fd) {
  struct query *query = server->queries;
  if (reply->upstreams > 0)
    server->upstream_count = reply->upstreams;
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
  query->id = (uint16_t)dns_random();
  dns_put16(query->message, (uint16_t)query->size);
  dns_put16(query->message + 2, query->id);
  query->source = (struct source){fd, tcp ? query_tcp_ready : query_udp_ready};
  if (!source_add(loop, &query->source, tcp ? EPOLLOUT : EPOLLIN) ||
      (!tcp && send(fd, query->message + 2, query->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0))
    query_next(loop, query);
}

struct query *forward_query(struct loop *loop, struct dns_server *server, const struct asker *asker,
                            const uint8_t *message, size_t size, const struct dns_query *question) {
  struct query *query = server->query_count < MAX_FORWARDED ? malloc(sizeof *query + 2 + size) : NULL;
  if (query == NULL) {
    dns_send_rcode(loop, server, asker, message, question, DNS_SERVFAIL);
    return NULL;
  }
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
  if (asker->client == NULL)
    memcpy(&query->from, asker->from, asker->from_size);
  memcpy(query->message + 2, message, size);
  if (query->next != NULL)
    query->next->link = &query->next;
  server->queries = query;
  server->query_count++;
  query_try(loop, query);
  return query;
}

void forward_give_up(struct loop *loop, struct query *query) {
  query_end(loop, query);
}

void forward_start(struct loop *loop, struct dns_server *server) {
  timer_list_add(loop, &server->attempts, ATTEMPT_MS, attempt_expired);
}

void forward_stop(struct loop *loop, struct dns_server *server) {
  while (server->queries != NULL)
    query_end(loop, server->queries);
}
