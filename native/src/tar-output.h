/* Writes tar archives: ustar, with pax records (POSIX.1-2001, attributes as star writes them) for what it cannot say. */
#ifndef TAR_OUTPUT_H
#define TAR_OUTPUT_H

#include "tar.h"

/* Seconds that times of entries are kept within. */
struct tar_times {
  int64_t earliest, latest;
};

struct tar_output {
  int fd;
  const struct tar_times *times; /* NULL: times are as they are */
  struct failure *failure;
  struct buffer buffer; /* not written yet */
  uint64_t left;        /* of the entry's content */
  unsigned padding;     /* after it */
};

/* Each answers 0, or -1 with the failure filled in. */
/* The header; of a file `size` bytes of content have to follow. Segments are not looked at: holes are written out. */
int tar_output_entry(struct tar_output *output, const struct tar_entry *entry);
int tar_output_data(struct tar_output *output, const void *data, size_t size);
/* Bytes of a hole. */
int tar_output_zeros(struct tar_output *output, uint64_t size);
/* The mark of the end. */
int tar_output_end(struct tar_output *output);
void tar_output_free(struct tar_output *output);

#endif
