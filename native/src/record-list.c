#include "record-list.h"

#include <stdlib.h>
#include <string.h>

static void keep(struct record_list *list, const struct record *record) {
  list->items = xrealloc(list->items, (list->count + 1) * sizeof *list->items);
  struct record *copy = &list->items[list->count++];
  *copy = *record;
  copy->argv = xmalloc((record->argc + 1) * sizeof *copy->argv);
  memcpy(copy->argv, record->argv, (record->argc + 1) * sizeof *copy->argv);
  copy->sizes = xmalloc((record->argc + 1) * sizeof *copy->sizes);
  memcpy(copy->sizes, record->sizes, record->argc * sizeof *copy->sizes);
}

int record_list_read(struct record_list *list, char *data, size_t size, unsigned flags, struct failure *failure) {
  struct stream stream;
  struct record record;
  enum stream_result result;
  memset(list, 0, sizeof *list);
  stream_init(&stream, flags);
  /* The stream only reads its buffer: it borrows the bytes, and must not free them. */
  stream.buffer = (struct buffer){.data = data, .size = size, .capacity = size};
  stream_finish(&stream);
  while ((result = stream_next(&stream, &record, failure)) == STREAM_RECORD) keep(list, &record);
  stream.buffer = (struct buffer){0};
  stream_free(&stream);
  if (result == STREAM_END) return 0;
  record_list_free(list);
  return -1;
}

void record_list_free(struct record_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    free(list->items[i].argv);
    free(list->items[i].sizes);
  }
  free(list->items);
  memset(list, 0, sizeof *list);
}
