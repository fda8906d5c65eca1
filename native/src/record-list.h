/* A whole operation list, read at once; the arguments point into the caller's bytes. */
#ifndef RECORD_LIST_H
#define RECORD_LIST_H

#include "stream.h"

struct record_list {
  struct record *items;
  size_t count;
};

/* `flags` as stream_init. The bytes must stay where they are for the list's life, and are not changed. 0 or -1. */
int record_list_read(struct record_list *list, char *data, size_t size, unsigned flags, struct failure *failure);
void record_list_free(struct record_list *list);

#endif
