/* Operation streams: a header, then records, bounds-checked by the table in operations.h. docs/native.md has the format. */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>

#include "operations.h"
#include "status.h"
#include "util.h"

#define STREAM_HEADER_SIZE 24
#define STREAM_RECORD_MAX (16u * 1024 * 1024)

/* 32 hex digits: the sources of this binary. */
extern const char build_id[33];

/*
 * Arguments are NUL-terminated and point into the stream's buffer: they hold until the next call on the stream.
 * `argv` has a NULL at the end, so the tail of a repeated argument is a ready vector.
 */
struct record {
  uint16_t code;
  const char *name;
  unsigned argc;
  char **argv;
  uint32_t *sizes;
};

enum stream_flags {
  STREAM_ANY_BUILD = 1, /* a control socket: the build id is ignored */
  STREAM_NO_HEADER = 2, /* a list inside an argument */
};

enum stream_result {
  STREAM_RECORD, /* the record is filled in */
  STREAM_MORE,   /* feed more bytes */
  STREAM_END,    /* finished was called and everything was read */
  STREAM_BAD,    /* the failure is filled in; the stream stays bad */
};

struct stream {
  struct buffer buffer;
  size_t position;
  unsigned flags;
  bool header_seen;
  bool finished;
  bool bad;
  char **argv;
  uint32_t *sizes;
  unsigned capacity;
};

void stream_init(struct stream *stream, unsigned flags);
void stream_free(struct stream *stream);
void stream_feed(struct stream *stream, const void *data, size_t size);
/* No more bytes will come. */
void stream_finish(struct stream *stream);
/*
 * One read from a descriptor. Answers the number of bytes, 0 at end of file (the stream is then finished), -1 with errno
 * (EAGAIN on a non-blocking one). MSG_DONTWAIT is not used: the caller polls.
 */
ssize_t stream_read(struct stream *stream, int fd);
enum stream_result stream_next(struct stream *stream, struct record *record, struct failure *failure);
/* Reads from a blocking descriptor until there is a record: never answers STREAM_MORE. */
enum stream_result stream_wait(struct stream *stream, int fd, struct record *record, struct failure *failure);

/* Header of this build into 24 bytes. */
void stream_header(char *header);

/* Arguments. A text has no NUL inside; NULL with the failure filled in otherwise. */
const char *record_text(const struct record *record, unsigned index, struct failure *failure);
/* All arguments are texts. 0 or -1. */
int record_texts(const struct record *record, struct failure *failure);
int record_unsigned(const struct record *record, unsigned index, uint64_t maximum, uint64_t *out, struct failure *failure);
int record_signed(const struct record *record, unsigned index, int64_t minimum, int64_t maximum, int64_t *out,
                  struct failure *failure);
int record_flag(const struct record *record, unsigned index, bool *out, struct failure *failure);

#endif
