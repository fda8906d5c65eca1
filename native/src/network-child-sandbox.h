/* What the network child gives up before it reads the first byte from a container. */
#ifndef NETWORK_CHILD_SANDBOX_H
#define NETWORK_CHILD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Leaves the machine's file tree for an empty read-only one. `directories[i]` becomes a descriptor in `opened[i]`, of a
 * read-only tree of its own, from which nothing else is reached. False: errno is set, `*failed` names the step.
 */
bool sandbox_enter_root(const char *const *directories, size_t count, int *opened, const char **failed);

/** Lowers resource limits; returns the number of descriptors that the process may hold. */
size_t sandbox_limit(void);

/*
 * Drops groups and every capability for good, and loads the system call filter. Without `proxy` no socket can be made or
 * connected, and only the descriptor `answering` (-1: none) sends datagrams to an address.
 */
bool sandbox_drop(int answering, bool proxy, const char **failed);

#endif
