#include "proxy-tcp.h"

#include "network-child.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
  CLIENT = 0,
  SERVER = 1,
  PIECE = 65536, /* what a pipe holds */
  TURN = 16,     /* pieces a direction may carry before others have their turn */
};

/** One direction: what was read from end `from` and is not yet written to the other. */
struct direction {
  int pipe[2]; /* -1 while nothing is under way */
  size_t held;
  bool read_ended;  /* the sender closed its side */
  bool write_ended; /* and the receiver was told */
};

/** Edge-triggered: what is known of an end is kept until a call answers EAGAIN. */
struct end {
  struct source source;
  bool readable, writable;
};

struct connection {
  struct end ends[2];
  struct direction directions[2]; /* [CLIENT]: from the client to the container */
  struct connections *connections;
  struct connection *busy_next, **busy_link;
  struct released released;
  bool connecting;
};

static void direction_drop_pipe(struct connections *connections, struct direction *direction) {
  if (direction->pipe[0] < 0)
    return;
  if (direction->held == 0 && connections->spare_count < SPARE_PIPES) {
    int *spare = connections->spare[connections->spare_count++];
    spare[0] = direction->pipe[0];
    spare[1] = direction->pipe[1];
  } else {
    close(direction->pipe[0]);
    close(direction->pipe[1]);
  }
  direction->pipe[0] = direction->pipe[1] = -1;
}

static bool direction_take_pipe(struct connections *connections, struct direction *direction) {
  if (direction->pipe[0] >= 0)
    return true;
  if (connections->spare_count == 0)
    return pipe2(direction->pipe, O_NONBLOCK | O_CLOEXEC) == 0;
  int *spare = connections->spare[--connections->spare_count];
  direction->pipe[0] = spare[0];
  direction->pipe[1] = spare[1];
  return true;
}

static void set_busy(struct connection *connection, bool busy) {
  struct connections *connections = connection->connections;
  if (busy == (connection->busy_link != NULL))
    return;
  if (busy) {
    connection->busy_next = connections->busy;
    connection->busy_link = &connections->busy;
    if (connection->busy_next != NULL)
      connection->busy_next->busy_link = &connection->busy_next;
    connections->busy = connection;
  } else {
    *connection->busy_link = connection->busy_next;
    if (connection->busy_next != NULL)
      connection->busy_next->busy_link = connection->busy_link;
    connection->busy_link = NULL;
  }
}

static void connection_end(struct loop *loop, struct connection *connection, bool reset) {
  struct connections *connections = connection->connections;
  set_busy(connection, false);
  for (int i = 0; i < 2; i++) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    /* What broke on one side must not look like an orderly end on the other. */
    if (reset && connection->ends[i].source.fd >= 0)
      setsockopt(connection->ends[i].source.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    source_close(loop, &connection->ends[i].source);
    direction_drop_pipe(connections, &connection->directions[i]);
  }
  connections->count--;
  loop_release(loop, &connection->released, connection);
  connections->ended(loop, connections);
}

enum carried { CARRIED_ALL, CARRIED_MORE, CARRIED_ERROR };

/* Moves bytes of one direction until one of the ends has to wait. */
static enum carried carry(struct connection *connection, int from) {
  struct direction *direction = &connection->directions[from];
  struct end *source = &connection->ends[from], *sink = &connection->ends[!from];
  for (int i = 0; i < TURN; i++) {
    if (direction->held == 0 && !direction->read_ended && source->readable) {
      if (!direction_take_pipe(connection->connections, direction))
        return CARRIED_ERROR;
      ssize_t count = splice(source->source.fd, NULL, direction->pipe[1], NULL, PIECE, SPLICE_F_NONBLOCK);
      if (count > 0)
        direction->held = (size_t)count;
      else if (count == 0)
        direction->read_ended = true;
      else if (errno == EAGAIN) /* the pipe is empty: it is the socket that has nothing */
        source->readable = false;
      else
        return CARRIED_ERROR;
    }
    if (direction->held > 0 && sink->writable) {
      ssize_t count = splice(direction->pipe[0], NULL, sink->source.fd, NULL, direction->held, SPLICE_F_NONBLOCK);
      if (count > 0)
        direction->held -= (size_t)count;
      else if (count < 0 && errno == EAGAIN)
        sink->writable = false;
      else
        return CARRIED_ERROR;
    }
    if (direction->held > 0 && !sink->writable)
      return CARRIED_ALL;
    if (direction->held == 0 && (direction->read_ended || !source->readable)) {
      direction_drop_pipe(connection->connections, direction);
      if (direction->read_ended && !direction->write_ended) {
        direction->write_ended = true;
        if (shutdown(sink->source.fd, SHUT_WR) != 0)
          return CARRIED_ERROR;
      }
      return CARRIED_ALL;
    }
  }
  return CARRIED_MORE;
}

static void connection_carry(struct loop *loop, struct connection *connection) {
  if (connection->connecting)
    return;
  enum carried to = carry(connection, CLIENT);
  enum carried from = to == CARRIED_ERROR ? CARRIED_ERROR : carry(connection, SERVER);
  if (from == CARRIED_ERROR)
    connection_end(loop, connection, true);
  else if (connection->directions[CLIENT].write_ended && connection->directions[SERVER].write_ended)
    connection_end(loop, connection, false);
  else
    set_busy(connection, to == CARRIED_MORE || from == CARRIED_MORE);
}

static void note_events(struct end *end, uint32_t events) {
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    end->readable = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
    end->writable = true;
}

static void client_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct connection *connection = CONTAINER(struct connection, ends[CLIENT].source, source);
  note_events(&connection->ends[CLIENT], events);
  connection_carry(loop, connection);
}

static void server_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct connection *connection = CONTAINER(struct connection, ends[SERVER].source, source);
  if (connection->connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
      return connection_end(loop, connection, true);
    connection->connecting = false;
  }
  note_events(&connection->ends[SERVER], events);
  connection_carry(loop, connection);
}

/* Small pieces go out at once, and a peer that vanished is noticed. */
static void set_options(int fd) {
  static const int one = 1, idle = 60, interval = 15, count = 5;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

void connection_start(struct loop *loop, struct connections *connections, int client, int protocol,
                      const struct sockaddr_storage *target) {
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) {
    close(client);
    return;
  }
  int server = socket(target->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  connection->ends[CLIENT].source = (struct source){client, client_ready};
  connection->ends[SERVER].source = (struct source){server, server_ready};
  connection->connections = connections;
  connection->connecting = true;
  for (int i = 0; i < 2; i++)
    connection->directions[i].pipe[0] = connection->directions[i].pipe[1] = -1;
  connections->count++;
  socklen_t size = target->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  const uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  if (server < 0 || (connect(server, (const struct sockaddr *)target, size) != 0 && errno != EINPROGRESS) ||
      !source_add(loop, &connection->ends[CLIENT].source, events) ||
      !source_add(loop, &connection->ends[SERVER].source, events))
    return connection_end(loop, connection, true);
  if (protocol == IPPROTO_TCP) {
    set_options(client);
    set_options(server);
  }
}

bool connections_continue(struct loop *loop, struct connections *connections) {
  struct connection *turn = connections->busy;
  connections->busy = NULL;
  if (turn != NULL)
    turn->busy_link = &turn; /* its turn's list: each leaves it when it was served */
  while (turn != NULL) {
    struct connection *connection = turn;
    set_busy(connection, false);
    connection_carry(loop, connection);
  }
  return connections->busy != NULL;
}
