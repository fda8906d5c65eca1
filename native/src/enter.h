/* The `enter` record: namespaces that a helper moves into before anything else. */
#ifndef ENTER_H
#define ENTER_H

#include "stream.h"

/*
 * Opens all given namespace files first, then enters: user, network, mount. Inside a user namespace the process becomes
 * its root. Empty paths: stay.
 */
int enter_namespaces(const struct record *record, struct failure *failure);

#endif
