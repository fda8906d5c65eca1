#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "share.h"
#include "util.h"

enum { CONNECT, BIND };

struct request {
  int what;
  int protocol;
  struct sockaddr_storage address;
};

/* Nobody is held up for long by the other side, should that be stopped. */
static const struct timeval asker_patience = {.tv_sec = 5}, keeper_patience = {.tv_sec = 1};

static socklen_t address_size(const struct sockaddr_storage *address) {
  return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static int socket_for(const struct sockaddr_storage *address, int protocol) {
  return socket(address->ss_family, (protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC,
                protocol);
}

static int failed(int fd) {
  close_quietly(fd);
  return -1;
}

int bind_here(const struct sockaddr_storage *address, int protocol) {
  int on = 1, fd = socket_for(address, protocol);
  if (fd < 0) return -1;
  /* Where it overrides connections in TIME_WAIT; for UDP it would let two processes share the address. */
  if (protocol != IPPROTO_UDP) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(fd, (const struct sockaddr *)address, address_size(address)) != 0) return failed(fd);
  return protocol == IPPROTO_UDP || listen(fd, SOMAXCONN) == 0 ? fd : failed(fd);
}

/* The kernel chooses a random source port for each. */
int connect_here(const struct sockaddr_storage *address, int protocol) {
  int fd = socket_for(address, protocol);
  if (fd < 0) return -1;
  if (connect(fd, (const struct sockaddr *)address, address_size(address)) == 0 || errno == EINPROGRESS) return fd;
  return failed(fd);
}

/* A path may be longer than a socket address: the directory is named by its descriptor instead. */
int connect_path(int fd, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *slash = strrchr(path, '/');
  if (slash == NULL) {
    errno = EINVAL;
    return -1;
  }
  char *parent = xmemdup0(path, (size_t)(slash - path) + 1);
  int directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  free(parent);
  if (directory < 0) return -1;
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, slash + 1);
  int result = connect(fd, (struct sockaddr *)&address, sizeof address);
  close_quietly(directory);
  return result;
}

static int wait_for_both_ways(int fd, const struct timeval *patience) {
  return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, patience, sizeof *patience) == 0 &&
                 setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, patience, sizeof *patience) == 0
             ? 0
             : -1;
}

/* The errno of the keeper, or the descriptor that came beside 0. */
static int receive_socket(int fd) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  int error = 0, made = -1;
  struct iovec part = {.iov_base = &error, .iov_len = sizeof error};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t count;
  /* With a time limit a call is not taken up again by itself where the machine or the process was stopped (signal(7)). */
  do count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  if (count != sizeof error) {
    errno = ECONNREFUSED;
    return -1;
  }
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
    memcpy(&made, CMSG_DATA(header), sizeof made);
  if (made < 0) errno = error != 0 ? error : EPROTO;
  return made;
}

static int ask(const char *path, const struct request *request) {
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int made = -1;
  if (wait_for_both_ways(fd, &asker_patience) == 0 && connect_path(fd, path) == 0 &&
      send(fd, request, sizeof *request, MSG_NOSIGNAL) == sizeof *request)
    made = receive_socket(fd);
  close_quietly(fd);
  return made;
}

int outside_bind(const char *path, const struct sockaddr_storage *address, int protocol) {
  struct request request = {.what = BIND, .protocol = protocol, .address = *address};
  return ask(path, &request);
}

int outside_connect(const char *path, const struct sockaddr_storage *address, int protocol) {
  struct request request = {.what = CONNECT, .protocol = protocol, .address = *address};
  return ask(path, &request);
}

/* Of the network only: whoever asks on behalf of a container gets nothing else of the machine. */
static int make_socket(const struct request *request) {
  if (request->address.ss_family != AF_INET && request->address.ss_family != AF_INET6) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  return request->what == BIND ? bind_here(&request->address, request->protocol)
                               : connect_here(&request->address, request->protocol);
}

void outside_answer(int listener) {
  struct request request;
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  ssize_t count = -1;
  if (wait_for_both_ways(fd, &keeper_patience) == 0) {
    do count = recv(fd, &request, sizeof request, 0);
    while (count < 0 && errno == EINTR);
  }
  if (count == sizeof request) {
    int made = make_socket(&request);
    int error = made < 0 ? errno : 0;
    if (made >= 0) send_with_descriptor(fd, &error, sizeof error, made);
    else send(fd, &error, sizeof error, MSG_NOSIGNAL);
    close_quietly(made);
  }
  close_quietly(fd);
}
