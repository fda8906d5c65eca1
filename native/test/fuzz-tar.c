/* Any bytes as a tar archive. Checksums are made to fit, or no mutation would get past the first header. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tar.h"

struct source {
  uint8_t *data;
  size_t size;
  size_t at;
};

static ssize_t read_source(void *context, void *out, size_t size) {
  struct source *source = context;
  size_t left = source->size - source->at;
  size_t count = left < size ? left : size;
  /* In odd pieces, so that every boundary is met. */
  if (count > 777) count = 777;
  memcpy(out, source->data + source->at, count);
  source->at += count;
  return (ssize_t)count;
}

static void fix_checksums(uint8_t *data, size_t size) {
  for (size_t at = 0; at + 512 <= size; at += 512) {
    unsigned sum = 0;
    char field[8];
    for (int i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? ' ' : data[at + (size_t)i];
    if (data[at] == 0 && data[at + 156] == 0) continue;
    snprintf(field, sizeof field, "%06o", sum & 0777777);
    memcpy(data + at + 148, field, 7);
    data[at + 155] = ' ';
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct source source = {.data = malloc(size + 1), .size = size};
  struct tar_entry entry;
  struct failure failure = {0};
  memcpy(source.data, data, size);
  if (size % 2 == 0) fix_checksums(source.data, size);
  struct tar_reader *reader = tar_open(read_source, &source);
  int found;
  while ((found = tar_next(reader, &entry, &failure)) > 0) {
    const char *bytes;
    ssize_t count;
    uint64_t end = 0;
    if (strlen(entry.path) > TAR_NAME_MAX || strlen(entry.link) > TAR_NAME_MAX) abort();
    for (size_t i = 0; i < entry.segment_count; i++) {
      if (entry.segments[i].offset < end || entry.segments[i].size > entry.size - entry.segments[i].offset) abort();
      end = entry.segments[i].offset + entry.segments[i].size;
    }
    while ((count = tar_data(reader, &bytes, &failure)) > 0)
      if (bytes[0] == 'x' && bytes[count - 1] == 'y') entry.size++;
    if (count < 0 && failure.kind == NULL) abort();
  }
  if (found < 0 && failure.kind == NULL) abort();
  tar_close(reader);
  free(source.data);
  return 0;
}
