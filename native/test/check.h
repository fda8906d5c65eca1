/* What the tests written in C say when something does not hold. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                       \
    }                                                                                \
  } while (0)

#define CHECK_TEXT(found, expected)                                                                    \
  do {                                                                                                 \
    const char *found_ = (found), *expected_ = (expected);                                             \
    if (strcmp(found_, expected_) != 0) {                                                              \
      fprintf(stderr, "%s:%d: found %s, expected %s\n", __FILE__, __LINE__, found_, expected_);         \
      exit(1);                                                                                         \
    }                                                                                                  \
  } while (0)

#endif
