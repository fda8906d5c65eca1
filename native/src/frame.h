/* Frames of `attach` and `exec`: `[type,0,0,0, u32 big-endian length]` and the payload. */
#ifndef FRAME_H
#define FRAME_H

#include "util.h"

enum frame_type {
  FRAME_INPUT = 0,
  FRAME_OUTPUT = 1,
  FRAME_ERROR = 2,
  FRAME_RESIZE = 4,
  FRAME_END_OF_INPUT = 5,
  FRAME_EXIT = 9,
};

#define FRAME_HEADER 8
/* A longer one is no client of ours. */
#define FRAME_PAYLOAD_MAX (1u << 20)

void frame_append(struct buffer *out, enum frame_type type, const void *data, size_t size);
void frame_append_exit(struct buffer *out, int exit_code);

/* Takes the next whole frame from the front of `in`, if there is one: 1. 0: more bytes are needed. -1: not a frame. */
int frame_next(const struct buffer *in, size_t *position, unsigned *type, const char **payload, uint32_t *size);
/* `rows columns` */
bool frame_size(const char *payload, uint32_t size, unsigned *rows, unsigned *columns);

#endif
