/* What the reader of tar archives (tar.c) and its part for sparse files (tar-sparse.c) share. */
#ifndef TAR_READER_H
#define TAR_READER_H

#include "tar-pax.h"
#include "tar.h"

#define BLOCK 512
#define BUFFER_SIZE (1024 * 1024)
/* As Go's archive/tar: longer extended headers are an attack, not a file name. */
#define EXTENDED_MAX (1024 * 1024)

struct tar_reader {
  tar_source source;
  void *context;
  char *buffer;
  size_t start;
  size_t end;
  uint64_t remaining; /* data of the current entry that was not given out */
  unsigned padding;   /* after it */
  struct pax global;
  struct pax pax;
  char *path; /* of the current entry */
  char *link;
  struct tar_segment *segments;
  size_t segment_count;
  bool ended;
};

/* Makes `size` bytes (at most the buffer) available. 1, 0 at the end of the source with less, -1. */
int tar_fill(struct tar_reader *reader, size_t size, struct failure *failure);
/* Fills in why the archive cannot be read. Always -1. */
int tar_broken(struct failure *failure, const char *reason);

/* GNU's own format: four segments in the header, more in blocks that follow it. */
int tar_sparse_old(struct tar_reader *reader, const char *block, struct tar_entry *entry, struct failure *failure);
/* The formats 0.0, 0.1 and 1.0 of pax headers; nothing where the entry is of none of them. `stored`: bytes in the archive. */
int tar_sparse_pax(struct tar_reader *reader, uint64_t stored, struct tar_entry *entry, struct failure *failure);
/* Gives the segments to the entry, where they fit its size and its data. */
int tar_sparse_check(struct tar_reader *reader, struct tar_entry *entry, struct failure *failure);

#endif
