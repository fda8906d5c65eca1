/* Freezing of a cgroup: all of its processes rest until it is thawed. */
#ifndef FREEZER_H
#define FREEZER_H

#include "process.h"

/* The cgroup to freeze a container by: version 2 (it needs no controller), else the version 1 freezer; NULL: neither. */
const struct cgroup_path *freezer_find(const struct cgroup_path *cgroups, size_t count);
/* Asks for it; freezing takes a moment. 0, or -1 with errno. */
int freezer_set(const struct cgroup_path *cgroup, bool frozen);
bool freezer_is_frozen(const struct cgroup_path *cgroup);

#endif
