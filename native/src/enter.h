/* The `enter` record: namespaces that a helper moves into before anything else. */
#ifndef ENTER_H
#define ENTER_H

#include "stream.h"

/*
 * Takes the lock `use` shared, where one is named, and checks that the keeper lives (else `notFound`). Opens all given namespace files first, then enters: user, network, mount. Inside a user namespace the process becomes
 * its root. Empty paths: stay.
 */
int enter_namespaces(const struct record *record, struct failure *failure);
/* Becomes root of the user namespace that this process has just entered or made. 0 or -1. */
int enter_as_root(struct failure *failure);
/* The lock `use`: what outlives this process and stays in the namespaces has to hold it too. -1 without. */
int enter_use_lock(void);

#endif
