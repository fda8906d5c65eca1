#include "receiver-link.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "outside.h"
#include "share.h"

#define CONNECT_MS 10000

void link_close(struct receiver_link *link) {
  close_quietly(link->fd);
  link->fd = -1;
  link->connecting = false;
}

static int open_path(const char *path, int type) {
  int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect_path(fd, path) == 0) return fd;
  close_quietly(fd);
  return -1;
}

static int open_address(const struct receiver_link *link) {
  const struct receiver *receiver = link->receiver;
  int protocol = receiver->protocol == RECEIVER_UDP ? IPPROTO_UDP : IPPROTO_TCP;
  return link->outside != NULL ? outside_connect(link->outside, &receiver->address, protocol)
                               : connect_here(&receiver->address, protocol);
}

int link_open(struct receiver_link *link) {
  const struct receiver *receiver = link->receiver;
  link->connecting = receiver->protocol == RECEIVER_TCP;
  if (receiver->protocol == RECEIVER_STREAM) {
    link->fd = open_path(receiver->path, SOCK_STREAM);
  } else if (receiver->protocol == RECEIVER_DATAGRAM || receiver->protocol == RECEIVER_LOCAL) {
    link->fd = open_path(receiver->path, SOCK_DGRAM);
    if (link->fd < 0 && errno == EPROTOTYPE && receiver->protocol == RECEIVER_LOCAL)
      link->fd = open_path(receiver->path, SOCK_STREAM);
  } else {
    link->fd = open_address(link);
  }
  if (link->fd >= 0) return 0;
  link->connecting = false;
  return -1;
}

int link_settle(struct receiver_link *link) {
  int error = 0;
  socklen_t size = sizeof error;
  link->connecting = false;
  if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) return 0;
  link_close(link);
  errno = error;
  return -1;
}

int link_wait(struct receiver_link *link) {
  if (!link->connecting) return 0;
  struct pollfd ready = {.fd = link->fd, .events = POLLOUT};
  int64_t until = now_ns() + CONNECT_MS * INT64_C(1000000);
  for (int64_t left = CONNECT_MS; left > 0; left = (until - now_ns()) / 1000000) {
    int count = poll(&ready, 1, (int)left);
    if (count > 0) return link_settle(link);
    if (count < 0 && errno != EINTR) break;
  }
  link_close(link);
  errno = ETIMEDOUT;
  return -1;
}

/* As journald takes what is too large for a datagram: by the descriptor of a sealed memory file. */
static enum link_result send_as_file(int fd, const char *message, size_t size) {
  int file = sealed_memfd("tscompose-log", message, size);
  if (file < 0) return LINK_SENT;
  ssize_t result = send_with_descriptor(fd, NULL, 0, file);
  int error = errno;
  close_quietly(file);
  if (result >= 0) return LINK_SENT;
  return error == EAGAIN ? LINK_LATER : LINK_LOST;
}

enum link_result link_send(struct receiver_link *link, const char *message, size_t size, size_t *sent) {
  const struct receiver *receiver = link->receiver;
  bool again = receiver->protocol == RECEIVER_UDP;
  while (*sent < size) {
    ssize_t count = send(link->fd, message + *sent, size - *sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      *sent += (size_t)count;
    } else if (errno == EAGAIN) {
      return LINK_LATER;
    } else if (errno == EMSGSIZE || errno == ENOBUFS) {
      return receiver->form == FORM_JOURNALD ? send_as_file(link->fd, message, size) : LINK_SENT;
    } else if (receiver->protocol == RECEIVER_UDP && errno != EINTR) {
      /* The first error is about an earlier message. */
      if (!again) return LINK_SENT;
      again = false;
    } else if (errno != EINTR) {
      return LINK_LOST;
    }
  }
  return LINK_SENT;
}

bool link_has_ended(struct receiver_link *link) {
  char block[4096];
  for (;;) {
    ssize_t count = recv(link->fd, block, sizeof block, MSG_DONTWAIT);
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    int type = SOCK_DGRAM;
    socklen_t size = sizeof type;
    getsockopt(link->fd, SOL_SOCKET, SO_TYPE, &type, &size);
    return type == SOCK_STREAM && (count == 0 || errno != EAGAIN);
  }
}
