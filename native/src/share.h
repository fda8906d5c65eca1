/* Namespaces of other containers, as their monitors lend them. */
#ifndef SHARE_H
#define SHARE_H

#include "plan.h"

/* Pid descriptors of the first processes of other containers, by what of theirs is shared; -1: nothing is. */
struct share {
  int pid, ipc, network;
};

/*
 * Asks the monitors of the containers whose namespaces the plan joins. 0, or -1 with the failure filled in: of kind
 * `conflict` when one of them does not run at the moment. Waits for an answer for a few seconds at most.
 */
int share_open(const struct plan *plan, struct share *share, struct failure *failure);
void share_close(struct share *share);

/* Sends bytes with a descriptor beside them, without waiting. 0, or -1 with errno. */
int send_with_descriptor(int socket, const void *data, size_t size, int fd);

#endif
