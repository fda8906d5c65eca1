/* The names of a container's networks, read from the directories of name files (docs/native.md, "Network child"). */
#ifndef DNS_NAMES_H
#define DNS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "network-child.h"

/** What is read at most: bytes of one file, and of all files of one network. */
enum { NAMES_FILE_MAX = 16384, NAMES_TOTAL_MAX = 1 << 20 };

struct names {
  int directory;     /* descriptor */
  char network[256]; /* lower-case */
  const struct network_child_link *links; /* asked for before all others; the caller's */
  size_t link_count;
  /* The cache: records of a file each, one behind the other. */
  uint8_t *records;
  size_t size;
  size_t room;
  struct timespec read_when; /* CLOCK_REALTIME, before reading */
  struct timespec modified;  /* the directory's modification time then */
  bool valid;
};

struct names_addresses {
  const uint8_t *list[512]; /* into the cache: valid until the next lookup */
  size_t count;
  bool known; /* the name exists, though perhaps without an address of this kind */
};

/** Takes over the directory descriptor. */
void names_open(struct names *names, const char *network, int directory);

/** Collects the addresses of `size` 4 or 16 of a lower-case name, given alone or followed by `.network`. */
void names_lookup(struct names *names, const char *asked, size_t size, struct names_addresses *found);

/** The first name of the container that has this address, or NULL. Valid until the next lookup. */
const char *names_reverse(struct names *names, const uint8_t *address, size_t size);

/** Parses the text of one name file and appends its record; false: nothing usable in it. For tests and fuzzing. */
bool names_parse(struct names *names, const char *text, size_t size);

#endif
