#include "message.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "text.h"

/* Severities of syslog (RFC 5424), which journald calls priorities. */
enum { SEVERITY_ERROR = 3, SEVERITY_INFORMATION = 6 };

static unsigned severity(const struct line_part *part) {
  return part->stream == 0 ? SEVERITY_INFORMATION : SEVERITY_ERROR;
}

/* `2026-01-02T03:04:05+01:00`; `+0000` of strftime lacks the colon. */
static void append_moment(struct buffer *out, struct timespec time, bool micro) {
  struct tm local;
  char date[32], zone[8];
  localtime_r(&time.tv_sec, &local);
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &local);
  buffer_text(out, date);
  if (micro) buffer_printf(out, ".%06ld", time.tv_nsec / 1000);
  if (local.tm_gmtoff == 0) {
    buffer_text(out, "Z");
    return;
  }
  strftime(zone, sizeof zone, "%z", &local);
  buffer_printf(out, "%.3s:%s", zone, zone + 3);
}

/* `Jan  2 03:04:05`, in English whatever the machine speaks. */
static void append_stamp(struct buffer *out, struct timespec time) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  struct tm local;
  localtime_r(&time.tv_sec, &local);
  buffer_printf(out, "%.3s %2d %02d:%02d:%02d", months + 3 * local.tm_mon, local.tm_mday, local.tm_hour, local.tm_min,
                local.tm_sec);
}

static void append_syslog(const struct receiver *receiver, struct buffer *out, const struct line_part *part) {
  int pid = (int)getpid();
  buffer_printf(out, "<%u>", (unsigned)receiver->facility * 8 + severity(part));
  if (receiver->form == FORM_RFC5424 || receiver->form == FORM_RFC5424_MICRO) {
    buffer_text(out, "1 ");
    append_moment(out, part->time, receiver->form == FORM_RFC5424_MICRO);
    buffer_printf(out, " %s %s %d %s - ", receiver->host, receiver->tag, pid, receiver->tag);
  } else {
    append_stamp(out, part->time);
    if (receiver->form == FORM_RFC3164) buffer_printf(out, " %s", receiver->host);
    buffer_printf(out, " %s[%d]: ", receiver->tag, pid);
  }
  buffer_append(out, part->data, part->size);
  buffer_text(out, "\n");
}

/* A value with a line feed in it is preceded by its size, and `=` is then a line feed. */
static void append_field(struct buffer *out, const char *field) {
  const char *value = strchr(field, '=');
  if (value == NULL || strchr(value, '\n') == NULL) {
    buffer_printf(out, "%s\n", field);
    return;
  }
  uint64_t size = htole64(strlen(value + 1));
  buffer_append(out, field, (size_t)(value - field));
  buffer_text(out, "\n");
  buffer_append(out, &size, sizeof size);
  buffer_printf(out, "%s\n", value + 1);
}

static void random_id(char id[RANDOM_ID_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[RANDOM_ID_SIZE / 2] = {0};
  if (getrandom(bytes, sizeof bytes, 0) < 0) memset(bytes, 0, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) {
    id[2 * i] = digits[bytes[i] >> 4];
    id[2 * i + 1] = digits[bytes[i] & 15];
  }
  id[RANDOM_ID_SIZE - 1] = '\0';
}

static void append_partial(struct messages *messages, struct buffer *out, const struct line_part *part) {
  if (!part->continued) {
    random_id(messages->partial[part->stream].id);
    messages->partial[part->stream].ordinal = 0;
  }
  buffer_printf(out, "CONTAINER_PARTIAL_ID=%s\nCONTAINER_PARTIAL_ORDINAL=%llu\nCONTAINER_PARTIAL_LAST=%s\n",
                messages->partial[part->stream].id, (unsigned long long)++messages->partial[part->stream].ordinal,
                part->line_feed ? "true" : "false");
  if (!part->line_feed) buffer_text(out, "CONTAINER_PARTIAL_MESSAGE=true\n");
}

static void append_entry(struct messages *messages, struct buffer *out, const struct line_part *part) {
  char when[TIME_TEXT_SIZE];
  if (messages->epoch[0] == '\0') random_id(messages->epoch);
  time_text(when, part->time);
  buffer_printf(out, "PRIORITY=%u\nMESSAGE=", severity(part));
  buffer_append(out, part->data, part->size);
  buffer_printf(out, "\nSYSLOG_TIMESTAMP=%s\nCONTAINER_LOG_EPOCH=%s\nCONTAINER_LOG_ORDINAL=%llu\n", when,
                messages->epoch, (unsigned long long)++messages->ordinal);
  for (char **field = messages->receiver->fields; field != NULL && *field != NULL; field++) append_field(out, *field);
  if (part->continued || !part->line_feed) append_partial(messages, out, part);
}

void message_encode(struct messages *messages, struct buffer *out, const struct line_part *part) {
  if (messages->receiver->form == FORM_JOURNALD) append_entry(messages, out, part);
  else if (part->size > 0) append_syslog(messages->receiver, out, part);
}

void messages_end(struct messages *messages) {
  messages->epoch[0] = '\0';
  messages->ordinal = 0;
}
