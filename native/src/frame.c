#include "frame.h"

#include <stdio.h>
#include <string.h>

void frame_append(struct buffer *out, enum frame_type type, const void *data, size_t size) {
  unsigned char header[FRAME_HEADER] = {(unsigned char)type, 0, 0, 0, (unsigned char)(size >> 24),
                                        (unsigned char)(size >> 16), (unsigned char)(size >> 8), (unsigned char)size};
  buffer_append(out, header, sizeof header);
  buffer_append(out, data, size);
}

void frame_append_exit(struct buffer *out, int exit_code) {
  char text[64];
  int length = snprintf(text, sizeof text, "{\"exitCode\":%d}", exit_code);
  frame_append(out, FRAME_EXIT, text, (size_t)length);
}

int frame_next(const struct buffer *in, size_t *position, unsigned *type, const char **payload, uint32_t *size) {
  if (in->size - *position < FRAME_HEADER) return 0;
  const unsigned char *header = (const unsigned char *)in->data + *position;
  uint32_t length = (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 | header[7];
  if (header[1] != 0 || header[2] != 0 || header[3] != 0 || length > FRAME_PAYLOAD_MAX) return -1;
  if (in->size - *position - FRAME_HEADER < length) return 0;
  *type = header[0];
  *payload = in->data + *position + FRAME_HEADER;
  *size = length;
  *position += FRAME_HEADER + (size_t)length;
  return 1;
}

bool frame_size(const char *payload, uint32_t size, unsigned *rows, unsigned *columns) {
  char text[32];
  uint64_t first, second;
  if (size >= sizeof text) return false;
  memcpy(text, payload, size);
  text[size] = '\0';
  char *blank = strchr(text, ' ');
  if (blank == NULL) return false;
  *blank = '\0';
  if (!parse_unsigned(text, 65535, &first) || !parse_unsigned(blank + 1, 65535, &second)) return false;
  *rows = (unsigned)first;
  *columns = (unsigned)second;
  return true;
}
