/*
 * Another process beside the disk writer, where a container's log goes to a receiver too. It may lose that, or wait for it;
 * the file and the events do not.
 */
#ifndef SHIP_H
#define SHIP_H

#include "plan.h"

/* Connects, as the last word about whether a container with this receiver can start. `link` as in `ship_run`; -1: there is no receiver. */
int ship_connect(const struct plan *plan, int *link, struct failure *failure);
/* In its own process: reads the frames of a writer until end of file. `link`: a connected socket, or -1. */
void ship_run(int pipe, int link, const struct plan *plan) __attribute__((noreturn));

#endif
