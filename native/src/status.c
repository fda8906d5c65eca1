#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *kind_of_errno(int error) {
  switch (error) {
    case ENOENT:
    case ESRCH:
    case ENODEV:
    case ENXIO:
      return KIND_NOT_FOUND;
    case EEXIST:
    case EBUSY:
    case EADDRINUSE:
    case ENOTEMPTY:
    case ETXTBSY:
      return KIND_CONFLICT;
    case EACCES:
    case EPERM:
    case EROFS:
      return KIND_FORBIDDEN;
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EPFNOSUPPORT:
      return KIND_UNSUPPORTED;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EMLINK:
    case EAGAIN: /* no further process; a lock that is taken has its own words */
    case EUSERS:
      return KIND_EXHAUSTED;
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case E2BIG:
    case ERANGE:
    case EXDEV:
    case EADDRNOTAVAIL:
    case ENOEXEC:
    case EILSEQ:
      return KIND_INVALID;
    case ETIMEDOUT:
      return KIND_TIMEOUT;
    case ECANCELED:
      return KIND_CANCELED;
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
      return KIND_UNAVAILABLE;
    default:
      return KIND_INTERNAL;
  }
}

const char *errno_name(int error) {
  static char unknown[16];
  const char *name = strerrorname_np(error);
  if (name != NULL) return name;
  snprintf(unknown, sizeof unknown, "E%d", error);
  return unknown;
}

/* strerror starts with a capital letter; our messages do not. `I/O error` and the like stay. */
static void lower_first(char *text) {
  if (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z') text[0] = (char)(text[0] - 'A' + 'a');
}

int fail_errno(struct failure *failure, int error, const char *step, ...) {
  va_list arguments;
  char reason[256];
  va_start(arguments, step);
  vsnprintf(failure->step, sizeof failure->step, step, arguments);
  va_end(arguments);
  snprintf(reason, sizeof reason, "%s", strerror(error));
  lower_first(reason);
  failure->kind = kind_of_errno(error);
  failure->error = error;
  failure->exit_code = 0;
  snprintf(failure->message, sizeof failure->message, "%s: %s", failure->step, reason);
  return -1;
}

int fail_kind(struct failure *failure, const char *kind, const char *reason, const char *step, ...) {
  va_list arguments;
  va_start(arguments, step);
  vsnprintf(failure->step, sizeof failure->step, step, arguments);
  va_end(arguments);
  failure->kind = kind;
  failure->error = 0;
  failure->exit_code = 0;
  snprintf(failure->message, sizeof failure->message, "%s: %s", failure->step, reason);
  return -1;
}

static void separate(struct json *json) {
  if (json->comma) buffer_append(&json->buffer, ",", 1);
  json->comma = true;
}

void json_open(struct json *json, char bracket) {
  separate(json);
  buffer_append(&json->buffer, &bracket, 1);
  json->comma = false;
}

void json_close(struct json *json, char bracket) {
  buffer_append(&json->buffer, &bracket, 1);
  json->comma = true;
}

void json_key(struct json *json, const char *key) {
  json_string(json, key);
  buffer_append(&json->buffer, ":", 1);
  json->comma = false;
}

void json_string(struct json *json, const char *text) {
  json_bytes(json, text, strlen(text));
}

/* Length of the well-formed UTF-8 sequence at the start (RFC 3629), 0 where there is none. */
static size_t utf8_length(const unsigned char *text, size_t size) {
  if (text[0] < 0x80) return 1;
  size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
  if (text[0] < 0xc2 || text[0] > 0xf4 || length > size) return 0;
  for (size_t i = 1; i < length; i++)
    if ((text[i] & 0xc0) != 0x80) return 0;
  if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f)) return 0;
  if ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f)) return 0;
  return length;
}

static void append_control(struct buffer *buffer, unsigned char byte) {
  switch (byte) {
    case '\n':
      buffer_text(buffer, "\\n");
      return;
    case '\r':
      buffer_text(buffer, "\\r");
      return;
    case '\t':
      buffer_text(buffer, "\\t");
      return;
    default:
      buffer_printf(buffer, "\\u%04x", byte);
  }
}

void json_bytes(struct json *json, const char *text, size_t size) {
  const unsigned char *bytes = (const unsigned char *)text;
  separate(json);
  buffer_reserve(&json->buffer, size + 2);
  buffer_append(&json->buffer, "\"", 1);
  size_t plain = 0; /* start of the run that needs no change */
  size_t i = 0;
  while (i < size) {
    size_t length = utf8_length(bytes + i, size - i);
    if (length > 0 && bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\' && bytes[i] != 0x7f) {
      i += length;
      continue;
    }
    buffer_append(&json->buffer, text + plain, i - plain);
    if (length == 0) buffer_text(&json->buffer, "\xef\xbf\xbd");
    else if (bytes[i] == '"' || bytes[i] == '\\') buffer_printf(&json->buffer, "\\%c", bytes[i]);
    else append_control(&json->buffer, bytes[i]);
    plain = ++i;
  }
  buffer_append(&json->buffer, text + plain, size - plain);
  buffer_append(&json->buffer, "\"", 1);
}

void json_base64(struct json *json, const void *data, size_t size) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *bytes = data;
  separate(json);
  buffer_reserve(&json->buffer, size / 3 * 4 + 6);
  buffer_append(&json->buffer, "\"", 1);
  for (size_t i = 0; i < size; i += 3) {
    unsigned long group = (unsigned long)bytes[i] << 16;
    if (i + 1 < size) group |= (unsigned long)bytes[i + 1] << 8;
    if (i + 2 < size) group |= bytes[i + 2];
    char quad[4] = {digits[group >> 18 & 63], digits[group >> 12 & 63], i + 1 < size ? digits[group >> 6 & 63] : '=',
                    i + 2 < size ? digits[group & 63] : '='};
    buffer_append(&json->buffer, quad, 4);
  }
  buffer_append(&json->buffer, "\"", 1);
}

void json_number(struct json *json, int64_t number) {
  separate(json);
  buffer_printf(&json->buffer, "%lld", (long long)number);
}

void json_unsigned(struct json *json, uint64_t number) {
  separate(json);
  buffer_printf(&json->buffer, "%llu", (unsigned long long)number);
}

void json_bool(struct json *json, bool value) {
  separate(json);
  buffer_text(&json->buffer, value ? "true" : "false");
}

void json_raw(struct json *json, const char *text, size_t size) {
  separate(json);
  buffer_append(&json->buffer, text, size);
}

void json_member_string(struct json *json, const char *key, const char *text) {
  json_key(json, key);
  json_string(json, text);
}

void json_member_number(struct json *json, const char *key, int64_t number) {
  json_key(json, key);
  json_number(json, number);
}

void json_member_bool(struct json *json, const char *key, bool value) {
  json_key(json, key);
  json_bool(json, value);
}

void json_member_failure(struct json *json, const struct failure *failure) {
  json_key(json, "error");
  json_open(json, '{');
  json_member_string(json, "kind", failure->kind != NULL ? failure->kind : KIND_INTERNAL);
  if (failure->error != 0) json_member_string(json, "errno", errno_name(failure->error));
  json_member_string(json, "step", failure->step);
  json_member_string(json, "message", failure->message);
  if (failure->exit_code != 0) json_member_number(json, "exitCode", failure->exit_code);
  json_close(json, '}');
}

int json_send(struct json *json, int fd) {
  buffer_append(&json->buffer, "\n", 1);
  int result = write_all(fd, json->buffer.data, json->buffer.size);
  int error = errno;
  json_free(json);
  errno = error;
  return result;
}

void json_free(struct json *json) {
  buffer_free(&json->buffer);
  json->comma = false;
}

int send_failure(int fd, const struct failure *failure) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_failure(&json, failure);
  json_close(&json, '}');
  return json_send(&json, fd);
}
