/* cgroup directories, versions 1 and 2. */
#ifndef CGROUP_H
#define CGROUP_H

#include "plan.h"

/* Makes the directory and its parents. In a version 1 cpuset, what is empty is copied from the parent. 0 or -1. */
int cgroup_make(const struct cgroup_path *cgroup, struct failure *failure);
int cgroup_write_all(const struct cgroup_write *writes, size_t count, struct failure *failure);
/* Attaches device programs (version 2). */
int cgroup_attach_devices(const struct cgroup_device_program *programs, size_t count, struct failure *failure);
/* Moves this process there. */
int cgroup_join(const struct cgroup_path *cgroup, struct failure *failure);
/*
 * Kills what is still inside, also below. Refuses (returns false, nothing killed) when this process is inside itself or the
 * directory is the top of a hierarchy: then it is not a container's. Once all of a version 2 cgroup was killed at once,
 * kernels (6.18 among them) also kill what is cloned straight into it later: such a process has to join by itself.
 */
bool cgroup_kill(struct cgroup_path *cgroup);
/* Kills what is in any of them; one that is empty stays as it is. */
void cgroup_kill_rest(struct cgroup_path *cgroups, size_t count);
bool cgroup_is_empty(const struct cgroup_path *cgroup);
/* On version 1 nobody dies who is frozen, and a container that may write to its cgroups freezes some of its own. */
void cgroup_thaw(const struct cgroup_path *cgroup);
/* Removes the directory with what the container made below it. 0, also when it is not there; -1 with errno (EBUSY). */
int cgroup_remove(const struct cgroup_path *cgroup);
/*
 * Kills and removes what a monitor that was killed left. All at once: a process may be frozen in one and be killed in another.
 * Two runs at a time would be worse than none. The directories go too: one may be frozen, and what is cloned into a version 2
 * cgroup that was killed before dies (Linux compares its count of kills with that of the cloning process's cgroup).
 */
int cgroup_clear(struct cgroup_path *cgroups, size_t count, struct failure *failure);
/* How often the kernel killed inside for want of memory; 0 where it cannot be known. */
uint64_t cgroup_oom_kills(const struct cgroup_path *cgroups, size_t count);
/* A descriptor that poll(2) reports (POLLPRI) when memory.events changes; -1 on version 1. */
int cgroup_oom_events(const struct cgroup_path *cgroups, size_t count);

#endif
