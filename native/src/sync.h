/*
 * Changes of a container's files, given as an archive. Everything is made ready beside its place first (temporary names,
 * on the same file system), then put in place by rename: what goes wrong before that changes nothing. The container may
 * run, and work against us: names are only ever looked up beneath its root, and what was opened once is kept open.
 */
#ifndef SYNC_H
#define SYNC_H

#include <sys/stat.h>

#include "setup.h"
#include "tar.h"
#include "unpack.h"

/* What the archive has said of a path so far. */
enum sync_state {
  SYNC_UNTOLD,
  SYNC_GONE,
  SYNC_FILE,
  SYNC_LINK,
  SYNC_DIRECTORY, /* a new one, not in its place yet */
};

/* A path beneath the root that the archive speaks of, or that leads there. */
struct sync_node {
  struct sync_node *chained;
  char *path;         /* clean */
  int fd;             /* of a directory: O_PATH, or -1 while it is none or not known */
  bool staged;        /* the directory is in a new tree: nobody else has it yet, so it is changed at once */
  bool looked_through; /* for what an earlier sync left (sync_undo) */
  bool through_link;  /* a link of the container led to the directory */
  const char *locked; /* why nothing can be changed in the directory, or NULL */
  enum sync_state state;
  size_t change; /* the one that is going to make it so, SYNC_NONE without */
};

#define SYNC_NONE SIZE_MAX
#define SYNC_BUCKETS 8192

/* One step of the second half, in the order of the archive. */
struct sync_change {
  struct sync_node *parent;
  struct sync_node *node;
  const char *name;  /* in the parent */
  char *temporary;   /* to be renamed to `name`; NULL: `name` is to be deleted */
  bool canceled;     /* a later entry spoke of the same path */
};

/* Attributes of a directory, set when all of its content is there. */
struct sync_attributes {
  struct sync_node *node;
  bool own; /* give it to `uid` and `gid` */
  unsigned mode;
  struct timespec mtime;
};

struct sync {
  struct failure *failure;
  int root;          /* O_PATH: the container's root directory */
  int run;           /* pid descriptor of the container's first process; -1: it does not run */
  const char *base;  /* clean: where the archive belongs */
  bool owner_given;
  uid_t uid; /* of what is new, or of everything */
  gid_t gid;
  const char *prefix; /* of temporary names */
  unsigned counter;
  dev_t *passing; /* file systems that exist only while the container runs */
  size_t passing_count;

  struct sync_node **buckets;
  struct sync_change *changes;
  size_t change_count, change_capacity;
  struct sync_attributes *attributes;
  size_t attribute_count, attribute_capacity;
  uint64_t written;
  uint64_t deleted;
  bool begun; /* something is in its place already */
};

enum sync_result {
  SYNC_DONE,
  SYNC_FAILED, /* the failure is filled in */
  SYNC_ENDED,  /* the run that it was meant for is over: to be done again */
};

/* --- sync-enter.c: into the container's tree; fills in root, run and passing --- */
/* The mount namespace of a running container: `pid` is a child of the process `monitor`. */
enum sync_result sync_enter_run(struct sync *sync, const char *pid, const char *monitor);
/* A namespace of this process's own, with the root of a stopped container as `operations` (setup operations) say. */
enum sync_result sync_enter_private(struct sync *sync, char *operations, size_t size);
/* Takes back what a volatile overlay of the operations left, once it is no longer mounted. */
void sync_leave_private(char *operations, size_t size);
bool sync_run_ended(const struct sync *sync);

/* --- sync-node.c: what is known of paths --- */
void sync_nodes_free(struct sync *sync);
struct sync_node *sync_node(struct sync *sync, const char *path);
/* Forgets what was said of everything beneath the path. */
void sync_forget_beneath(struct sync *sync, const char *path);
/*
 * The directory, opened. Missing ones are made (in a new tree, to be put in place later) with `make`. 0, 1 where there is
 * none, or -1 with the failure filled in. A file of the container where the archive has a directory gives way to it.
 */
int sync_directory(struct sync *sync, const char *path, bool make, struct sync_node **out);
/* 0 when entries can be made, replaced or deleted in the directory; `path`: what it is for. */
int sync_changeable(struct sync *sync, const struct sync_node *directory, const char *path);
/* 0 unless the entry is a mount point, or a directory with one somewhere beneath. */
int sync_free_of_mounts(struct sync *sync, int parent, const char *name, const struct stat *status, const char *path);

/* --- sync-change.c: the list of changes --- */
/* A temporary name, to be freed. */
char *sync_temporary(struct sync *sync);
/* `temporary` is taken over. */
void sync_change_add(struct sync *sync, struct sync_node *parent, struct sync_node *node, char *temporary);
/* Takes back the change that was going to make the node what it is. */
void sync_change_cancel(struct sync *sync, struct sync_node *node);
void sync_attributes_add(struct sync *sync, const struct sync_attributes *attributes);
/* Times of new directories, while they are in nobody's way. */
int sync_finish_staged(struct sync *sync);
/* Puts everything in place. */
enum sync_result sync_commit(struct sync *sync);
/* Removes every temporary name that is left. */
void sync_discard(struct sync *sync);

/* --- sync-entry.c: one entry of the archive, made ready --- */
/* The path that an entry's name means, from the root and clean. -1: it leads out of the archive; -2: beneath a whiteout. */
int sync_path(const struct sync *sync, const char *name, char path[UNPACK_PATH_MAX]);
int sync_entry(struct sync *sync, struct tar_reader *reader, const struct tar_entry *entry);

/* --- sync-undo.c --- */
/* Removes what an earlier sync of the same archive, which was killed, left under temporary names. */
int sync_undo(struct sync *sync, struct tar_reader *reader);

#endif
