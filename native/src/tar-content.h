/* The data of an archive's entry, into a file. */
#ifndef TAR_CONTENT_H
#define TAR_CONTENT_H

#include "tar.h"

/* Writes it into the new file `fd`, leaving holes where a sparse one has none. `step` names the work in errors. 0 or -1. */
int tar_write(struct tar_reader *reader, const struct tar_entry *entry, int fd, const char *step, struct failure *failure);

#endif
