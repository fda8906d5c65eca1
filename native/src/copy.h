/* Copies of files with everything that belongs to them: owner, mode, times, extended attributes, hard links, holes. */
#ifndef COPY_H
#define COPY_H

#include <sys/stat.h>

#include "status.h"

struct copied_links;

struct copy {
  const char *step; /* names the work in errors */
  struct failure *failure;
  uint64_t entries;
  /* What exists at the target already is kept, only its owner, mode and the rest are set: an interrupted copy goes on. */
  bool resume;
  /* Nobody sees the target before all of it is whole: files need not come at once. */
  bool unseen;
  struct copied_links *links;
};

/* One entry that is no directory. `status` is the source's. */
int copy_entry(struct copy *copy, int from, const char *name, int to, const char *target, const struct stat *status);
/* Owner, mode, extended attributes and times of a directory, both given by descriptor. */
int copy_directory_attributes(struct copy *copy, int from, int to, const struct stat *status);
/* The content of a directory into another. */
int copy_content(struct copy *copy, int from, int to);
void copy_free(struct copy *copy);

#endif
