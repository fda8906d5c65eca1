/*
 * A new process of a container, from its clone to its execution: what the setup operations say, and where each kind of
 * step is done. Everything here runs in the new process, single-threaded, and fails by filling in `failure`.
 */
#ifndef SETUP_H
#define SETUP_H

#include <linux/filter.h>
#include <sys/resource.h>

#include "record-list.h"

struct capability_sets {
  uint64_t bounding, effective, permitted, inheritable, ambient;
};

/* Who the process will be. */
struct user {
  uid_t uid;
  gid_t gid;
  char *home; /* from the container's passwd file, or "/" */
  gid_t *groups;
  size_t group_count;
};

struct setup {
  struct failure *failure;
  struct record_list lists[2]; /* the plan's operations, and those laid over them */
  unsigned list_count;

  /* What the operations say. The newest value of each counts, so that a probe or an exec lays its own over the plan's. */
  struct record *mounts; /* everything that concerns the root file system, in order */
  size_t mount_count;
  bool readonly_root;
  const char *hostname;
  const char *domainname;
  struct record *sysctls;
  size_t sysctl_count;
  const char *user;
  char **groups; /* NULL-terminated */
  struct {
    bool set;
    struct rlimit value;
  } limits[RLIM_NLIMITS];
  bool has_capabilities;
  struct capability_sets capabilities;
  bool no_new_privileges;
  const char *seccomp;
  uint32_t seccomp_size;
  unsigned seccomp_flags;
  const char *apparmor; /* profile; NULL: that of this process */
  const char *oom_score_adj;
  const char *workdir;
  char **environment;
  char **words;

  /* Where the steps stand. */
  int root;         /* O_PATH: the container's root directory */
  int ipc_of;       /* pid descriptor of the process whose memory files /dev/shm shows; -1: none */
  int null_device;  /* O_PATH: the machine's /dev/null, checked */
  int stage;        /* a memory file system that only this process sees; -1 before the first need */
  const char *stage_path;
  unsigned staged;  /* files made on it */
  int *sources;     /* for each of `mounts`: the tree to bind, -1 for other operations */
  struct user who;
  int terminal;     /* the pty's slave side, -1 without */
  volatile bool *executing; /* set right before the execution; NULL: nobody looks */
};

/* Reads operations into the setup. `process_only`: those about the file system and the host name are skipped. 0 or -1. */
int setup_read(struct setup *setup, char *operations, size_t size, bool process_only);
void setup_init(struct setup *setup, struct failure *failure);
/* For a process that goes on living; a container's ends by execution. */
void setup_free(struct setup *setup);

/* --- root file system: root.c --- */
/* The root file system, up to pivot_root: everything that needs the machine's tree. */
int setup_root(struct setup *setup);
/* Makes it the root of this process; the machine's tree is gone afterwards. */
int setup_pivot(struct setup *setup);

/* --- root-target.c --- */
enum target_kind {
  TARGET_EXISTING,
  TARGET_DIRECTORY, /* made where missing */
  TARGET_FILE,      /* made where missing, empty */
};
/* An O_PATH descriptor of a path inside the container's root; never leaves it. -1 with errno. */
int target_open(int root, const char *path, enum target_kind kind);
/* The directory that holds `path` (made where missing), and the last component in `name`. -1 with errno. */
int target_parent(int root, const char *path, char name[256]);

/* --- proc-target.c --- */
/*
 * Whether something may be mounted over the open `target`: over the container's /proc only a procfs (`type`, or the tree
 * `source`), inside it only the few files that lxcfs stands in for. 0, or -1 with the failure filled in.
 */
int target_check_proc(struct setup *setup, const char *step, const char *path, int target, const char *type, int source);

/* --- mount.c, bind.c, image-mount.c, device.c, file.c, paths.c: one operation each --- */
int setup_overlay(struct setup *setup, const struct record *record);
/* A volatile overlay that was used before is refused until a mark in its work directory is gone (Documentation/filesystems/overlayfs.rst). */
void overlay_forget_volatile(int work);
int setup_mount(struct setup *setup, const struct record *record);
/* The tree to bind, opened in the machine's namespace before propagation changes. -1 with the failure filled in. */
int setup_bind_source(struct setup *setup, const struct record *record);
int setup_bind(struct setup *setup, const struct record *record, int source);
int setup_image_mount(struct setup *setup, const struct record *record);
/* The tree of another container's shared memory, opened before propagation changes. -1 with the failure filled in. */
int setup_shared_memory_source(struct setup *setup);
int setup_shared_memory(struct setup *setup, const struct record *record, int source);
int setup_device(struct setup *setup, const struct record *record);
int setup_symlink(struct setup *setup, const struct record *record);
int setup_directory(struct setup *setup, const struct record *record);
int setup_file(struct setup *setup, const struct record *record);
int setup_mask(struct setup *setup, const struct record *record);
int setup_readonly(struct setup *setup, const struct record *record);
int setup_readonly_root(struct setup *setup);
/* The descriptor of the private memory file system, mounted at first need. */
int setup_stage(struct setup *setup);
void setup_unstage(struct setup *setup);

/* --- attach.c: mounts by descriptor --- */
/* How far down a recursive bind is read-only. */
enum readonly_reach {
  READONLY_BELOW, /* what is mounted below too, where the kernel can */
  READONLY_TOP,
  READONLY_ALL, /* what is mounted below too, or it is an error */
};
struct mount_flags {
  unsigned long set;        /* MS_* for mount(2) */
  unsigned long propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED or 0 */
  bool recursive_propagation;
  bool recursive; /* rec */
  bool readonly;
  enum readonly_reach reach;
};
/* Unknown words are refused. */
int mount_flags_parse(const char *list, struct mount_flags *flags);
/* A clone of the tree at `fd` (or `path` beneath it), not mounted anywhere yet. Without open_tree(2): the O_PATH itself. */
int tree_clone(int fd, const char *path, bool recursive);
/* Sets flags on a clone and mounts it over the O_PATH `target`, which was opened as `path` beneath the root. */
int tree_attach(const struct setup *setup, int tree, int target, const char *path, const struct mount_flags *flags);

/* --- apparmor.c --- */
/* The next program of this process, or of its child, is executed under the profile. */
int setup_apparmor(const struct setup *setup);

/* --- host.c --- */
int setup_names(struct setup *setup);
int setup_sysctls(struct setup *setup);
/* A procfs mounted nowhere, for `sysctl_write`; -1: the kernel or its rules do not give one. */
int sysctl_open(void);
/* `key` with dots or slashes, as sysctl(8), in the namespaces that this process is in. 0, or -1 with errno. */
int sysctl_write(int proc, const char *key, const char *value);

/* --- null-device.c --- */
/* The machine's /dev/null, checked, as O_PATH. -1 with the failure filled in. */
int null_device_find(struct failure *failure);
/* The same for reading and writing, through a read-only mount: its node cannot be changed by the descriptor. */
int null_device_open(struct failure *failure);

/* --- users.c --- */
/* Looks `user` and `groups` up in /etc/passwd and /etc/group beneath `root`. */
int user_lookup(int root, const char *user, char **groups, struct user *out, struct failure *failure);

/* --- credentials.c --- */
int rlimit_number(const char *name);
int setup_limits(struct setup *setup);
/* Capabilities, user and group; the parent-death signal is lost by it. */
int setup_credentials(struct setup *setup);

/* --- seccomp.c --- */
int setup_seccomp(struct setup *setup);

/* --- workdir.c --- */
int setup_make_workdir(struct setup *setup);
/* Changes to it and checks that it lies inside the root. */
int setup_enter_workdir(struct setup *setup, bool final);

/* --- execute.c --- */
/* The environment with HOME. */
char **setup_environment(const struct setup *setup);
/* Executes; returns -1 with the failure (exit code 126 or 127) filled in. */
int setup_execute(struct setup *setup, char **environment);

#endif
