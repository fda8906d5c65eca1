/* Layers seen as one tree, read-only. */
#ifndef MERGED_H
#define MERGED_H

#include "status.h"

/*
 * A directory descriptor of the merged tree of unpacked layers, top first. The process moves into a mount namespace of
 * its own, so the mount ends with it. One layer alone is opened as it is (its overlay marks then show).
 */
int merged_open(char *const *lowers, unsigned count, struct failure *failure);

/* Mounts the merged tree of at least two layers over the topmost one, in this process's mount namespace. 0 or -1. */
int merged_mount(char *const *lowers, unsigned count, struct failure *failure);

#endif
