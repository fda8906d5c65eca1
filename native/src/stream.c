#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct row {
  uint16_t code;
  const char *name;
  unsigned arguments;
  bool rest;
} rows[] = {
#define ROW(code, name, arguments, rest) {code, name, arguments, rest},
    OPERATIONS(ROW)
#undef ROW
};

static const struct row *find_row(uint16_t code) {
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    if (rows[i].code == code) return &rows[i];
  return NULL;
}

static uint16_t read16(const char *data) {
  const unsigned char *bytes = (const unsigned char *)data;
  return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t read32(const char *data) {
  return (uint32_t)read16(data) | (uint32_t)read16(data + 2) << 16;
}

static unsigned char hex_digit(char digit) {
  return (unsigned char)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

void stream_header(char *header) {
  memset(header, 0, STREAM_HEADER_SIZE);
  memcpy(header, "TSOP", 4);
  header[4] = 1;
  for (int i = 0; i < 16; i++) header[8 + i] = (char)(hex_digit(build_id[2 * i]) << 4 | hex_digit(build_id[2 * i + 1]));
}

void stream_init(struct stream *stream, unsigned flags) {
  memset(stream, 0, sizeof *stream);
  stream->flags = flags;
  stream->header_seen = (flags & STREAM_NO_HEADER) != 0;
}

void stream_free(struct stream *stream) {
  buffer_free(&stream->buffer);
  free(stream->argv);
  free(stream->sizes);
  memset(stream, 0, sizeof *stream);
}

static void drop_consumed(struct stream *stream) {
  if (stream->position == 0) return;
  buffer_consume(&stream->buffer, stream->position);
  stream->position = 0;
}

void stream_feed(struct stream *stream, const void *data, size_t size) {
  drop_consumed(stream);
  buffer_append(&stream->buffer, data, size);
}

void stream_finish(struct stream *stream) {
  stream->finished = true;
}

ssize_t stream_read(struct stream *stream, int fd) {
  drop_consumed(stream);
  buffer_reserve(&stream->buffer, 65536);
  ssize_t count;
  do count = read(fd, stream->buffer.data + stream->buffer.size, 65536);
  while (count < 0 && errno == EINTR);
  if (count > 0) stream->buffer.size += (size_t)count;
  if (count == 0) stream->finished = true;
  return count;
}

static enum stream_result refuse(struct stream *stream, struct failure *failure, const char *reason) {
  stream->bad = true;
  fail_kind(failure, KIND_INVALID, reason, "operation stream");
  return STREAM_BAD;
}

static enum stream_result check_header(struct stream *stream, struct failure *failure) {
  char expected[STREAM_HEADER_SIZE];
  const char *header = stream->buffer.data + stream->position;
  stream_header(expected);
  if (memcmp(header, expected, 4) != 0) return refuse(stream, failure, "not an operation stream");
  if (read16(header + 4) != 1) return refuse(stream, failure, "unknown version");
  if (!(stream->flags & STREAM_ANY_BUILD) && memcmp(header + 8, expected + 8, 16) != 0)
    return refuse(stream, failure, "made for another build of the helper");
  stream->position += STREAM_HEADER_SIZE;
  stream->header_seen = true;
  return STREAM_RECORD;
}

static void make_room(struct stream *stream, unsigned count) {
  if (stream->capacity > count) return;
  stream->capacity = count + 16;
  stream->argv = xrealloc(stream->argv, stream->capacity * sizeof *stream->argv);
  stream->sizes = xrealloc(stream->sizes, stream->capacity * sizeof *stream->sizes);
}

/* `data` holds the whole record after its length. */
static enum stream_result read_record(struct stream *stream, char *data, uint32_t length, struct record *record,
                                      struct failure *failure) {
  uint16_t code = read16(data);
  unsigned count = read16(data + 2);
  const struct row *row = find_row(code);
  if (row == NULL) return refuse(stream, failure, "unknown operation");
  if (count < row->arguments || (count > row->arguments && !row->rest))
    return refuse(stream, failure, "wrong number of arguments");
  make_room(stream, count);
  size_t offset = 4;
  for (unsigned i = 0; i < count; i++) {
    if (length - offset < 5) return refuse(stream, failure, "argument beyond the record");
    uint32_t size = read32(data + offset);
    offset += 4;
    if (size > length - offset - 1) return refuse(stream, failure, "argument beyond the record");
    if (data[offset + size] != '\0') return refuse(stream, failure, "argument without its end mark");
    stream->argv[i] = data + offset;
    stream->sizes[i] = size;
    offset += (size_t)size + 1;
  }
  if (offset != length) return refuse(stream, failure, "bytes after the last argument");
  stream->argv[count] = NULL;
  record->code = code;
  record->name = row->name;
  record->argc = count;
  record->argv = stream->argv;
  record->sizes = stream->sizes;
  return STREAM_RECORD;
}

static enum stream_result need_more(struct stream *stream, size_t available, struct failure *failure) {
  if (!stream->finished) return STREAM_MORE;
  if (available == 0 && stream->header_seen) return STREAM_END;
  return refuse(stream, failure, available == 0 ? "empty" : "cut off");
}

enum stream_result stream_next(struct stream *stream, struct record *record, struct failure *failure) {
  if (stream->bad) return refuse(stream, failure, "refused before");
  size_t available = stream->buffer.size - stream->position;
  if (!stream->header_seen) {
    if (available < STREAM_HEADER_SIZE) return need_more(stream, available, failure);
    if (check_header(stream, failure) == STREAM_BAD) return STREAM_BAD;
    available -= STREAM_HEADER_SIZE;
  }
  if (available < 4) return need_more(stream, available, failure);
  uint32_t length = read32(stream->buffer.data + stream->position);
  if (length < 4 || length > STREAM_RECORD_MAX) return refuse(stream, failure, "record of impossible length");
  if (available - 4 < length) return need_more(stream, available, failure);
  char *data = stream->buffer.data + stream->position + 4;
  stream->position += 4 + (size_t)length;
  return read_record(stream, data, length, record, failure);
}

enum stream_result stream_wait(struct stream *stream, int fd, struct record *record, struct failure *failure) {
  for (;;) {
    enum stream_result result = stream_next(stream, record, failure);
    if (result != STREAM_MORE) return result;
    if (stream_read(stream, fd) < 0) {
      stream->bad = true;
      fail_errno(failure, errno, "operation stream");
      return STREAM_BAD;
    }
  }
}

const char *record_text(const struct record *record, unsigned index, struct failure *failure) {
  if (strlen(record->argv[index]) == record->sizes[index]) return record->argv[index];
  fail_kind(failure, KIND_INVALID, "an argument holds a NUL", "%s", record->name);
  return NULL;
}

int record_texts(const struct record *record, struct failure *failure) {
  for (unsigned i = 0; i < record->argc; i++)
    if (record_text(record, i, failure) == NULL) return -1;
  return 0;
}

int record_unsigned(const struct record *record, unsigned index, uint64_t maximum, uint64_t *out,
                    struct failure *failure) {
  const char *text = record_text(record, index, failure);
  if (text == NULL) return -1;
  if (parse_unsigned(text, maximum, out)) return 0;
  return fail_kind(failure, KIND_INVALID, "not a number within bounds", "%s %s", record->name, text);
}

int record_signed(const struct record *record, unsigned index, int64_t minimum, int64_t maximum, int64_t *out,
                  struct failure *failure) {
  const char *text = record_text(record, index, failure);
  if (text == NULL) return -1;
  if (parse_signed(text, minimum, maximum, out)) return 0;
  return fail_kind(failure, KIND_INVALID, "not a number within bounds", "%s %s", record->name, text);
}

int record_flag(const struct record *record, unsigned index, bool *out, struct failure *failure) {
  uint64_t value = 0;
  if (record_unsigned(record, index, 1, &value, failure) != 0) return -1;
  *out = value == 1;
  return 0;
}
