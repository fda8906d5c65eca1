/* A launch plan: what a monitor knows about its container. Texts point into the plan's memory file. */
#ifndef PLAN_H
#define PLAN_H

#include <sys/socket.h>

#include "process.h"
#include "record-list.h"

/* Some 30 years: the clock in nanoseconds does not overflow. */
#define GRACE_MAX_MS 1000000000000

enum restart_policy { RESTART_NO, RESTART_ALWAYS, RESTART_UNLESS_STOPPED, RESTART_ON_FAILURE };

struct publish {
  int protocol; /* IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP */
  const char *host;               /* as given, for messages */
  struct sockaddr_storage address; /* on the machine */
  struct sockaddr_storage target;  /* in the container */
};

/* Namespaces of another container, whose monitor listens at `control`. */
struct join {
  uint64_t namespaces; /* CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWNET */
  const char *control;
};

/* Who gets the log's lines, beside the file. */
struct receiver {
  enum { RECEIVER_NONE, RECEIVER_TCP, RECEIVER_UDP, RECEIVER_STREAM, RECEIVER_DATAGRAM, RECEIVER_LOCAL } protocol;
  const char *name;                /* the address as given, for messages */
  const char *path;                /* of a socket; RECEIVER_LOCAL: of either kind */
  struct sockaddr_storage address; /* of TCP and UDP */
  uint64_t buffer;                 /* bytes, beyond which lines are dropped; 0: the container is held back */
  enum { FORM_UNIX, FORM_RFC3164, FORM_RFC5424, FORM_RFC5424_MICRO, FORM_JOURNALD } form;
  uint64_t facility;
  const char *tag, *host; /* of syslog */
  char **fields;          /* of journald: NAME=VALUE, up to NULL */
};

struct netlink_job {
  enum { BATCH_ATTACH, BATCH_INSIDE, BATCH_DETACH } when;
  int family;
  const char *batch;
  size_t size;
};

struct cgroup_write {
  const char *path, *value;
  bool optional;
};

struct cgroup_device_program {
  const char *path, *program;
  size_t size;
};

struct health_plan {
  bool set;
  bool restart; /* when it is unhealthy */
  uint64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms, retries;
  char **words;
};

struct plan {
  char *bytes; /* as they were read; a whole number of pages where they are mapped */
  size_t size;
  struct record_list records; /* owns the argument vectors */
  const char *id, *name;
  const char *state, *exit, *control, *lock;
  const char *log; /* NULL: no log is kept */
  uint64_t log_bytes, log_files;
  const char *log_attributes; /* NULL: none */
  struct receiver receiver;
  enum restart_policy restart;
  uint64_t max_retries;
  int stop_signal;
  uint64_t grace_ms;
  struct health_plan health;
  const char *journal, *attributes;
  struct cgroup_path *cgroups;
  size_t cgroup_count;
  struct cgroup_path *monitor_cgroups;
  size_t monitor_cgroup_count;
  struct cgroup_write *writes;
  size_t write_count;
  struct cgroup_device_program *devices;
  size_t device_count;
  uint64_t namespaces; /* CLONE_NEW* */
  struct join *joins;
  size_t join_count;
  const char *network; /* new, host, or a path */
  struct netlink_job *batches;
  size_t batch_count;
  struct publish *published;
  size_t published_count;
  const char *outside; /* the keeper's socket; NULL: the machine's network is ours */
  struct sockaddr_storage dns;
  struct sockaddr_storage *upstreams;
  size_t upstream_count;
  const char *resolver_file; /* that the upstreams are from; NULL: from none */
  struct dns_network {
    const char *name, *directory;
  } *networks;
  size_t network_count;
  struct dns_link {
    const char *network, *alias, *name;
  } *links;
  size_t link_count;
  struct network_member {
    const char *id, *attributes;
  } *members;
  size_t member_count;
  struct volume_member {
    const char *name, *mounted, *unmounted;
  } *mounts;
  size_t mount_count;
  const struct record **steps; /* of the networks, in their order; of a launch plan only settings of interfaces */
  size_t step_count;
  bool changes_networks; /* of an update: everything about them is here, and replaces what was */
  bool terminal, open_stdin, stdin_once;
  unsigned rows, columns;
  uint64_t expected_clients; /* the first run waits for them */
  bool init;
  struct volume_use {
    const char *lock, *mountpoint;
    int fd;
  } *volumes;
  size_t volume_count;
  const char **cleanup;
  size_t cleanup_count;
  char *process;
  size_t process_size;
};

/* Reads a plan; `flags` as stream_init. The bytes must stay. 0 or -1; the plan is then to be freed all the same. */
int plan_read(struct plan *plan, char *data, size_t size, unsigned flags, struct failure *failure);
/* Reads what `update` changes: a restart policy, writes to cgroups, and networks. As `plan_read`. */
int plan_read_update(struct plan *plan, char *data, size_t size, struct failure *failure);
void plan_free(struct plan *plan);

/* Namespaces (CLONE_NEW*) that the container shares with the machine, where these are not ours to enter (without root). */
uint64_t plan_machines(const struct plan *plan);

/* `TERM`, `SIGTERM` or a number; 0 where there is none such. */
int signal_number(const char *name);

#endif
