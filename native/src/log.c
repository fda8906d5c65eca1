#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

static void append_text(struct buffer *out, const char *data, size_t size) {
  size_t plain = 0, i = 0;
  while (i < size) {
    unsigned char byte = (unsigned char)data[i];
    size_t length = utf8_length((const unsigned char *)data + i, size - i);
    bool separator = length == 3 && byte == 0xe2 && (unsigned char)data[i + 1] == 0x80 &&
                     ((unsigned char)data[i + 2] & 0xfe) == 0xa8; /* U+2028, U+2029: no line ends in JavaScript */
    if (length > 0 && !separator && byte >= 0x20 && strchr("\"\\<>&", byte) == NULL) {
      i += length;
      continue;
    }
    buffer_append(out, data + plain, i - plain);
    if (length == 0) buffer_text(out, "\\ufffd");
    else if (separator) buffer_text(out, (unsigned char)data[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
    else if (byte == '"') buffer_text(out, "\\\"");
    else if (byte == '\\') buffer_text(out, "\\\\");
    else if (byte == '\n') buffer_text(out, "\\n");
    else if (byte == '\r') buffer_text(out, "\\r");
    else buffer_printf(out, "\\u%04x", byte);
    i += length > 0 ? length : 1;
    plain = i;
  }
  buffer_append(out, data + plain, size - plain);
}

void log_encode(struct buffer *out, const struct line_part *part, const char *attributes) {
  char when[TIME_TEXT_SIZE];
  buffer_text(out, "{\"log\":\"");
  append_text(out, part->data, part->size);
  if (part->line_feed) buffer_text(out, "\\n");
  time_text(when, part->time);
  buffer_printf(out, "\",\"stream\":\"%s\"", part->stream == 0 ? "stdout" : "stderr");
  if (attributes != NULL) {
    buffer_text(out, ",\"attrs\":");
    buffer_text(out, attributes);
  }
  buffer_printf(out, ",\"time\":\"%s\"}\n", when);
}

static int open_log(struct log_file *log, int flags) {
  struct stat status;
  log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0640);
  if (log->fd < 0) return -1;
  log->size = fstat(log->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
  return 0;
}

/* `log.1` becomes `log.2` and so on, the oldest is overwritten; with one file only, it starts anew. */
static void rotate(struct log_file *log) {
  close_quietly(log->fd);
  log->fd = -1;
  for (uint64_t i = log->count - 1; i >= 1; i--) {
    char *from = i == 1 ? xstrdup(log->path) : xasprintf("%s.%llu", log->path, (unsigned long long)i - 1);
    char *to = xasprintf("%s.%llu", log->path, (unsigned long long)i);
    rename(from, to);
    free(from);
    free(to);
  }
  open_log(log, O_TRUNC);
}

static void flush(struct log_file *log) {
  if (log->pending.size == 0) return;
  if (log->fd >= 0 || open_log(log, 0) == 0) {
    if (write_all(log->fd, log->pending.data, log->pending.size) == 0) log->size += log->pending.size;
    /* A full disk: what was written of a line is taken back, so that the next one starts on a line of its own. */
    else if (ftruncate(log->fd, (off_t)log->size) != 0) log->size = 0;
  }
  log->pending.size = 0;
  if (log->pending.capacity > 65536) buffer_free(&log->pending);
}

static void emit(void *data, const struct line_part *part) {
  struct log_file *log = data;
  if (log->fd < 0) open_log(log, 0);
  if (log->maximum > 0 && log->size + log->pending.size >= log->maximum) {
    flush(log);
    rotate(log);
  }
  log_encode(&log->pending, part, log->attributes);
}

void log_init(struct log_file *log, const char *path, const char *attributes, uint64_t maximum, uint64_t count) {
  log->path = path;
  log->attributes = attributes;
  log->maximum = maximum;
  log->count = count > 0 ? count : 1;
  log->fd = -1;
  log->lines.emit = emit;
  log->lines.data = log;
}

void log_output(struct log_file *log, unsigned stream, const char *data, size_t size, struct timespec time) {
  lines_output(&log->lines, stream, data, size, time);
  flush(log);
}

void log_end(struct log_file *log) {
  lines_end(&log->lines);
  flush(log);
}
