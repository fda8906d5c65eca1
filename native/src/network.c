#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "outside.h"

#define AGAIN_NS 1000000000

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

static int run_when(struct network *network, int when, struct failure *failure) {
  static const char *const names[] = {"attach", "inside"};
  for (size_t i = 0; i < network->plan->batch_count; i++) {
    const struct netlink_job *job = &network->plan->batches[i];
    if ((int)job->when != when) continue;
    int status = network_batch(job->family, job->batch, job->size, names[when], failure);
    if (status != 0) return -1;
  }
  return 0;
}

static int run_attach(void *data, struct failure *failure) {
  return run_when(data, BATCH_ATTACH, failure);
}

static int run_inside(void *data, struct failure *failure) {
  struct network *network = data;
  int result = run_when(network, BATCH_INSIDE, failure);
  for (size_t i = 0; i < network->plan->step_count && result == 0; i++)
    result = network_sysctl(network->plan->steps[i], failure);
  return result;
}

static bool has_batches(const struct network *network, int when) {
  for (size_t i = 0; i < network->plan->batch_count; i++)
    if ((int)network->plan->batches[i].when == when) return true;
  return false;
}

int network_attach(struct network *network, struct failure *failure) {
  if (open_namespace(network, failure) != 0) return -1;
  if (has_batches(network, BATCH_ATTACH) && network_batch_machine(network, run_attach, network, failure) != 0)
    return -1;
  bool inside = network->namespace >= 0 && has_batches(network, BATCH_INSIDE);
  return inside ? network_inside(network, run_inside, network, failure) : 0;
}

static void broker_ready(void *data, short events) {
  struct network *network = data;
  (void)events;
  if (network_child_broker(network->broker.fd, &network->child)) return;
  loop_remove(network->loop, &network->broker);
  close_quietly(network->broker.fd);
  network->broker.fd = -1;
}

static int connect_by_keeper(const void *socket, const struct sockaddr_storage *address, int protocol) {
  return outside_connect(socket, address, protocol);
}

static void describe_links(const struct plan *plan, struct network_child_network *network) {
  struct network_child_link *links = xcalloc(plan->link_count + 1, sizeof *links);
  for (size_t i = 0; i < plan->link_count; i++) {
    const struct dns_link *link = &plan->links[i];
    if (strcmp(link->network, network->name) != 0) continue;
    links[network->link_count].alias = xstrdup(link->alias);
    links[network->link_count++].name = xstrdup(link->name);
  }
  network->links = links;
}

void network_describe_child(const struct network *network, const struct plan *plan,
                            struct network_child_endpoint *endpoints, size_t endpoint_count,
                            struct network_child *child) {
  struct network_child_upstream *upstreams = xcalloc(plan->upstream_count + 1, sizeof *upstreams);
  struct network_child_network *networks = xcalloc(plan->network_count + 1, sizeof *networks);
  for (size_t i = 0; i < plan->upstream_count; i++) upstreams[i].address = plan->upstreams[i];
  for (size_t i = 0; i < plan->network_count; i++) {
    /* Copies: the plan itself, with the container's environment, is nothing for a process that reads packets. */
    networks[i].name = xstrdup(plan->networks[i].name);
    networks[i].directory = xstrdup(plan->networks[i].directory);
    describe_links(plan, &networks[i]);
  }
  *child = (struct network_child){
      .container_net = network->namespace,
      .dns = plan->dns,
      .upstreams = upstreams,
      .upstream_count = plan->upstream_count,
      .resolvers.file = plan->resolver_file == NULL ? NULL : xstrdup(plan->resolver_file),
      .networks = networks,
      .network_count = plan->network_count,
      .endpoints = endpoints,
      .endpoint_count = endpoint_count,
      .connect = network->launched->outside != NULL ? connect_by_keeper : NULL,
      .connect_data = network->launched->outside,
  };
}

void network_free_child(struct network_child *child) {
  for (size_t i = 0; i < child->network_count; i++) {
    const struct network_child_network *one = &child->networks[i];
    for (size_t j = 0; j < one->link_count; j++) {
      free((char *)(uintptr_t)one->links[j].alias);
      free((char *)(uintptr_t)one->links[j].name);
    }
    free((void *)(uintptr_t)one->links);
    free((char *)(uintptr_t)one->name);
    free((char *)(uintptr_t)one->directory);
  }
  free((void *)(uintptr_t)child->networks);
  free((void *)(uintptr_t)child->upstreams);
  *child = (struct network_child){0};
}

pid_t network_fork_child(const struct network *network, const struct network_child *child, int *broker,
                         struct failure *failure) {
  struct network_child_error error;
  const struct plan *launched = network->launched;
  madvise(launched->bytes, launched->size, MADV_DONTFORK);
  pid_t pid = network_child_start(child, broker, &error);
  madvise(launched->bytes, launched->size, MADV_DOFORK);
  if (pid < 0) return fail_errno(failure, error.number, "%s", error.step);
  return pid;
}

void network_drop_broker(struct network *network) {
  if (network->broker.fd < 0) return;
  loop_remove(network->loop, &network->broker);
  close_quietly(network->broker.fd);
  network->broker.fd = -1;
}

void network_adopt_child(struct network *network, pid_t pid, int broker) {
  network_drop_broker(network);
  network->child_pid = pid;
  if (pid == 0) return;
  network->child_started_ns = now_ns();
  network->broker.fd = broker;
  network->broker.events = POLLIN;
  network->broker.ready = broker_ready;
  network->broker.data = network;
  loop_add(network->loop, &network->broker);
}

int network_start_child(struct network *network, struct failure *failure) {
  struct network_child_error error;
  const struct plan *launched = network->launched;
  if (network->namespace < 0 || (network->endpoint_count == 0 && network->plan->dns.ss_family == 0)) return 0;
  if (network->child.networks == NULL)
    network_describe_child(network, network->plan, network->endpoints, network->endpoint_count, &network->child);
  madvise(launched->bytes, launched->size, MADV_DONTFORK);
  int result = network_child_fork(&network->child, &network->starting, &error);
  madvise(launched->bytes, launched->size, MADV_DOFORK);
  return result == 0 ? 0 : fail_errno(failure, error.number, "%s", error.step);
}

int network_finish_child(struct network *network, struct failure *failure) {
  struct network_child_error error;
  int broker = -1;
  if (network->starting.pid == 0) return 0;
  pid_t pid = network_child_finish(&network->starting, &broker, &error);
  network->starting.pid = 0;
  if (pid < 0) return fail_errno(failure, error.number, "%s", error.step);
  network_adopt_child(network, pid, broker);
  return 0;
}

static void start_again(void *data) {
  struct network *network = data;
  struct failure failure;
  if (network->child_pid != 0) return;
  if (network_start_child(network, &failure) != 0 || network_finish_child(network, &failure) != 0)
    loop_timer_set(network->loop, &network->again, now_ns() + AGAIN_NS);
}

void network_child_ended(struct network *network) {
  network->child_pid = 0;
  network_drop_broker(network);
  /* At once, but not again and again: something may kill it each time. */
  network->again.expired = start_again;
  network->again.data = network;
  loop_timer_set(network->loop, &network->again, network->child_started_ns + AGAIN_NS);
}
