#include "stream.h"

#ifndef BUILD_ID
#error "BUILD_ID is given by the Makefile: 32 hex digits"
#endif

_Static_assert(sizeof(BUILD_ID) == 33, "BUILD_ID has 32 hex digits");

const char build_id[33] = BUILD_ID;
