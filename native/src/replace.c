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
  return a->published_count == b->published_count &&
         (a->published_count == 0 ||
          memcmp(&a->published[0].address, &b->published[0].address, sizeof a->published[0].address) == 0);
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
  if (now->network_count != wanted->network_count) return "dnsNetwork";
  if (now->namespaces != wanted->namespaces) return "namespaces";
  if (now->cgroup_count != wanted->cgroup_count) return "cgroup";
  if (now->terminal != wanted->terminal || now->open_stdin != wanted->open_stdin) return "stdio";
  if (now->health.set != wanted->health.set) return "health";
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
  /* The new plan's texts live in `data` from here on: replacements are rare and small, the old one's stay. */
  monitor->replacement = wanted;
  client_reply_ok(client);
}
