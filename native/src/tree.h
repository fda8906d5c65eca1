/*
 * Walks a directory tree of any depth: no recursion, a bounded number of descriptors, no link followed, no mount crossed
 * unless that is asked for.
 */
#ifndef TREE_H
#define TREE_H

#include <sys/stat.h>

#include "status.h"

struct tree_entry {
  int parent; /* descriptor of the directory that holds it */
  const char *name;
  struct stat status; /* of the entry itself, links not followed */
  size_t depth;       /* directories between it and the one that is walked */
};

/* The content of the directory is not wanted. */
#define TREE_SKIP 1

/* Each answers 0, or -1 with the failure filled in, which ends the walk. */
struct tree_visitor {
  /* Anything that is no directory. */
  int (*file)(const struct tree_entry *entry, void *context, struct failure *failure);
  /* A directory, before its content; may be NULL, may answer TREE_SKIP. One that is gone by then is not left. */
  int (*enter)(const struct tree_entry *entry, void *context, struct failure *failure);
  /* A directory, after its content: with the status from before; may be NULL. */
  int (*leave)(const struct tree_entry *entry, void *context, struct failure *failure);
  void *context;
  /* Entries are removed meanwhile: a directory is read again until it is empty. */
  bool removing;
  /* What is mounted in the tree belongs to it. */
  bool across;
};

/* Walks the content of the directory; the directory itself is not visited. `step` names the work in errors. */
int tree_walk(int directory, const struct tree_visitor *visitor, const char *step, struct failure *failure);

/* A directory beneath another; EXDEV where a mount is in between. -1 with errno. */
int tree_open(int parent, const char *name);

/* Removes an entry with everything beneath it; a missing one is no error. Adds to `*entries` what it removed. */
int tree_remove(int parent, const char *name, uint64_t *entries, const char *step, struct failure *failure);

#endif
