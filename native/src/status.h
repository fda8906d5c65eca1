/* JSON lines, and what goes wrong. */
#ifndef STATUS_H
#define STATUS_H

#include "util.h"

/* A kind of error as in src/base/errors.ts; the text travels. */
#define KIND_INVALID "invalid"
#define KIND_NOT_FOUND "notFound"
#define KIND_CONFLICT "conflict"
#define KIND_FORBIDDEN "forbidden"
#define KIND_UNSUPPORTED "unsupported"
#define KIND_UNAVAILABLE "unavailable"
#define KIND_EXHAUSTED "exhausted"
#define KIND_TIMEOUT "timeout"
#define KIND_CANCELED "canceled"
#define KIND_INTERNAL "internal"

struct failure {
  const char *kind; /* NULL: nothing went wrong */
  int error;        /* errno, 0 where there is none */
  int exit_code;    /* 125, 126, 127, or 0 */
  char step[512];   /* operation and object: `bind /data` */
  char message[1024];
};

const char *kind_of_errno(int error);
const char *errno_name(int error); /* "ENOENT"; "E123" for an unknown one */

/* Each answers -1. `step` is a format. The message is `<step>: <text of errno>`. */
int fail_errno(struct failure *failure, int error, const char *step, ...) __attribute__((format(printf, 3, 4)));
/* The message is `<step>: <reason>`; `reason` is plain text. */
int fail_kind(struct failure *failure, const char *kind, const char *reason, const char *step, ...)
    __attribute__((format(printf, 4, 5)));

/* A JSON text being written. All zeros is an empty one. */
struct json {
  struct buffer buffer;
  bool comma;
};
void json_open(struct json *json, char bracket); /* { or [ */
void json_close(struct json *json, char bracket); /* } or ] */
void json_key(struct json *json, const char *key);
/* Bytes that are no UTF-8 become U+FFFD. */
void json_string(struct json *json, const char *text);
void json_bytes(struct json *json, const char *text, size_t size);
void json_base64(struct json *json, const void *data, size_t size);
void json_number(struct json *json, int64_t number);
void json_unsigned(struct json *json, uint64_t number);
void json_bool(struct json *json, bool value);
/* Text that is JSON already. */
void json_raw(struct json *json, const char *text, size_t size);
/* Key and value at once. */
void json_member_string(struct json *json, const char *key, const char *text);
void json_member_number(struct json *json, const char *key, int64_t number);
void json_member_bool(struct json *json, const char *key, bool value);
/* Member `error` with the failure. */
void json_member_failure(struct json *json, const struct failure *failure);
/* Adds a line feed, writes all of it and frees it. */
int json_send(struct json *json, int fd);
void json_free(struct json *json);

/* `{"error":{…}}` and a line feed. */
int send_failure(int fd, const struct failure *failure);

#endif
