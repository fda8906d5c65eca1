#include "setup.h"

#include <stdlib.h>
#include <string.h>

void setup_init(struct setup *setup, struct failure *failure) {
  memset(setup, 0, sizeof *setup);
  setup->failure = failure;
  setup->user = "";
  setup->workdir = "";
  setup->root = setup->ipc_of = setup->null_device = setup->stage = setup->terminal = -1;
}

static void keep(struct record **list, size_t *count, const struct record *record) {
  *list = xrealloc(*list, (*count + 1) * sizeof **list);
  (*list)[(*count)++] = *record;
}

static int read_limit(struct setup *setup, const struct record *record) {
  int number = rlimit_number(record->argv[0]);
  if (number < 0) return fail_kind(setup->failure, KIND_INVALID, "no such limit", "rlimit %s", record->argv[0]);
  int64_t soft, hard;
  if (record_signed(record, 1, -1, INT64_MAX, &soft, setup->failure) != 0) return -1;
  if (record_signed(record, 2, -1, INT64_MAX, &hard, setup->failure) != 0) return -1;
  setup->limits[number].set = true;
  setup->limits[number].value.rlim_cur = soft < 0 ? RLIM_INFINITY : (rlim_t)soft;
  setup->limits[number].value.rlim_max = hard < 0 ? RLIM_INFINITY : (rlim_t)hard;
  return 0;
}

static int read_capabilities(struct setup *setup, const struct record *record) {
  struct capability_sets *sets = &setup->capabilities;
  uint64_t *masks[] = {&sets->bounding, &sets->effective, &sets->permitted, &sets->inheritable, &sets->ambient};
  for (unsigned i = 0; i < ARRAY_SIZE(masks); i++)
    if (!parse_hex(record->argv[i], masks[i]))
      return fail_kind(setup->failure, KIND_INVALID, "not a mask in hex", "capabilities");
  setup->has_capabilities = true;
  return 0;
}

static int read_seccomp(struct setup *setup, const struct record *record) {
  uint64_t flags;
  size_t size = record->sizes[0];
  if (size == 0 || size % sizeof(struct sock_filter) != 0 || size / sizeof(struct sock_filter) > BPF_MAXINSNS)
    return fail_kind(setup->failure, KIND_INVALID, "not a filter program", "seccomp");
  if (record_unsigned(record, 1, UINT32_MAX, &flags, setup->failure) != 0) return -1;
  setup->seccomp = record->argv[0];
  setup->seccomp_size = record->sizes[0];
  setup->seccomp_flags = (unsigned)flags;
  return 0;
}

static int read_operation(struct setup *setup, const struct record *record, bool process_only) {
  if (record->code != OP_SECCOMP && record_texts(record, setup->failure) != 0) return -1;
  switch (record->code) {
    case OP_OVERLAY:
    case OP_MOUNT:
    case OP_BIND:
    case OP_BIND_BENEATH:
    case OP_IMAGE_MOUNT:
    case OP_DEVICE:
    case OP_SYMLINK:
    case OP_DIRECTORY:
    case OP_FILE:
    case OP_MASK:
    case OP_READONLY:
    case OP_SHARED_MEMORY:
      if (!process_only) keep(&setup->mounts, &setup->mount_count, record);
      return 0;
    case OP_READONLY_ROOT:
      setup->readonly_root = !process_only;
      return 0;
    case OP_HOSTNAME:
      if (!process_only) setup->hostname = record->argv[0];
      return 0;
    case OP_DOMAINNAME:
      if (!process_only) setup->domainname = record->argv[0];
      return 0;
    case OP_SYSCTL:
      if (!process_only) keep(&setup->sysctls, &setup->sysctl_count, record);
      return 0;
    case OP_USER:
      setup->user = record->argv[0];
      return 0;
    case OP_GROUPS:
      setup->groups = record->argv;
      return 0;
    case OP_RLIMIT:
      return read_limit(setup, record);
    case OP_CAPABILITIES:
      return read_capabilities(setup, record);
    case OP_NO_NEW_PRIVILEGES:
      setup->no_new_privileges = true;
      return 0;
    case OP_SECCOMP:
      return read_seccomp(setup, record);
    case OP_APP_ARMOR:
      setup->apparmor = record->argv[0];
      return 0;
    case OP_OOM_SCORE_ADJ:
      setup->oom_score_adj = record->argv[0];
      return 0;
    case OP_WORKDIR:
      setup->workdir = record->argv[0];
      return 0;
    case OP_ENV:
      setup->environment = record->argv;
      return 0;
    case OP_ARGV:
      setup->words = record->argv;
      return 0;
    default:
      return fail_kind(setup->failure, KIND_INVALID, "not a setup operation", "%s", record->name);
  }
}

int setup_read(struct setup *setup, char *operations, size_t size, bool process_only) {
  if (setup->list_count == ARRAY_SIZE(setup->lists))
    return fail_kind(setup->failure, KIND_INVALID, "too many lists", "setup operations");
  struct record_list *list = &setup->lists[setup->list_count];
  if (record_list_read(list, operations, size, STREAM_NO_HEADER, setup->failure) != 0) return -1;
  setup->list_count++;
  for (size_t i = 0; i < list->count; i++)
    if (read_operation(setup, &list->items[i], process_only) != 0) return -1;
  return 0;
}

void setup_free(struct setup *setup) {
  for (unsigned i = 0; i < setup->list_count; i++) record_list_free(&setup->lists[i]);
  free(setup->mounts);
  free(setup->sysctls);
}
