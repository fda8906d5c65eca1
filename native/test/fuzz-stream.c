/* Any bytes as an operation stream, fed in pieces: refused or read, never out of bounds. */
#include <stdlib.h>
#include <string.h>

#include "stream.h"

static void read_all(struct stream *stream) {
  struct record record;
  struct failure failure;
  while (stream_next(stream, &record, &failure) == STREAM_RECORD) {
    for (unsigned i = 0; i < record.argc; i++) {
      uint64_t number;
      int64_t with_sign;
      bool flag;
      if (record.argv[i][record.sizes[i]] != '\0') abort();
      record_unsigned(&record, i, UINT64_MAX, &number, &failure);
      record_signed(&record, i, INT64_MIN, INT64_MAX, &with_sign, &failure);
      record_flag(&record, i, &flag, &failure);
    }
    if (record.argv[record.argc] != NULL) abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct stream stream;
  if (size < 1) return 0;
  /* The first byte chooses the flags and the size of the pieces. */
  size_t piece = (size_t)(data[0] >> 2) + 1;
  stream_init(&stream, data[0] & (STREAM_ANY_BUILD | STREAM_NO_HEADER));
  for (size_t at = 1; at < size; at += piece) {
    stream_feed(&stream, data + at, size - at < piece ? size - at : piece);
    read_all(&stream);
  }
  stream_finish(&stream);
  read_all(&stream);
  stream_free(&stream);
  return 0;
}
