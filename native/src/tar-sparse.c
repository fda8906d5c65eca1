#include <stdlib.h>
#include <string.h>

#include "tar-number.h"
#include "tar-reader.h"

static bool header_segments(struct tar_reader *reader, const char *field, unsigned count) {
  for (unsigned i = 0; i < count; i++, field += 24) {
    int64_t offset = 0, size = 0;
    if (field[0] == '\0' && field[12] == '\0') return true;
    if (!tar_number(field, 12, &offset) || !tar_number(field + 12, 12, &size) || offset < 0 || size < 0) return false;
    if (!segments_add(&reader->segments, &reader->segment_count, (uint64_t)offset, (uint64_t)size)) return false;
  }
  return true;
}

int tar_sparse_old(struct tar_reader *reader, const char *block, struct tar_entry *entry,
                           struct failure *failure) {
  int64_t size = 0;
  bool more = block[482] != 0;
  if (!tar_number(block + 483, 12, &size) || size < 0 || !header_segments(reader, block + 386, 4))
    return tar_broken(failure, "the map of a sparse file is damaged");
  while (more) {
    char extension[BLOCK];
    int filled = tar_fill(reader, BLOCK, failure);
    if (filled <= 0) return filled < 0 ? -1 : tar_broken(failure, "it is cut off");
    memcpy(extension, reader->buffer + reader->start, BLOCK);
    reader->start += BLOCK;
    if (!header_segments(reader, extension, 21)) return tar_broken(failure, "the map of a sparse file is damaged");
    more = extension[504] != 0;
  }
  entry->sparse = true;
  entry->size = (uint64_t)size;
  return 0;
}

/* A decimal line of the map that stands before the data (format 1.0). */
static int read_map_number(struct tar_reader *reader, uint64_t *out, struct failure *failure) {
  char digits[24];
  size_t length = 0;
  for (;;) {
    if (reader->remaining == 0 || length == sizeof digits - 1)
      return tar_broken(failure, "the map of a sparse file is damaged");
    int filled = tar_fill(reader, 1, failure);
    if (filled <= 0) return filled < 0 ? -1 : tar_broken(failure, "it is cut off");
    char byte = reader->buffer[reader->start++];
    reader->remaining--;
    if (byte == '\n') break;
    digits[length++] = byte;
  }
  digits[length] = '\0';
  return parse_unsigned(digits, INT64_MAX, out) ? 0 : tar_broken(failure, "the map of a sparse file is damaged");
}

static int read_leading_map(struct tar_reader *reader, uint64_t stored, struct failure *failure) {
  uint64_t count = 0;
  if (read_map_number(reader, &count, failure) != 0) return -1;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t offset = 0, size = 0;
    if (read_map_number(reader, &offset, failure) != 0 || read_map_number(reader, &size, failure) != 0) return -1;
    if (!segments_add(&reader->segments, &reader->segment_count, offset, size))
      return tar_broken(failure, "the map of a sparse file is damaged");
  }
  /* The map is filled up to a whole block. */
  uint64_t used = stored - reader->remaining;
  uint64_t filler = -used & (BLOCK - 1);
  if (filler > reader->remaining) return tar_broken(failure, "the map of a sparse file is damaged");
  while (filler > 0) {
    int filled = tar_fill(reader, 1, failure);
    if (filled <= 0) return filled < 0 ? -1 : tar_broken(failure, "it is cut off");
    size_t available = reader->end - reader->start;
    size_t size = available < filler ? available : (size_t)filler;
    reader->start += size;
    reader->remaining -= size;
    filler -= size;
  }
  return 0;
}

int tar_sparse_pax(struct tar_reader *reader, uint64_t stored, struct tar_entry *entry, struct failure *failure) {
  struct pax *pax = &reader->pax;
  if (pax->sparse_major == 1) {
    if (read_leading_map(reader, stored, failure) != 0) return -1;
  } else if (pax->sparse_map && !pax->half_segment) {
    reader->segments = pax->segments;
    reader->segment_count = pax->segment_count;
    pax->segments = NULL;
    pax->segment_count = 0;
  } else {
    return 0;
  }
  if (!pax->has_real_size) return tar_broken(failure, "the map of a sparse file is damaged");
  entry->sparse = true;
  entry->size = (uint64_t)pax->real_size;
  return 0;
}

int tar_sparse_check(struct tar_reader *reader, struct tar_entry *entry, struct failure *failure) {
  uint64_t total = 0, end = 0;
  for (size_t i = 0; i < reader->segment_count; i++) {
    total += reader->segments[i].size;
    end = reader->segments[i].offset + reader->segments[i].size;
  }
  if (end > entry->size || total != reader->remaining) return tar_broken(failure, "the map of a sparse file is damaged");
  entry->segments = reader->segments;
  entry->segment_count = reader->segment_count;
  return 0;
}
