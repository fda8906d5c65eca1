/* Numbers as tar headers and pax records write them. */
#ifndef TAR_NUMBER_H
#define TAR_NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* A header field: octal digits between blanks and NULs (empty: 0), or base-256 with the high bit set (GNU). */
bool tar_number(const char *field, unsigned size, int64_t *out);
/* `seconds[.fraction]`, the fraction cut to nanoseconds; a negative time is rounded down. */
bool tar_time(const char *text, struct timespec *out);

#endif
