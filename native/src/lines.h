/* What a container writes, cut into lines. */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* A longer line is split into parts of this size, of which only the last ends in a line feed. */
#define LINE_MAX_SIZE 16384

struct line_part {
  const char *data; /* without the line feed */
  size_t size;
  unsigned stream;      /* 0 standard output, 1 standard error */
  bool line_feed;       /* the line ends here */
  bool continued;       /* parts of this line came before */
  struct timespec time; /* of the line's first part */
};

struct line {
  char data[LINE_MAX_SIZE];
  size_t size;
  bool partial; /* parts of this line were emitted already */
  struct timespec time;
};

struct lines {
  struct line lines[2];
  void (*emit)(void *data, const struct line_part *part);
  void *data;
};

void lines_output(struct lines *lines, unsigned stream, const char *data, size_t size, struct timespec time);
/* The streams have ended: what is left of a line is one. */
void lines_end(struct lines *lines);

#endif
