#include "tar-number.h"

#include <stddef.h>
#include <string.h>

#include "util.h"

static bool base256(const unsigned char *field, unsigned size, int64_t *out) {
  /* Two's complement over the whole field; the first byte's high bit is only the mark. */
  bool negative = (field[0] & 0x40) != 0;
  unsigned char first = negative ? field[0] : field[0] & 0x7f;
  int64_t value = negative ? -1 : 0;
  for (unsigned i = 0; i < size; i++) {
    unsigned char byte = i == 0 ? first : field[i];
    if (value > INT64_MAX >> 8 || value < INT64_MIN >> 8) return false;
    value = (int64_t)((uint64_t)value << 8 | byte);
  }
  *out = value;
  return true;
}

bool tar_number(const char *field, unsigned size, int64_t *out) {
  const unsigned char *bytes = (const unsigned char *)field;
  if (bytes[0] & 0x80) return base256(bytes, size, out);
  unsigned i = 0;
  uint64_t value = 0;
  while (i < size && (field[i] == ' ' || field[i] == '\0')) i++;
  for (; i < size && field[i] >= '0' && field[i] <= '7'; i++) {
    if (value > (uint64_t)INT64_MAX >> 3) return false;
    value = value << 3 | (unsigned)(field[i] - '0');
  }
  for (; i < size; i++)
    if (field[i] != ' ' && field[i] != '\0') return false;
  *out = (int64_t)value;
  return true;
}

bool tar_time(const char *text, struct timespec *out) {
  char seconds[24];
  const char *point = strchr(text, '.');
  size_t length = point != NULL ? (size_t)(point - text) : strlen(text);
  bool negative = text[0] == '-';
  long nanoseconds = 0, scale = 100000000;
  int64_t value = 0;
  if (length == 0 || length >= sizeof seconds) return false;
  memcpy(seconds, text, length);
  seconds[length] = '\0';
  if (!parse_signed(seconds, INT64_MIN + 1, INT64_MAX, &value)) return false;
  for (const char *digit = point != NULL ? point + 1 : ""; *digit != '\0'; digit++) {
    if (*digit < '0' || *digit > '9') return false;
    nanoseconds += (*digit - '0') * scale;
    scale /= 10;
  }
  if (negative && nanoseconds > 0) {
    value--;
    nanoseconds = 1000000000 - nanoseconds;
  }
  out->tv_sec = (time_t)value;
  out->tv_nsec = nanoseconds;
  return true;
}
