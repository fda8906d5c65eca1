/* Stopping all processes of a container that has no cgroup: by signals, in its pid namespace and those below. */
#ifndef STOPPER_H
#define STOPPER_H

#include <stdbool.h>
#include <sys/types.h>

/* Sends a signal to every process in the pid namespace of the process `first`. */
void stopper_send(pid_t first, int signal);
/* Whether all of them are stopped. */
bool stopper_all_stopped(pid_t first);

#endif
