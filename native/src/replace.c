/* Control operation `replacePlan`: what can change while the container runs. */
#include <stdlib.h>
#include <string.h>

#include "client.h"

static bool same_batches(const struct plan *a, const struct plan *b) {
  if (a->batch_count != b->batch_count) return false;
  for (size_t i = 0; i < a->batch_count; i++)
    if (a->batches[i].size != b->batches[i].size || a->batches[i].when != b->batches[i].when ||
        memcmp(a->batches[i].batch, b->batches[i].batch, a->batches[i].size) != 0)
      return false;
  return true;
}

static bool same_published(const struct plan *a, const struct plan *b) {
  if (a->published_count != b->published_count) return false;
  for (size_t i = 0; i < a->published_count; i++)
    if (a->published[i].udp != b->published[i].udp ||
        memcmp(&a->published[i].address, &b->published[i].address, sizeof a->published[i].address) != 0 ||
        memcmp(&a->published[i].target, &b->published[i].target, sizeof a->published[i].target) != 0)
      return false;
  return true;
}

static bool same_networks(const struct plan *a, const struct plan *b) {
  if (a->network_count != b->network_count) return false;
  for (size_t i = 0; i < a->network_count; i++)
    if (strcmp(a->networks[i].name, b->networks[i].name) != 0 ||
        strcmp(a->networks[i].directory, b->networks[i].directory) != 0)
      return false;
  return true;
}

static bool same_cgroups(const struct plan *a, const struct plan *b) {
  if (a->cgroup_count != b->cgroup_count) return false;
  for (size_t i = 0; i < a->cgroup_count; i++)
    if (strcmp(a->cgroups[i].path, b->cgroups[i].path) != 0) return false;
  return true;
}

static bool same_devices(const struct plan *a, const struct plan *b) {
  if (a->device_count != b->device_count) return false;
  for (size_t i = 0; i < a->device_count; i++)
    if (strcmp(a->devices[i].path, b->devices[i].path) != 0 || a->devices[i].size != b->devices[i].size ||
        memcmp(a->devices[i].program, b->devices[i].program, a->devices[i].size) != 0)
      return false;
  return true;
}

static bool same_health(const struct health_plan *a, const struct health_plan *b) {
  if (a->set != b->set || a->interval_ms != b->interval_ms || a->timeout_ms != b->timeout_ms ||
      a->start_period_ms != b->start_period_ms || a->start_interval_ms != b->start_interval_ms || a->retries != b->retries)
    return false;
  size_t i = 0;
  if (!a->set) return true;
  while (a->words[i] != NULL && b->words[i] != NULL && strcmp(a->words[i], b->words[i]) == 0) i++;
  return a->words[i] == NULL && b->words[i] == NULL;
}

static bool same_log(const struct plan *a, const struct plan *b) {
  if ((a->log == NULL) != (b->log == NULL)) return false;
  return a->log == NULL ||
         (strcmp(a->log, b->log) == 0 && a->log_bytes == b->log_bytes && a->log_files == b->log_files);
}

/* The name of what differs and cannot change while the container runs; NULL: nothing. */
static const char *fixed_difference(const struct plan *now, const struct plan *wanted) {
  if (strcmp(now->id, wanted->id) != 0) return "identity";
  if (strcmp(now->state, wanted->state) != 0 || strcmp(now->exit, wanted->exit) != 0 ||
      strcmp(now->control, wanted->control) != 0 || strcmp(now->lock, wanted->lock) != 0)
    return "paths";
  if (now->process_size != wanted->process_size || memcmp(now->process, wanted->process, now->process_size) != 0)
    return "process";
  if (strcmp(now->network, wanted->network) != 0) return "network";
  if (!same_batches(now, wanted)) return "netlinkBatch";
  if (!same_published(now, wanted)) return "publish";
  if (!same_networks(now, wanted)) return "dnsNetwork";
  if (memcmp(&now->dns, &wanted->dns, sizeof now->dns) != 0 || now->upstream_count != wanted->upstream_count) return "dns";
  if (now->namespaces != wanted->namespaces) return "namespaces";
  if (!same_cgroups(now, wanted)) return "cgroup";
  if (!same_devices(now, wanted)) return "cgroupDevices";
  if (now->terminal != wanted->terminal || now->open_stdin != wanted->open_stdin ||
      now->stdin_once != wanted->stdin_once)
    return "stdio";
  if (now->init != wanted->init) return "init";
  if (!same_health(&now->health, &wanted->health)) return "health";
  if (!same_log(now, wanted)) return "log";
  return NULL;
}

static int apply(struct monitor *monitor, struct plan *wanted, struct failure *failure) {
  const char *fixed = fixed_difference(&monitor->plan, wanted);
  if (fixed != NULL) {
    char *reason = xasprintf("%s cannot change while the container runs", fixed);
    fail_kind(failure, KIND_UNSUPPORTED, reason, "replace the plan");
    free(reason);
    return -1;
  }
  return cgroup_write_all(wanted->writes, wanted->write_count, failure);
}

void replace_plan(struct client *client, const struct record *record) {
  struct monitor *monitor = client->monitor;
  struct failure failure;
  struct plan *wanted = xmalloc(sizeof *wanted);
  char *data = xmemdup0(record->argv[0], record->sizes[0]);
  if (plan_read(wanted, data, record->sizes[0], STREAM_NO_HEADER, &failure) != 0 ||
      apply(monitor, wanted, &failure) != 0) {
    plan_free(wanted);
    free(wanted);
    free(data);
    client_reply_failure(client, &failure);
    return;
  }
  struct plan *before = monitor->replacement;
  monitor->replacement = wanted;
  if (before != NULL) {
    char *bytes = before->bytes;
    plan_free(before);
    free(before);
    free(bytes);
  }
  client_reply_ok(client);
}
