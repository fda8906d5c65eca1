/* Limits, capabilities, user and group of the new process. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "setup.h"

static const char *const limit_names[] = {
    [RLIMIT_AS] = "as",           [RLIMIT_CORE] = "core",         [RLIMIT_CPU] = "cpu",
    [RLIMIT_DATA] = "data",       [RLIMIT_FSIZE] = "fsize",       [RLIMIT_LOCKS] = "locks",
    [RLIMIT_MEMLOCK] = "memlock", [RLIMIT_MSGQUEUE] = "msgqueue", [RLIMIT_NICE] = "nice",
    [RLIMIT_NOFILE] = "nofile",   [RLIMIT_NPROC] = "nproc",       [RLIMIT_RSS] = "rss",
    [RLIMIT_RTPRIO] = "rtprio",   [RLIMIT_RTTIME] = "rttime",     [RLIMIT_SIGPENDING] = "sigpending",
    [RLIMIT_STACK] = "stack",
};

int rlimit_number(const char *name) {
  for (size_t i = 0; i < ARRAY_SIZE(limit_names); i++)
    if (limit_names[i] != NULL && strcmp(limit_names[i], name) == 0) return (int)i;
  return -1;
}

int setup_limits(struct setup *setup) {
  for (size_t i = 0; i < ARRAY_SIZE(limit_names); i++)
    if (setup->limits[i].set && setrlimit((__rlimit_resource_t)i, &setup->limits[i].value) != 0)
      return fail_errno(setup->failure, errno, "rlimit %s", limit_names[i]);
  return 0;
}

/* Bits of capabilities that this kernel does not have are no error: a newer list names more. */
static int drop_bounding(uint64_t keep) {
  for (unsigned bit = 0; bit < 64; bit++) {
    int present = prctl(PR_CAPBSET_READ, bit, 0, 0, 0);
    if (present < 0) return errno == EINVAL && bit > 0 ? 0 : -1;
    if (present == 1 && !(keep >> bit & 1) && prctl(PR_CAPBSET_DROP, bit, 0, 0, 0) != 0) return -1;
  }
  return 0;
}

/* What this process may have itself: where the machine lacks a capability, its containers do without, as with runc. */
static uint64_t own_permitted(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return ~(uint64_t)0;
  return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

static int set_capabilities(const struct capability_sets *sets) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  for (unsigned half = 0; half < 2; half++) {
    data[half].effective = (uint32_t)(sets->effective >> 32 * half);
    data[half].permitted = (uint32_t)(sets->permitted >> 32 * half);
    data[half].inheritable = (uint32_t)(sets->inheritable >> 32 * half);
  }
  return (int)syscall(SYS_capset, &header, data);
}

static int raise_ambient(uint64_t ambient) {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) return -1;
  for (unsigned bit = 0; bit < 64; bit++)
    if (ambient >> bit & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0) != 0) return -1;
  return 0;
}

/* EINVAL: the user namespace has no such id. */
static int refuse_id(struct setup *setup, const char *what, unsigned id) {
  if (errno != EINVAL) return fail_errno(setup->failure, errno, "%s %u", what, id);
  return fail_kind(setup->failure, KIND_UNSUPPORTED, "the user namespace has no such id", "%s %u", what, id);
}

static int set_ids(struct setup *setup) {
  struct user *who = &setup->who;
  if (setgroups(who->group_count, who->groups) != 0) {
    if (errno == EINVAL) return refuse_id(setup, "groups of user", (unsigned)who->uid);
    /* In a user namespace of a single id nobody may give up groups (user_namespaces(7)): there are no others to take. */
    if (errno != EPERM || setup->groups != NULL) return fail_errno(setup->failure, errno, "groups");
  }
  if (setresgid(who->gid, who->gid, who->gid) != 0) return refuse_id(setup, "group", (unsigned)who->gid);
  return setresuid(who->uid, who->uid, who->uid) == 0 ? 0 : refuse_id(setup, "user", (unsigned)who->uid);
}

int setup_credentials(struct setup *setup) {
  struct user *who = &setup->who;
  struct capability_sets sets = setup->capabilities;
  sets.permitted &= own_permitted();
  /* Another user than root has none but ambient ones after execution; so it has none before, when the file is opened. */
  if (who->uid != 0) sets.permitted &= sets.ambient;
  sets.effective &= sets.permitted;
  if (setup->has_capabilities && drop_bounding(sets.bounding) != 0)
    return fail_errno(setup->failure, errno, "capabilities: bounding set");
  /* Keeps the permitted set across the change of user; execution clears the flag. */
  if (setup->has_capabilities && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
    return fail_errno(setup->failure, errno, "capabilities");
  if (set_ids(setup) != 0) return -1;
  if (!setup->has_capabilities) return 0;
  if (set_capabilities(&sets) != 0 || raise_ambient(sets.ambient) != 0)
    return fail_errno(setup->failure, errno, "capabilities");
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  return 0;
}
