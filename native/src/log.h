/* Docker's json-file log: one JSON object a line, rotated by rename. */
#ifndef LOG_H
#define LOG_H

#include <time.h>

#include "util.h"

/* A longer line is split into parts of this size, of which only the last ends in a line feed. */
#define LOG_LINE_MAX 16384

struct log_line {
  char data[LOG_LINE_MAX];
  size_t size;
  bool partial;         /* parts of this line were written already */
  struct timespec time; /* of the first part */
};

struct log_file {
  const char *path;
  uint64_t maximum; /* bytes; 0: never rotated */
  uint64_t count;   /* files kept, the live one included */
  int fd;           /* -1: not open */
  uint64_t size;
  struct buffer pending; /* whole lines that are written together */
  struct log_line lines[2]; /* standard output, standard error */
};

void log_init(struct log_file *log, const char *path, uint64_t maximum, uint64_t count);
/* `stream`: 0 standard output, 1 standard error. */
void log_output(struct log_file *log, unsigned stream, const char *data, size_t size, struct timespec time);
/* The streams have ended. */
void log_end(struct log_file *log);
/* The text of one line as JSON (RFC 8259), escaped as Docker's encoder does. */
void log_encode(struct buffer *out, const char *data, size_t size, bool line_feed, unsigned stream, struct timespec time);

#endif
