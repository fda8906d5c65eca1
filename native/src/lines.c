#include "lines.h"

#include <string.h>

static void emit(struct lines *lines, unsigned stream, bool line_feed, struct timespec time) {
  struct line *line = &lines->lines[stream];
  if (!line->partial) line->time = time;
  struct line_part part = {
      .data = line->data,
      .size = line->size,
      .stream = stream,
      .line_feed = line_feed,
      .continued = line->partial,
      .time = line->time,
  };
  lines->emit(lines->data, &part);
  line->partial = !line_feed;
  line->size = 0;
}

void lines_output(struct lines *lines, unsigned stream, const char *data, size_t size, struct timespec time) {
  struct line *line = &lines->lines[stream];
  while (size > 0) {
    size_t room = LINE_MAX_SIZE - line->size;
    size_t part = size < room ? size : room;
    const char *end = memchr(data, '\n', part);
    if (end != NULL) part = (size_t)(end - data);
    memcpy(line->data + line->size, data, part);
    line->size += part;
    data += part;
    size -= part;
    if (end != NULL) {
      emit(lines, stream, true, time);
      data++;
      size--;
    } else if (line->size == LINE_MAX_SIZE) {
      emit(lines, stream, false, time);
    }
  }
}

void lines_end(struct lines *lines) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  for (unsigned stream = 0; stream < 2; stream++) {
    if (lines->lines[stream].size > 0) emit(lines, stream, false, now);
    lines->lines[stream].partial = false;
  }
}
