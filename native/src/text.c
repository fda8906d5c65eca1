#include "text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

void time_text(char text[TIME_TEXT_SIZE], struct timespec time) {
  struct tm parts;
  gmtime_r(&time.tv_sec, &parts);
  size_t length = strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + length, TIME_TEXT_SIZE - length, ".%09ldZ", time.tv_nsec);
}

struct timespec time_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

size_t utf8_length(const unsigned char *text, size_t size) {
  if (text[0] < 0x80) return 1;
  size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
  if (text[0] < 0xc2 || text[0] > 0xf4 || length > size) return 0;
  for (size_t i = 1; i < length; i++)
    if ((text[i] & 0xc0) != 0x80) return 0;
  if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f)) return 0;
  if ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f)) return 0;
  return length;
}

const char *boot_id(void) {
  static char id[64];
  struct buffer text = {0};
  if (id[0] == '\0' && read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 63, &text) == 0) {
    memcpy(id, text.data, text.size);
    id[strcspn(id, "\n")] = '\0';
  }
  buffer_free(&text);
  return id;
}
