/* Text in the forms that records, logs and events share. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <time.h>

#define TIME_TEXT_SIZE 40

/* RFC 3339, UTC, nanoseconds: `2026-01-02T03:04:05.000000006Z`. */
void time_text(char text[TIME_TEXT_SIZE], struct timespec time);
struct timespec time_now(void);
/* Length of the well-formed UTF-8 sequence at the start (RFC 3629), 0 where there is none. `size` is at least 1. */
size_t utf8_length(const unsigned char *text, size_t size);
/* The machine's boot id, without the line feed. */
const char *boot_id(void);

#endif
