/* Making a process of a container: cloned by its monitor or by an exec session, set up, executed. */
#ifndef PROCESS_H
#define PROCESS_H

#include "setup.h"

struct cgroup_path {
  const char *path;
  int version; /* 1 or 2 */
  bool killed; /* everything in it was killed at once: see cgroup_kill */
};

struct process_request {
  uint64_t namespaces; /* CLONE_NEW* to make; 0 when joining */
  int join;            /* pid descriptor of the container's first process, whose namespaces are joined; -1: a new container */
  int network;         /* network namespace to enter, or pid descriptor of a process in it; -1: stay */
  int pid_of, ipc_of;  /* pid descriptors of other containers' first processes, whose namespaces are shared; -1: none */
  bool no_way_back;    /* from a pid namespace: without root the one that this process is in is not its to enter again */
  uint64_t machines;   /* when joining: namespaces (CLONE_NEW*) of the machine's that the container has too */
  const struct cgroup_path *cgroups;
  size_t cgroup_count;
  char *operations; /* setup operations of the container */
  size_t operations_size;
  char *overrides; /* further operations laid over them, or NULL */
  size_t overrides_size;
  char **words; /* instead of `argv`, or NULL */
  const char *keyring;
  bool terminal;
  unsigned rows, columns; /* 0: as the kernel makes it */
  bool init;              /* a small init as the first process */
  int standard[3];        /* without a terminal: descriptors for 0, 1, 2; -1: the null device */
  volatile bool *executing; /* process_begin's own */
};

struct process {
  pid_t pid; /* 0: none */
  int pidfd;
  int sync;     /* readable when process_continue has something to do; -1 once it is known */
  int terminal; /* the pty's master side, -1 without */
  volatile bool *executing; /* shared with the new process, which says that it is about to be executed; NULL once known */
};

enum process_progress {
  PROCESS_PENDING,
  PROCESS_EXECUTED,
  PROCESS_FAILED, /* the process ends by itself; its pid is still to be reaped */
};

/* Clones the process, which then sets itself up. 0, or -1 with the failure filled in. */
int process_begin(const struct process_request *request, struct process *process, struct failure *failure);
/* What became of it. Blocks when `sync` is not readable. */
enum process_progress process_continue(struct process *process, struct failure *failure);
void process_close(struct process *process);

/* terminal.c */
/* A new pty of the container's own devpts: the slave side is answered, the master side is in `master`. */
int terminal_open(int root, unsigned rows, unsigned columns, int *master, struct failure *failure);
int terminal_resize(int master, unsigned rows, unsigned columns);
/* Makes the pty the controlling terminal and the standard streams of this process (a session leader). */
int terminal_take(int slave, struct failure *failure);

/* init.c */
/* Says in `alone` that it has closed its descriptors. */
void init_run(pid_t child, volatile int *alone) __attribute__((noreturn));

#endif
