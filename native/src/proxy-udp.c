#include "proxy-udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ROUND = 64, MAX_FLOWS = 1024, SILENCE_MS = 90000 /* as Docker's proxy */ };

/** Who sent, and to which of our addresses: replies must come from there. */
struct peer {
  struct sockaddr_storage from;
  socklen_t from_size;
  union {
    struct in_pktinfo v4;
    struct in6_pktinfo v6;
  } to;
  int family; /* of `to`; 0: unknown */
};

struct flow {
  struct source source; /* connected to the container */
  struct timer timer;
  struct released released;
  struct flow *next, **link; /* in its bucket */
  struct flows *flows;
  struct datagrams *datagrams;
  struct peer peer;
};

static void flow_end(struct loop *loop, struct flow *flow) {
  timer_clear(&flow->timer);
  source_close(loop, &flow->source);
  *flow->link = flow->next;
  if (flow->next != NULL)
    flow->next->link = flow->link;
  flow->flows->count--;
  loop_release(loop, &flow->released, flow);
}

static void silence_expired(struct loop *loop, struct timer *timer) {
  flow_end(loop, CONTAINER(struct flow, timer, timer));
}

void flows_start(struct loop *loop, struct flows *flows, size_t most) {
  *flows = (struct flows){.most = most < MAX_FLOWS ? most : MAX_FLOWS};
  timer_list_add(loop, &flows->silence, SILENCE_MS, silence_expired);
}

void flows_end(struct loop *loop, struct flows *flows) {
  while (flows->silence.first != NULL)
    flow_end(loop, CONTAINER(struct flow, timer, flows->silence.first));
}

/* The parts of a peer that name a flow, in one order: address, port, scope, our address. */
static size_t peer_key(const struct peer *peer, uint8_t key[64]) {
  memset(key, 0, 64);
  if (peer->from.ss_family == AF_INET) {
    const struct sockaddr_in *from = (const void *)&peer->from;
    memcpy(key, &from->sin_addr, 4);
    memcpy(key + 16, &from->sin_port, 2);
  } else {
    const struct sockaddr_in6 *from = (const void *)&peer->from;
    memcpy(key, &from->sin6_addr, 16);
    memcpy(key + 16, &from->sin6_port, 2);
    memcpy(key + 20, &from->sin6_scope_id, 4);
  }
  if (peer->family == AF_INET)
    memcpy(key + 24, &peer->to.v4.ipi_addr, 4);
  else if (peer->family == AF_INET6)
    memcpy(key + 24, &peer->to.v6.ipi6_addr, 16);
  return 40;
}

static struct flow **find_bucket(struct flows *flows, const uint8_t *key, size_t size) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ key[i]) * 16777619u;
  return &flows->buckets[(hash ^ hash >> 16) % FLOW_BUCKETS];
}

/* Sends what the container answered back to the client, from the address that it had sent to. */
static void send_back(const struct flow *flow, const uint8_t *data, size_t size) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
  struct iovec part = {(void *)(uintptr_t)data, size};
  struct msghdr message = {
      .msg_name = (void *)(uintptr_t)&flow->peer.from,
      .msg_namelen = flow->peer.from_size,
      .msg_iov = &part,
      .msg_iovlen = 1,
  };
  if (flow->peer.family != 0) {
    bool v4 = flow->peer.family == AF_INET;
    size_t info_size = v4 ? sizeof(struct in_pktinfo) : sizeof(struct in6_pktinfo);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(info_size);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
    header->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN(info_size);
    memcpy(CMSG_DATA(header), &flow->peer.to, info_size);
  }
  sendmsg(flow->datagrams->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void flow_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct flow *flow = CONTAINER(struct flow, source, source);
  (void)events;
  for (int i = 0; i < ROUND; i++) {
    ssize_t size = recv(source->fd, scratch, sizeof scratch, MSG_DONTWAIT);
    if (size < 0 && errno == ECONNREFUSED)
      continue; /* nobody listens inside: reading took the error away */
    if (size < 0)
      break;
    send_back(flow, scratch, (size_t)size);
    timer_set(loop, &flow->flows->silence, &flow->timer);
  }
}

static struct flow *flow_start(struct loop *loop, struct datagrams *datagrams, const struct peer *peer,
                               struct flow **bucket) {
  struct flows *flows = datagrams->flows;
  if (flows->count >= flows->most && flows->silence.first != NULL)
    flow_end(loop, CONTAINER(struct flow, timer, flows->silence.first));
  struct flow *flow = calloc(1, sizeof *flow);
  if (flow == NULL)
    return NULL;
  const struct sockaddr_storage *target = datagrams->target;
  socklen_t size = target->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  flow->source = (struct source){socket(target->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), flow_ready};
  if (flow->source.fd < 0 || connect(flow->source.fd, (const struct sockaddr *)target, size) != 0 ||
      !source_add(loop, &flow->source, EPOLLIN)) {
    source_close(loop, &flow->source);
    free(flow);
    return NULL;
  }
  flow->flows = flows;
  flow->datagrams = datagrams;
  flow->peer = *peer;
  flow->next = *bucket;
  flow->link = bucket;
  if (flow->next != NULL)
    flow->next->link = &flow->next;
  *bucket = flow;
  flows->count++;
  return flow;
}

static void read_pktinfo(struct msghdr *message, struct peer *peer) {
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      memcpy(&peer->to.v4, CMSG_DATA(header), sizeof peer->to.v4);
      peer->to.v4.ipi_ifindex = 0; /* the route decides */
      peer->family = AF_INET;
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      memcpy(&peer->to.v6, CMSG_DATA(header), sizeof peer->to.v6);
      if (!IN6_IS_ADDR_LINKLOCAL(&peer->to.v6.ipi6_addr))
        peer->to.v6.ipi6_ifindex = 0;
      peer->family = AF_INET6;
    }
  }
  /* Replies to a broadcast or multicast address cannot come from it. */
  if (peer->family == AF_INET)
    peer->to.v4.ipi_addr = peer->to.v4.ipi_spec_dst;
  else if (peer->family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&peer->to.v6.ipi6_addr))
    peer->family = 0;
}

static void datagrams_ready(struct loop *loop, struct source *source, uint32_t events) {
  struct datagrams *datagrams = CONTAINER(struct datagrams, source, source);
  (void)events;
  for (int i = 0; i < ROUND; i++) {
    _Alignas(struct cmsghdr) char control[128];
    struct peer peer = {0};
    struct iovec part = {scratch, sizeof scratch};
    struct msghdr message = {
        .msg_name = &peer.from,
        .msg_namelen = sizeof peer.from,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    ssize_t size = recvmsg(source->fd, &message, MSG_DONTWAIT);
    if (size < 0)
      return;
    peer.from_size = message.msg_namelen;
    read_pktinfo(&message, &peer);
    uint8_t key[64], other[64];
    size_t key_size = peer_key(&peer, key);
    struct flow **bucket = find_bucket(datagrams->flows, key, key_size), *flow = *bucket;
    while (flow != NULL && (flow->datagrams != datagrams || memcmp(key, other, peer_key(&flow->peer, other)) != 0))
      flow = flow->next;
    if (flow == NULL && (flow = flow_start(loop, datagrams, &peer, bucket)) == NULL)
      continue;
    timer_set(loop, &flow->flows->silence, &flow->timer);
    /* An error left by an earlier datagram that found no listener is reported here once: send again. */
    if (send(flow->source.fd, scratch, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
      send(flow->source.fd, scratch, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

bool datagrams_add(struct loop *loop, struct datagrams *datagrams, struct flows *flows, int fd,
                   const struct sockaddr_storage *target) {
  static const int one = 1;
  *datagrams = (struct datagrams){.source = {fd, datagrams_ready}, .flows = flows, .target = target};
  setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
  setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
  return source_add(loop, &datagrams->source, EPOLLIN);
}
