/*
 * A change to the networks of a running container, all of it or nothing. What may fail comes first, in the order of the
 * steps, each of which can be taken back; what cannot (interfaces and addresses that go) comes when the record is in place.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network.h"

struct network_change {
  struct network *network;
  struct plan *wanted;
  size_t done;     /* steps that are to be taken back */
  bool *exchanged; /* for each step: `replaceFile` found a file in its place */
  struct network_child_endpoint *endpoints;
  bool *fresh; /* for each endpoint: bound for this change */
  size_t endpoint_count;
  struct network_child child;
  pid_t child_pid; /* 0: none is needed */
  int broker;
};

struct batch {
  int family;
  const char *data;
  size_t size;
};

static int send_batch(void *data, struct failure *failure) {
  const struct batch *batch = data;
  return network_batch(batch->family, batch->data, batch->size, "change", failure);
}

/* Which of the two batches: 2, or 3 that takes it back. */
static int run_netlink(const struct network *network, const struct record *step, unsigned which,
                       struct failure *failure) {
  struct batch batch = {atoi(step->argv[1]), step->argv[which], step->sizes[which]};
  if (batch.size == 0) return 0;
  return strstr(step->argv[0], "nside") != NULL ? network_inside(network, send_batch, &batch, failure)
                                              : network_batch_machine(network, send_batch, &batch, failure);
}

static int write_sysctl(void *data, struct failure *failure) {
  return network_sysctl(data, failure);
}

/* A file that is in the way changes places with the new one, so that it can come back. */
static int replace_file(const char *source, const char *target, bool *exchanged, struct failure *failure) {
  *exchanged = renameat2(AT_FDCWD, source, AT_FDCWD, target, RENAME_EXCHANGE) == 0;
  if (*exchanged || (errno == ENOENT && rename(source, target) == 0)) return 0;
  return fail_errno(failure, errno, "rename %s", source);
}

static bool comes_last(const struct record *step) {
  return step->code == OP_DISCARD_FILE || (step->code == OP_NETLINK_CHANGE && strncmp(step->argv[0], "after", 5) == 0);
}

static int carry_out(struct network_change *change, size_t index, struct failure *failure) {
  const struct record *step = change->wanted->steps[index];
  if (comes_last(step)) return 0;
  switch (step->code) {
    case OP_NETLINK_CHANGE:
      return run_netlink(change->network, step, 2, failure);
    case OP_INTERFACE_SYSCTL:
      return network_inside(change->network, write_sysctl, (void *)(uintptr_t)step, failure);
    case OP_EDIT_LINES:
      return edit_lines(step->argv[0], step->argv[1], step->argv[2], failure);
    default:
      return replace_file(step->argv[0], step->argv[1], &change->exchanged[index], failure);
  }
}

static void take_back(struct network_change *change, size_t index) {
  const struct record *step = change->wanted->steps[index];
  struct failure ignored;
  if (comes_last(step)) return;
  if (step->code == OP_NETLINK_CHANGE) run_netlink(change->network, step, 3, &ignored);
  if (step->code == OP_EDIT_LINES) edit_lines(step->argv[0], step->argv[2], step->argv[1], &ignored);
  if (step->code == OP_REPLACE_FILE)
    renameat2(AT_FDCWD, step->argv[1], AT_FDCWD, step->argv[0], change->exchanged[index] ? RENAME_EXCHANGE : 0);
}

/* A socket that is bound already is kept: at no time is the address anybody else's. */
static int bind_published(struct network_change *change, struct failure *failure) {
  const struct network *network = change->network;
  const struct plan *wanted = change->wanted;
  change->endpoints = xcalloc(wanted->published_count + 1, sizeof *change->endpoints);
  change->fresh = xcalloc(wanted->published_count + 1, sizeof *change->fresh);
  for (size_t i = 0; i < wanted->published_count; i++) {
    const struct publish *publish = &wanted->published[i];
    struct network_child_endpoint endpoint = {.fd = -2, .protocol = publish->protocol, .target = publish->target};
    for (size_t j = 0; j < network->endpoint_count && endpoint.fd < 0; j++)
      if (network_is_bound(&network->endpoints[j], publish)) endpoint.fd = network->endpoints[j].fd;
    bool fresh = endpoint.fd < 0;
    if (fresh) endpoint.fd = network_bind(network, publish, failure);
    if (endpoint.fd == -1) return -1;
    if (endpoint.fd < 0) continue;
    change->fresh[change->endpoint_count] = fresh;
    change->endpoints[change->endpoint_count++] = endpoint;
  }
  return 0;
}

static int start_child(struct network_change *change, struct failure *failure) {
  network_describe_child(change->network, change->wanted, change->endpoints, change->endpoint_count, &change->child);
  if (change->endpoint_count == 0 && change->wanted->dns.ss_family == 0) return 0;
  pid_t pid = network_fork_child(change->network, &change->child, &change->broker, failure);
  change->child_pid = pid > 0 ? pid : 0;
  return pid > 0 ? 0 : -1;
}

static void free_change(struct network_change *change) {
  free(change->exchanged);
  free(change->fresh);
  free(change);
}

struct network_change *network_change_begin(struct network *network, struct plan *wanted, struct failure *failure) {
  if (network->namespace < 0) {
    fail_kind(failure, KIND_CONFLICT, "the container has no network of its own", "update");
    return NULL;
  }
  struct network_change *change = xcalloc(1, sizeof *change);
  change->network = network;
  change->wanted = wanted;
  change->broker = -1;
  change->exchanged = xcalloc(wanted->step_count + 1, sizeof *change->exchanged);
  int result = bind_published(change, failure);
  while (result == 0 && change->done < wanted->step_count) {
    result = carry_out(change, change->done, failure);
    /* A batch stops at nothing: what came before the message that failed has happened. */
    if (result == 0 || wanted->steps[change->done]->code == OP_NETLINK_CHANGE) change->done++;
  }
  if (result == 0) result = start_child(change, failure);
  if (result == 0) return change;
  network_change_undo(change);
  return NULL;
}

void network_change_undo(struct network_change *change) {
  if (change->child_pid > 0) kill(change->child_pid, SIGKILL);
  close_quietly(change->broker);
  while (change->done > 0) take_back(change, --change->done);
  for (size_t i = 0; i < change->endpoint_count; i++)
    if (change->fresh[i]) close_quietly(change->endpoints[i].fd);
  network_free_child(&change->child);
  free(change->endpoints);
  free_change(change);
}

static bool is_kept(const struct network_change *change, int fd) {
  for (size_t i = 0; i < change->endpoint_count; i++)
    if (change->endpoints[i].fd == fd) return true;
  return false;
}

static void carry_out_last(struct network_change *change) {
  struct failure ignored;
  for (size_t i = 0; i < change->wanted->step_count; i++) {
    const struct record *step = change->wanted->steps[i];
    if (step->code == OP_NETLINK_CHANGE && comes_last(step)) run_netlink(change->network, step, 2, &ignored);
    if (step->code == OP_DISCARD_FILE) unlink(step->argv[0]);
    if (change->exchanged[i]) unlink(step->argv[0]);
  }
}

void network_change_commit(struct network_change *change) {
  struct network *network = change->network;
  loop_timer_clear(&network->again);
  network_adopt_child(network, change->child_pid, change->broker);
  for (size_t i = 0; i < network->endpoint_count; i++)
    if (!is_kept(change, network->endpoints[i].fd)) close_quietly(network->endpoints[i].fd);
  free(network->endpoints);
  network_free_child(&network->child);
  network->endpoints = change->endpoints;
  network->endpoint_count = change->endpoint_count;
  network->child = change->child;
  carry_out_last(change);
  struct plan *before = network->changed;
  network->plan = network->changed = change->wanted;
  if (before != NULL) {
    free(before->bytes);
    plan_free(before);
    free(before);
  }
  free_change(change);
}
