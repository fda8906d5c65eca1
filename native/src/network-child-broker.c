/* The broker's end in the caller: hands out sockets that are connected to an upstream. */
#include "network-child.h"

#include "dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum { BROKER_ROUND = 64 };

static socklen_t address_size(const struct sockaddr_storage *address) {
  return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

struct upstreams {
  const struct network_child_upstream *list;
  size_t count;
};

static struct upstreams upstreams_now(struct network_child *child) {
  struct network_child_resolvers *resolvers = &child->resolvers;
  if (resolvers->file != NULL)
    resolvers_refresh(resolvers);
  if (resolvers->count > 0)
    return (struct upstreams){resolvers->list, resolvers->count};
  return (struct upstreams){child->upstreams, child->upstream_count};
}

/* A socket on its way to the upstream; -1: errno is set. The kernel chooses a random source port for each. */
static int connect_upstream(const struct network_child *child, const struct upstreams *upstreams,
                            const struct broker_request *request) {
  if (upstreams->count == 0) {
    errno = EINVAL;
    return -1;
  }
  /* The child may not know yet that there are fewer. */
  const struct sockaddr_storage *address = &upstreams->list[request->upstream % upstreams->count].address;
  if (child->connect != NULL)
    return child->connect(child->connect_data, address, request->tcp ? IPPROTO_TCP : IPPROTO_UDP);
  int fd = socket(address->ss_family, (request->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (const struct sockaddr *)address, address_size(address)) == 0 || errno == EINPROGRESS)
    return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static void send_socket(int broker, const struct broker_reply *reply, int fd) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec part = {(void *)(uintptr_t)reply, sizeof *reply};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  /* A child that does not read its replies loses them: the attempt runs out there. */
  sendmsg(broker, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool network_child_broker(int broker, struct network_child *child) {
  struct upstreams upstreams = {NULL, 0};
  for (int i = 0; i < BROKER_ROUND; i++) {
    struct broker_request request;
    ssize_t size = recv(broker, &request, sizeof request, MSG_DONTWAIT);
    if (size < 0)
      return errno == EAGAIN || errno == EINTR;
    if (size != sizeof request)
      return false;
    if (upstreams.list == NULL)
      upstreams = upstreams_now(child);
    int fd = connect_upstream(child, &upstreams, &request);
    struct broker_reply reply = {request.tag, fd < 0 ? errno : 0, (uint32_t)upstreams.count};
    send_socket(broker, &reply, fd);
    if (fd >= 0)
      close(fd);
  }
  return true;
}
