/*
 * Reads tar archives: ustar, pax (POSIX.1-2001, with the extended attributes of star and libarchive), GNU long names,
 * base-256 numbers, and sparse files in all four formats. Touches no file system.
 */
#ifndef TAR_H
#define TAR_H

#include <time.h>

#include "status.h"

enum tar_type {
  TAR_FILE,
  TAR_HARD_LINK,
  TAR_SYMBOLIC_LINK,
  TAR_CHARACTER_DEVICE,
  TAR_BLOCK_DEVICE,
  TAR_DIRECTORY,
  TAR_FIFO,
};

struct tar_xattr {
  char *name;
  char *value;
  size_t size;
};

/* A part of a sparse file that has data. */
struct tar_segment {
  uint64_t offset;
  uint64_t size;
};

struct tar_entry {
  enum tar_type type;
  const char *path; /* as it is written in the archive, not to be trusted; NULL-terminated, at most TAR_NAME_MAX */
  const char *link;
  unsigned mode; /* permission bits only */
  uint32_t uid;
  uint32_t gid;
  uint64_t size; /* of the file, holes included */
  struct timespec mtime;
  unsigned major;
  unsigned minor;
  const struct tar_xattr *xattrs;
  size_t xattr_count;
  bool sparse;
  const struct tar_segment *segments; /* ascending, within `size`, not overlapping */
  size_t segment_count;
};

#define TAR_NAME_MAX 4095

/* Answers the bytes read, 0 at the end, -1 with errno. */
typedef ssize_t (*tar_source)(void *context, void *data, size_t size);

struct tar_reader;

struct tar_reader *tar_open(tar_source source, void *context);
void tar_close(struct tar_reader *reader);
/* 1: an entry, 0: the end of the archive, -1. What was not read of the entry before is skipped. */
int tar_next(struct tar_reader *reader, struct tar_entry *entry, struct failure *failure);
/* The next bytes of the entry's data (of a sparse file: of its segments, one after another). 0 at the end, -1. */
ssize_t tar_data(struct tar_reader *reader, const char **data, struct failure *failure);
/* Reads the source to its end, after the archive's. */
int tar_drain(struct tar_reader *reader, struct failure *failure);

#endif
