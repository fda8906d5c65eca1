/* Batches of netlink messages, made elsewhere and only sent here. */
#ifndef NETLINK_H
#define NETLINK_H

#include "status.h"
#include "util.h"

struct netlink_error {
  unsigned index; /* of the message in the batch */
  int code;       /* errno */
  char *text;     /* the kernel's own words (extended acknowledgement), or NULL */
};

/* All zeros is an empty one. */
struct netlink_result {
  struct buffer messages; /* everything that came back, acknowledgements without error left out */
  struct netlink_error *errors;
  size_t error_count;
};

/*
 * Sends the messages of a batch in one go, in the current network namespace, and collects the answer of each. `family` is
 * NETLINK_ROUTE (0) or NETLINK_NETFILTER (12). Sequence numbers are replaced by the place in the batch, from 1. Dumps are
 * taken one after another, each repeated when the kernel says that it changed meanwhile.
 * 0, also when the kernel refused some messages (errors); -1 with errno when the conversation itself failed: EBADMSG for
 * a malformed batch.
 */
int netlink_batch(int family, const void *batch, size_t size, struct netlink_result *result);
/* The same over a socket that is kept: `kept` is -1 before the first batch, and again after a conversation that failed. */
int netlink_batch_on(int *kept, int family, const void *batch, size_t size, struct netlink_result *result);
/* True where no interface is there (any more) that the batch, of nothing else, deletes. */
bool netlink_links_gone(const void *batch, size_t size);
void netlink_result_free(struct netlink_result *result);

#endif
