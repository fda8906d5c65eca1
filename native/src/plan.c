#include "plan.h"
#include "proxy-protocol.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "plan-value.h"

/* One more zeroed element at the end of a list. */
#define GROW(list, count) \
  ((list) = xrealloc((list), ((count) + 1) * sizeof *(list)), \
   memset(&(list)[(count)], 0, sizeof *(list)), &(list)[(count)++])

int signal_number(const char *name) {
  uint64_t number;
  if (parse_unsigned(name, NSIG - 1, &number)) return (int)number;
  if (strncmp(name, "SIG", 3) == 0) name += 3;
  for (int i = 1; i < 32; i++)
    if (sigabbrev_np(i) != NULL && strcmp(sigabbrev_np(i), name) == 0) return i;
  if (strncmp(name, "RTMIN", 5) == 0) {
    if (name[5] == '\0') return SIGRTMIN;
    if (name[5] == '+' && parse_unsigned(name + 6, 30, &number)) return SIGRTMIN + (int)number;
  }
  if (strncmp(name, "RTMAX", 5) == 0) {
    if (name[5] == '\0') return SIGRTMAX;
    if (name[5] == '-' && parse_unsigned(name + 6, 30, &number)) return SIGRTMAX - (int)number;
  }
  return 0;
}

static int read_namespaces(uint64_t *namespaces, uint64_t allowed, const struct record *record, struct failure *failure) {
  static const struct {
    const char *name;
    uint64_t flag;
  } kinds[] = {{"pid", CLONE_NEWPID}, {"mount", CLONE_NEWNS},        {"uts", CLONE_NEWUTS},
               {"ipc", CLONE_NEWIPC}, {"cgroup", CLONE_NEWCGROUP}, {"network", CLONE_NEWNET}};
  const char *list = record->argv[0];
  while (*list != '\0') {
    size_t length = strcspn(list, ","), i = 0;
    while (i < ARRAY_SIZE(kinds) && (strlen(kinds[i].name) != length || memcmp(kinds[i].name, list, length) != 0)) i++;
    if (i == ARRAY_SIZE(kinds) || !(kinds[i].flag & allowed)) return plan_bad_value(record, failure, record->argv[0]);
    *namespaces |= kinds[i].flag;
    list += length;
    if (*list == ',') list++;
  }
  return 0;
}

static int read_join(struct plan *plan, const struct record *record, struct failure *failure) {
  struct join *join = GROW(plan->joins, plan->join_count);
  join->control = record->argv[1];
  return read_namespaces(&join->namespaces, CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET, record, failure);
}

static int read_cgroup(struct cgroup_path **list, size_t *count, const struct record *record, struct failure *failure) {
  uint64_t version;
  if (record_unsigned(record, 1, 2, &version, failure) != 0) return -1;
  if (version == 0 || record->argv[0][0] != '/') return plan_bad_value(record, failure, record->argv[0]);
  struct cgroup_path *cgroup = GROW(*list, *count);
  cgroup->path = record->argv[0];
  cgroup->version = (int)version;
  return 0;
}

static int read_restart(struct plan *plan, const struct record *record, struct failure *failure) {
  static const char *const names[] = {"no", "always", "unless-stopped", "on-failure"};
  for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
    if (strcmp(names[i], record->argv[0]) == 0) {
      plan->restart = (enum restart_policy)i;
      return record_unsigned(record, 1, UINT32_MAX, &plan->max_retries, failure);
    }
  return plan_bad_value(record, failure, record->argv[0]);
}

static int read_health(struct plan *plan, const struct record *record, struct failure *failure) {
  struct health_plan *health = &plan->health;
  uint64_t *numbers[] = {&health->interval_ms, &health->timeout_ms, &health->start_period_ms,
                         &health->start_interval_ms, &health->retries};
  const uint64_t longest = (uint64_t)10 * 365 * 24 * 3600 * 1000;
  for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
    if (record_unsigned(record, i, longest, numbers[i], failure) != 0) return -1;
  uint64_t restart;
  if (record_unsigned(record, ARRAY_SIZE(numbers), 1, &restart, failure) != 0) return -1;
  health->restart = restart == 1;
  if (record->argc == 6) return plan_bad_value(record, failure, "without words");
  health->words = record->argv + 6;
  health->set = true;
  return 0;
}

static int read_batch(struct plan *plan, const struct record *record, struct failure *failure) {
  static const char *const moments[] = {"attach", "inside", "detach"};
  uint64_t family;
  if (record_unsigned(record, 1, 255, &family, failure) != 0) return -1;
  for (unsigned i = 0; i < ARRAY_SIZE(moments); i++) {
    if (strcmp(moments[i], record->argv[0]) != 0) continue;
    struct netlink_job *job = GROW(plan->batches, plan->batch_count);
    job->when = i;
    job->family = (int)family;
    job->batch = record->argv[2];
    job->size = record->sizes[2];
    return 0;
  }
  return plan_bad_value(record, failure, record->argv[0]);
}

static int read_publish(struct plan *plan, const struct record *record, struct failure *failure) {
  struct publish *publish = GROW(plan->published, plan->published_count);
  publish->protocol = protocol_by_name(record->argv[0]);
  if (publish->protocol < 0) return plan_bad_value(record, failure, record->argv[0]);
  publish->host = record->argv[1];
  if (plan_read_address(record->argv[1], record->argv[2], &publish->address) != 0)
    return plan_bad_value(record, failure, record->argv[1]);
  if (plan_read_address(record->argv[3], record->argv[4], &publish->target) != 0)
    return plan_bad_value(record, failure, record->argv[3]);
  return 0;
}

/* `ip:port`; the address of version 6 may stand in brackets. */
static int read_dns(struct plan *plan, const struct record *record, struct failure *failure) {
  char *text = xstrdup(record->argv[0]);
  char *colon = strrchr(text, ':'), *host = text;
  int result = -1;
  if (colon != NULL) {
    *colon = '\0';
    if (host[0] == '[' && colon[-1] == ']') {
      host++;
      colon[-1] = '\0';
    }
    result = plan_read_address(host, colon + 1, &plan->dns);
  }
  free(text);
  return result == 0 ? 0 : plan_bad_value(record, failure, record->argv[0]);
}

static int read_stdio(struct plan *plan, const struct record *record, struct failure *failure) {
  uint64_t rows, columns;
  if (record_flag(record, 0, &plan->terminal, failure) != 0 || record_flag(record, 1, &plan->open_stdin, failure) != 0 ||
      record_flag(record, 2, &plan->stdin_once, failure) != 0 ||
      record_unsigned(record, 3, 65535, &rows, failure) != 0 || record_unsigned(record, 4, 65535, &columns, failure) != 0)
    return -1;
  plan->rows = (unsigned)rows;
  plan->columns = (unsigned)columns;
  return 0;
}

static int read_stop(struct plan *plan, const struct record *record, struct failure *failure) {
  plan->stop_signal = signal_number(record->argv[0]);
  if (plan->stop_signal == 0) return plan_bad_value(record, failure, record->argv[0]);
  /* -1: wait for ever. */
  int64_t grace;
  if (record_signed(record, 1, -1, GRACE_MAX_MS, &grace, failure) != 0) return -1;
  plan->grace_ms = grace < 0 ? UINT64_MAX : (uint64_t)grace;
  return 0;
}

static int read_step(struct plan *plan, const struct record *record, struct failure *failure) {
  static const char *const moments[] = {"machine", "inside", "after", "afterInside"};
  uint64_t family;
  if (record->code == OP_NETLINK_CHANGE) {
    unsigned i = 0;
    while (i < ARRAY_SIZE(moments) && strcmp(moments[i], record->argv[0]) != 0) i++;
    if (i == ARRAY_SIZE(moments)) return plan_bad_value(record, failure, record->argv[0]);
    if (record_unsigned(record, 1, 255, &family, failure) != 0) return -1;
  }
  *GROW(plan->steps, plan->step_count) = record;
  return 0;
}

static int read_operation(struct plan *plan, const struct record *record, struct failure *failure) {
  bool binary = record->code == OP_NETLINK_BATCH || record->code == OP_NETLINK_CHANGE ||
                record->code == OP_CGROUP_DEVICES || record->code == OP_PROCESS;
  if (!binary && record_texts(record, failure) != 0) return -1;
  switch (record->code) {
    case OP_IDENTITY:
      plan->id = record->argv[0];
      plan->name = record->argv[1];
      return 0;
    case OP_PATHS:
      plan->state = record->argv[0];
      plan->exit = record->argv[1];
      plan->control = record->argv[2];
      plan->lock = record->argv[3];
      return 0;
    case OP_LOG:
      plan->log = record->argv[0];
      if (record_unsigned(record, 1, INT64_MAX, &plan->log_bytes, failure) != 0) return -1;
      return record_unsigned(record, 2, 1000, &plan->log_files, failure);
    case OP_LOG_ATTRIBUTES:
      plan->log_attributes = record->argv[0];
      return 0;
    case OP_LOG_RECEIVER:
      return plan_read_receiver(&plan->receiver, record, failure);
    case OP_LOG_SYSLOG:
      return plan_read_syslog(&plan->receiver, record, failure);
    case OP_LOG_JOURNALD:
      plan->receiver.form = FORM_JOURNALD;
      plan->receiver.fields = record->argv;
      return 0;
    case OP_RESTART:
      return read_restart(plan, record, failure);
    case OP_STOP:
      return read_stop(plan, record, failure);
    case OP_HEALTH:
      return read_health(plan, record, failure);
    case OP_EVENTS:
      plan->journal = record->argv[0];
      plan->attributes = record->argv[1];
      return 0;
    case OP_CGROUP:
      return read_cgroup(&plan->cgroups, &plan->cgroup_count, record, failure);
    case OP_MONITOR_CGROUP:
      return read_cgroup(&plan->monitor_cgroups, &plan->monitor_cgroup_count, record, failure);
    case OP_CGROUP_WRITE: {
      struct cgroup_write *write = GROW(plan->writes, plan->write_count);
      write->path = record->argv[0];
      write->value = record->argv[1];
      return record_flag(record, 2, &write->optional, failure);
    }
    case OP_CGROUP_DEVICES: {
      struct cgroup_device_program *program = GROW(plan->devices, plan->device_count);
      program->path = record->argv[0];
      program->program = record->argv[1];
      program->size = record->sizes[1];
      return 0;
    }
    case OP_NAMESPACES:
      return read_namespaces(&plan->namespaces, ~(uint64_t)CLONE_NEWNET, record, failure);
    case OP_JOIN:
      return read_join(plan, record, failure);
    case OP_NETWORK:
      plan->network = record->argv[0];
      return 0;
    case OP_NETLINK_BATCH:
      return read_batch(plan, record, failure);
    case OP_PUBLISH:
      return read_publish(plan, record, failure);
    case OP_OUTSIDE:
      plan->outside = record->argv[0];
      return 0;
    case OP_DNS:
      return read_dns(plan, record, failure);
    case OP_DNS_UPSTREAM: {
      struct sockaddr_storage *upstream = GROW(plan->upstreams, plan->upstream_count);
      if (plan_read_address(record->argv[0], record->argv[1], upstream) != 0) return plan_bad_value(record, failure, record->argv[0]);
      return 0;
    }
    case OP_DNS_FILE:
      plan->resolver_file = record->argv[0];
      return 0;
    case OP_DNS_NETWORK: {
      struct dns_network *network = GROW(plan->networks, plan->network_count);
      network->name = record->argv[0];
      network->directory = record->argv[1];
      return 0;
    }
    case OP_DNS_LINK: {
      struct dns_link *link = GROW(plan->links, plan->link_count);
      *link = (struct dns_link){record->argv[0], record->argv[1], record->argv[2]};
      return 0;
    }
    case OP_NETWORK_MEMBER: {
      struct network_member *member = GROW(plan->members, plan->member_count);
      member->id = record->argv[0];
      member->attributes = record->argv[1];
      return 0;
    }
    case OP_VOLUME_MEMBER:
      *GROW(plan->mounts, plan->mount_count) =
          (struct volume_member){record->argv[0], record->argv[1], record->argv[2]};
      return 0;
    case OP_INTERFACE_SYSCTL:
      return read_step(plan, record, failure);
    case OP_STDIO:
      return read_stdio(plan, record, failure);
    case OP_EXPECTED_CLIENTS:
      return record_unsigned(record, 0, CLIENTS_MAX, &plan->expected_clients, failure);
    case OP_INIT:
      plan->init = true;
      return 0;
    case OP_VOLUME_USE:
      *GROW(plan->volumes, plan->volume_count) =
          (struct volume_use){.lock = record->argv[0], .mountpoint = record->argv[1], .fd = -1};
      return 0;
    case OP_CLEANUP:
      *GROW(plan->cleanup, plan->cleanup_count) = record->argv[0];
      return 0;
    case OP_PROCESS:
      plan->process = record->argv[0];
      plan->process_size = record->sizes[0];
      return 0;
    default:
      return fail_kind(failure, KIND_INVALID, "not a monitor operation", "%s", record->name);
  }
}

int plan_read(struct plan *plan, char *data, size_t size, unsigned flags, struct failure *failure) {
  memset(plan, 0, sizeof *plan);
  plan->bytes = data;
  plan->size = size;
  plan->network = "host";
  plan->stop_signal = SIGTERM;
  plan->grace_ms = 10000;
  if (record_list_read(&plan->records, data, size, flags, failure) != 0) return -1;
  for (size_t i = 0; i < plan->records.count; i++)
    if (read_operation(plan, &plan->records.items[i], failure) != 0) return -1;
  if (plan->id == NULL || plan->state == NULL || plan->process == NULL)
    return fail_kind(failure, KIND_INVALID, "identity, paths and process are needed", "launch plan");
  return 0;
}

static int read_change(struct plan *plan, const struct record *record, struct failure *failure) {
  switch (record->code) {
    case OP_RESTART:
    case OP_CGROUP_WRITE:
      return read_operation(plan, record, failure);
    case OP_NETLINK_CHANGE:
    case OP_REPLACE_FILE:
    case OP_EDIT_LINES:
    case OP_DISCARD_FILE:
      plan->changes_networks = true;
      if (record->code != OP_NETLINK_CHANGE && record_texts(record, failure) != 0) return -1;
      return read_step(plan, record, failure);
    case OP_INTERFACE_SYSCTL:
    case OP_NETLINK_BATCH:
    case OP_PUBLISH:
    case OP_DNS:
    case OP_DNS_FILE:
    case OP_DNS_UPSTREAM:
    case OP_DNS_NETWORK:
    case OP_DNS_LINK:
    case OP_NETWORK_MEMBER:
    case OP_CLEANUP:
      plan->changes_networks = true;
      return read_operation(plan, record, failure);
    default:
      return fail_kind(failure, KIND_INVALID, "it cannot change while the container runs", "update %s", record->name);
  }
}

int plan_read_update(struct plan *plan, char *data, size_t size, struct failure *failure) {
  bool has_policy = false;
  memset(plan, 0, sizeof *plan);
  plan->bytes = data;
  plan->size = size;
  if (record_list_read(&plan->records, data, size, STREAM_NO_HEADER, failure) != 0) return -1;
  for (size_t i = 0; i < plan->records.count; i++) {
    if (read_change(plan, &plan->records.items[i], failure) != 0) return -1;
    has_policy = has_policy || plan->records.items[i].code == OP_RESTART;
  }
  return has_policy ? 0 : fail_kind(failure, KIND_INVALID, "the restart policy is needed", "update");
}

uint64_t plan_machines(const struct plan *plan) {
  uint64_t own = plan->namespaces | CLONE_NEWNS;
  if (plan->outside == NULL) return 0;
  for (size_t i = 0; i < plan->join_count; i++) own |= plan->joins[i].namespaces;
  if (strcmp(plan->network, "host") != 0) own |= CLONE_NEWNET;
  return (CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) & ~own;
}

void plan_free(struct plan *plan) {
  record_list_free(&plan->records);
  free(plan->cgroups);
  free(plan->monitor_cgroups);
  free(plan->writes);
  free(plan->devices);
  free(plan->joins);
  free(plan->batches);
  free(plan->published);
  free(plan->upstreams);
  free(plan->networks);
  free(plan->links);
  free(plan->members);
  free(plan->mounts);
  free(plan->steps);
  free(plan->volumes);
  free(plan->cleanup);
  memset(plan, 0, sizeof *plan);
}
