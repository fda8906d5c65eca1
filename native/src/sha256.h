/* SHA-256 (FIPS 180-4) of a run of bytes. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
  uint32_t state[8];
  uint64_t size;
  unsigned char block[64];
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
/* 64 hex digits and a NUL. */
void sha256_end(struct sha256 *hash, char hex[65]);

#endif
