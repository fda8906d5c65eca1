/* The new process of a container, from its clone to its execution, and what it tells whoever cloned it. */
#ifndef PROCESS_CHILD_H
#define PROCESS_CHILD_H

#include "process.h"

/*
 * What the new process tells about itself: its terminal, or what went wrong. End of file means it was executed, or that it
 * was killed before: the first it says in advance in memory that both share, as its filter may deny every call by then.
 */
struct process_message {
  char kind; /* 'T' with a descriptor, or 'F' */
  struct failure failure;
};

/* Sets this process up and executes its program. `in_v2`: it was cloned into its cgroup of version 2. */
void process_child_run(const struct process_request *request, bool in_v2, int sync, int parent)
    __attribute__((noreturn));

#endif
