/*
 * The keeper: the one process of a user and a root that holds the namespaces in which everything runs that this user starts
 * without root (docs/rootless.md). It stays outside itself; its child is inside.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "stream.h"

/* The arguments of the record, in its order. */
enum {
  KEEPER_LOCK,
  KEEPER_USE,
  KEEPER_STATE,
  KEEPER_OLD_STATE,
  KEEPER_SOCKET,
  KEEPER_UID_MAP,
  KEEPER_GID_MAP,
  KEEPER_NEWUIDMAP,
  KEEPER_NEWGIDMAP,
  KEEPER_ADOPT,
  KEEPER_USER,
  KEEPER_MOUNT,
  KEEPER_NET,
  KEEPER_OUTBOUND,
};

struct inside {
  pid_t pid;
  int channel; /* to it; readable when nobody needs the namespaces any more, or when it has ended */
};

/* --- keeper-namespaces.c --- */
/* Starts the child and waits until its namespaces are ready. `use`: an open lock, which it waits for once it is told to. */
int keeper_begin_inside(const struct record *record, int use, struct inside *inside, struct failure *failure);
/* From now on its end is ours. */
void keeper_watch_use(const struct inside *inside);

/* --- keeper-map.c --- */
/* Maps the ids of the user namespace of a process. */
int keeper_write_maps(const struct record *record, pid_t pid, struct failure *failure);

/* --- keeper-outbound.c --- */
/*
 * Starts the program that connects the namespaces to the outside and waits until there is a way out. Its pid, or 0 where
 * there is none or it did not work: then containers run without.
 */
pid_t keeper_start_outbound(const struct record *record, pid_t inside);

#endif
