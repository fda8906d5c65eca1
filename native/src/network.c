#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "netlink.h"
#include "outside.h"

/* Where `attach` batches find the container's namespace (IFLA_NET_NS_FD). */
#define NAMESPACE_NUMBER 100
#define AGAIN_NS 1000000000

static unsigned port_of(const struct sockaddr_storage *address) {
  return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                              : ((const struct sockaddr_in *)address)->sin_port);
}

/* Without root the machine's network is not ours: the keeper binds for us. */
static int bind_address(const struct plan *plan, const struct publish *publish) {
  if (plan->outside != NULL) return outside_bind(plan->outside, &publish->address, publish->udp);
  return bind_here(&publish->address, publish->udp);
}

/* A machine without IPv6 has no `::` to publish at; the IPv4 twin of the same port is enough then. */
static bool is_absent_ipv6(const struct publish *publish, int error) {
  return strcmp(publish->host, "::") == 0 && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL);
}

int network_publish(struct network *network, struct failure *failure) {
  const struct plan *plan = network->plan;
  network->endpoints = xcalloc(plan->published_count, sizeof *network->endpoints);
  for (size_t i = 0; i < plan->published_count; i++) {
    const struct publish *publish = &plan->published[i];
    int fd = bind_address(plan, publish);
    if (fd < 0 && is_absent_ipv6(publish, errno)) continue;
    if (fd < 0)
      return fail_errno(failure, errno, publish->address.ss_family == AF_INET6 ? "publish %s [%s]:%u" : "publish %s %s:%u",
                        publish->udp ? "udp" : "tcp", publish->host, port_of(&publish->address));
    network->endpoints[network->endpoint_count++] =
        (struct network_child_endpoint){.fd = fd, .udp = publish->udp, .target = publish->target};
  }
  return 0;
}

/* In and out again: this process stays in the machine's namespace, the descriptor holds the new one. */
static int new_namespace(void) {
  int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0) return -1;
  int made = -1;
  if (unshare(CLONE_NEWNET) == 0) {
    made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (setns(own, CLONE_NEWNET) != 0) abort();
  }
  close_quietly(own);
  return made;
}

static int open_namespace(struct network *network, struct failure *failure) {
  const char *mode = network->plan->network;
  network->namespace = -1;
  if (strcmp(mode, "host") == 0) return 0;
  if (strcmp(mode, "new") == 0) network->namespace = new_namespace();
  else network->namespace = open(mode, O_RDONLY | O_CLOEXEC);
  if (network->namespace >= 0) return 0;
  return fail_errno(failure, errno, mode[0] == '/' ? "network namespace %s" : "%s network namespace", mode);
}

static int run_batches(struct network *network, int when, struct failure *failure) {
  static const char *const names[] = {"attach", "inside", "detach"};
  for (size_t i = 0; i < network->plan->batch_count; i++) {
    const struct netlink_job *job = &network->plan->batches[i];
    struct netlink_result result = {0};
    if ((int)job->when != when) continue;
    int status = netlink_batch(job->family, job->batch, job->size, &result);
    if (status != 0) {
      fail_errno(failure, errno, "network: %s", names[when]);
    } else if (result.error_count > 0) {
      const struct netlink_error *error = &result.errors[0];
      if (error->text != NULL) {
        fail_kind(failure, kind_of_errno(error->code), error->text, "network: %s, message %u", names[when], error->index);
        failure->error = error->code;
      } else {
        fail_errno(failure, error->code, "network: %s, message %u", names[when], error->index);
      }
      status = -1;
    }
    netlink_result_free(&result);
    if (status != 0 && when != BATCH_DETACH) return -1;
  }
  return 0;
}

static int run_inside(struct network *network, struct failure *failure) {
  int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0 || setns(network->namespace, CLONE_NEWNET) != 0) {
    fail_errno(failure, errno, "network: inside");
    close_quietly(own);
    return -1;
  }
  int result = run_batches(network, BATCH_INSIDE, failure);
  if (setns(own, CLONE_NEWNET) != 0) abort();
  close_quietly(own);
  return result;
}

static bool has_batches(const struct network *network, int when) {
  for (size_t i = 0; i < network->plan->batch_count; i++)
    if ((int)network->plan->batches[i].when == when) return true;
  return false;
}

int network_attach(struct network *network, struct failure *failure) {
  if (open_namespace(network, failure) != 0) return -1;
  if (has_batches(network, BATCH_ATTACH)) {
    int numbered = network->namespace >= 0 ? dup3(network->namespace, NAMESPACE_NUMBER, O_CLOEXEC) : -1;
    /* EBADF: the number is beyond the limit of the shell, which only a privileged user raises. */
    if (network->namespace >= 0 && numbered < 0)
      return fail_errno(failure, errno == EBADF ? EMFILE : errno, "network: descriptor %d (ulimit -n)", NAMESPACE_NUMBER);
    int result = run_batches(network, BATCH_ATTACH, failure);
    close_quietly(numbered);
    if (result != 0) return -1;
  }
  return network->namespace >= 0 && has_batches(network, BATCH_INSIDE) ? run_inside(network, failure) : 0;
}

static void broker_ready(void *data, short events) {
  struct network *network = data;
  (void)events;
  if (network_child_broker(network->broker.fd, &network->child)) return;
  loop_remove(network->loop, &network->broker);
  close_quietly(network->broker.fd);
  network->broker.fd = -1;
}

static int connect_by_keeper(const void *socket, const struct sockaddr_storage *address, bool udp) {
  return outside_connect(socket, address, udp);
}

static void describe_child(struct network *network) {
  const struct plan *plan = network->plan;
  struct network_child *child = &network->child;
  struct network_child_upstream *upstreams = xcalloc(plan->upstream_count, sizeof *upstreams);
  struct network_child_network *networks = xcalloc(plan->network_count, sizeof *networks);
  for (size_t i = 0; i < plan->upstream_count; i++) upstreams[i].address = plan->upstreams[i];
  for (size_t i = 0; i < plan->network_count; i++) {
    /* Copies: the plan itself, with the container's environment, is nothing for a process that reads packets. */
    networks[i].name = xstrdup(plan->networks[i].name);
    networks[i].directory = xstrdup(plan->networks[i].directory);
  }
  *child = (struct network_child){
      .container_net = network->namespace,
      .dns = plan->dns,
      .upstreams = upstreams,
      .upstream_count = plan->upstream_count,
      .networks = networks,
      .network_count = plan->network_count,
      .endpoints = network->endpoints,
      .endpoint_count = network->endpoint_count,
      .connect = plan->outside != NULL ? connect_by_keeper : NULL,
      .connect_data = plan->outside,
  };
}

int network_start_child(struct network *network, struct failure *failure) {
  struct network_child_error error;
  network->broker.fd = -1;
  if (network->namespace < 0 || (network->endpoint_count == 0 && network->plan->dns.ss_family == 0)) return 0;
  if (network->child.networks == NULL) describe_child(network);
  madvise(network->plan->bytes, network->plan->size, MADV_DONTFORK);
  pid_t pid = network_child_start(&network->child, &network->broker.fd, &error);
  madvise(network->plan->bytes, network->plan->size, MADV_DOFORK);
  if (pid < 0) {
    network->broker.fd = -1;
    return fail_errno(failure, error.number, "%s", error.step);
  }
  network->child_pid = pid;
  network->child_started_ns = now_ns();
  network->broker.events = POLLIN;
  network->broker.ready = broker_ready;
  network->broker.data = network;
  loop_add(network->loop, &network->broker);
  return 0;
}

static void drop_broker(struct network *network) {
  if (network->broker.fd < 0) return;
  loop_remove(network->loop, &network->broker);
  close_quietly(network->broker.fd);
  network->broker.fd = -1;
}

static void start_again(void *data) {
  struct network *network = data;
  struct failure failure;
  if (network->child_pid == 0 && network_start_child(network, &failure) != 0)
    loop_timer_set(network->loop, &network->again, now_ns() + AGAIN_NS);
}

void network_child_ended(struct network *network) {
  network->child_pid = 0;
  drop_broker(network);
  /* At once, but not again and again: something may kill it each time. */
  network->again.expired = start_again;
  network->again.data = network;
  loop_timer_set(network->loop, &network->again, network->child_started_ns + AGAIN_NS);
}

void network_detach(struct network *network) {
  struct failure failure;
  loop_timer_clear(&network->again);
  if (network->child_pid > 0) kill(network->child_pid, SIGKILL);
  drop_broker(network);
  for (size_t i = 0; i < network->endpoint_count; i++) close_quietly(network->endpoints[i].fd);
  network->endpoint_count = 0;
  /* Before the namespace goes: its interfaces are then gone when this returns, not some time later. */
  run_batches(network, BATCH_DETACH, &failure);
  close_quietly(network->namespace);
  network->namespace = -1;
}
