/* One archive being unpacked. */
#ifndef UNPACK_H
#define UNPACK_H

#include <sys/stat.h>

#include "tar.h"

#define UNPACK_PATH_MAX 4096

struct deferred {
  char *path;
  struct timespec mtime;
};

struct unpack {
  int root;          /* the destination */
  int lower;         /* merged tree of the layers below, -1 where none were given */
  bool whiteouts;    /* `.wh.` entries become overlay marks */
  bool plain;        /* no layer: names that start with `.wh.` are names like any other */
  const char *opaque_name; /* trusted.overlay.opaque or user.overlay.opaque */
  bool few_ids;      /* where the owner is none of this user namespace, the entry is root's */
  bool privileged;   /* devices and trusted attributes must work; otherwise they are left out where not permitted */
  struct failure *failure;

  /* The directory that the last entry was in: most entries follow one of the same directory. */
  char *cached_path;
  int cached_fd;

  /* Times of directories are set last: every entry made in one changes them. */
  struct deferred *deferred;
  size_t deferred_count;
  size_t deferred_capacity;

  bool root_opaque; /* `.wh..wh..opq` at the top, to be spelled out at the end */
  uint64_t bytes;
  uint64_t entries;
  uint64_t implied; /* what only the layers below could tell: owner and mode of directories without an entry */
  uint64_t skipped;
  uint64_t unowned; /* entries whose owner is none of this user namespace */
};

/* --- unpack-path.c --- */
/*
 * `path` cleaned: relative, no `.`, no `..`, no empty components; the top itself is the empty text. Lexical, as other
 * engines do. -1 where it leads out of the archive or is too long.
 */
int path_clean(const char *path, char clean[UNPACK_PATH_MAX]);
/* Splits a clean path: the directory (empty: top) and the last component. */
void path_split(const char *clean, char directory[UNPACK_PATH_MAX], const char **name);
/*
 * O_PATH descriptor of a directory of the destination, valid until the next call. Links on the way are followed as if the
 * destination were the root, so that nothing outside is reached. With `make` missing directories are made, like those of
 * the layers below where these were given. -1 with errno.
 */
int parent_open(struct unpack *unpack, const char *directory, bool make);
/* To be called when a directory was removed or replaced. */
void parent_forget(struct unpack *unpack);
void unpack_defer(struct unpack *unpack, const char *path, struct timespec mtime);
/* True when the layers below do not show through the directory (an opaque one). */
bool is_opaque(const struct unpack *unpack, int directory);
/* An entry of the layers below, not followed: its directory's descriptor (to be closed) and status. -1 with errno. */
int lower_find(const struct unpack *unpack, const char *path, struct stat *status);

/* --- unpack-entry.c --- */
int unpack_entry(struct unpack *unpack, struct tar_reader *reader, const struct tar_entry *entry);

/* --- unpack-link.c --- */
int unpack_hard_link(struct unpack *unpack, const char *path, const char *link);

/* --- unpack-whiteout.c --- */
enum whiteout_kind {
  WHITEOUT_NONE,    /* an ordinary name */
  WHITEOUT_HIDE,    /* `.wh.name` */
  WHITEOUT_OPAQUE,  /* `.wh..wh..opq` */
  WHITEOUT_IGNORED, /* records of AUFS */
  WHITEOUT_INVALID,
};
enum whiteout_kind whiteout_kind(const char *clean);
int unpack_whiteout(struct unpack *unpack, const char *clean, enum whiteout_kind kind);
bool is_whiteout(int parent, const char *name);
/* Marks the directory opaque. */
int make_opaque(struct unpack *unpack, int parent, const char *name);
/* At the end: hides what the layers below have at the top. */
int hide_lower_root(struct unpack *unpack);

#endif
