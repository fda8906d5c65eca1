#include "dns-server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
  MAX_CLIENTS = 64, /* at the same time */
  CLIENT_IDLE_MS = 10000,
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
  uint8_t in[2 + DNS_MAX_QUERY];
};

void client_wait(struct client *client, struct query *pending) {
  client->pending = pending;
}

static void client_end(struct loop *loop, struct client *client) {
  if (client->pending != NULL)
    forward_give_up(loop, client->pending);
  timer_clear(&client->timer);
  source_close(loop, &client->source);
  *client->link = client->next;
  if (client->next != NULL)
    client->next->link = client->link;
  client->server->client_count--;
  free(client->out);
  client->out = NULL;
  loop_release(loop, &client->released, client);
}

static void client_expired(struct loop *loop, struct timer *timer) {
  client_end(loop, CONTAINER(struct client, timer, timer));
}

static void client_write(struct loop *loop, struct client *client) {
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

void client_reply(struct loop *loop, struct client *client, const uint8_t *reply, size_t size) {
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

static void client_read(struct loop *loop, struct client *client) {
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
      !dns_handle(loop, client->server, &(struct asker){.client = client}, client->in + 2, whole - 2))
    client_end(loop, client);
}

static void client_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct client *client = CONTAINER(struct client, source, source);
  if (client->out != NULL)
    client_write(loop, client);
  else if (client->pending == NULL && (events & EPOLLIN))
    client_read(loop, client);
  else
    client_end(loop, client); /* reset or gone */
}

static void tcp_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct dns_server *server = CONTAINER(struct dns_server, tcp.source, source);
  (void)events;
  for (int i = 0; i < DNS_ROUND; i++) {
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

bool tcp_start(struct loop *loop, struct dns_server *server, int listening) {
  timer_list_add(loop, &server->idle, CLIENT_IDLE_MS, client_expired);
  return listener_add(loop, &server->tcp, listening, tcp_ready);
}

void tcp_stop(struct loop *loop, struct dns_server *server) {
  listener_close(loop, &server->tcp);
  while (server->clients != NULL)
    client_end(loop, server->clients);
}
