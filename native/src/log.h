/* Docker's json-file log: one JSON object a line, rotated by rename. */
#ifndef LOG_H
#define LOG_H

#include <time.h>

#include "lines.h"
#include "util.h"

struct log_file {
  const char *path;
  const char *attributes; /* JSON text of an object that every record carries; NULL: none */
  uint64_t maximum; /* bytes; 0: never rotated */
  uint64_t count;   /* files kept, the live one included */
  int fd;           /* -1: not open */
  uint64_t size;
  struct buffer pending; /* whole lines that are written together */
  struct lines lines;
};

void log_init(struct log_file *log, const char *path, const char *attributes, uint64_t maximum, uint64_t count);
/* `stream`: 0 standard output, 1 standard error. */
void log_output(struct log_file *log, unsigned stream, const char *data, size_t size, struct timespec time);
/* The streams have ended. */
void log_end(struct log_file *log);
/* The text of one part of a line as JSON (RFC 8259), escaped as Docker's encoder does. */
void log_encode(struct buffer *out, const struct line_part *part, const char *attributes);

#endif
