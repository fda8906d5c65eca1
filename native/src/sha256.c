#include "sha256.h"

#include <stdio.h>
#include <string.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t value, unsigned bits) {
  return value >> bits | value << (32 - bits);
}

static uint32_t word_at(const unsigned char *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The message schedule, in a ring of 16 words. */
static uint32_t next_word(uint32_t words[16], unsigned i) {
  uint32_t low = words[(i + 1) & 15], high = words[(i + 14) & 15];
  return words[i & 15] += (rotate(low, 7) ^ rotate(low, 18) ^ low >> 3) + words[(i + 9) & 15] +
                          (rotate(high, 17) ^ rotate(high, 19) ^ high >> 10);
}

/* One round: the eight values take turns instead of being moved. */
#define ROUND(a, b, c, d, e, f, g, h, i, word)                                                              \
  do {                                                                                                      \
    uint32_t first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + constants[i] + (word); \
    d += first;                                                                                             \
    h = first + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));                  \
  } while (0)

#define ROUNDS(i, word)                                     \
  do {                                                      \
    ROUND(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], (i) + 0, word((i) + 0)); \
    ROUND(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], (i) + 1, word((i) + 1)); \
    ROUND(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], (i) + 2, word((i) + 2)); \
    ROUND(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], (i) + 3, word((i) + 3)); \
    ROUND(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], (i) + 4, word((i) + 4)); \
    ROUND(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], (i) + 5, word((i) + 5)); \
    ROUND(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], (i) + 6, word((i) + 6)); \
    ROUND(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], (i) + 7, word((i) + 7)); \
  } while (0)

#define GIVEN(i) (words[i] = word_at(block + 4 * (i)))
#define DERIVED(i) next_word(words, i)

/* Speed matters here, unlike elsewhere: trees of hundreds of megabytes are hashed. clang, which makes the fuzz targets, does not
   know the attribute. */
#ifdef __clang__
#define FAST
#else
#define FAST __attribute__((optimize("O2")))
#endif

FAST static void mix(struct sha256 *hash, const unsigned char *block) {
  uint32_t words[16], s[8];
  memcpy(s, hash->state, sizeof s);
  ROUNDS(0, GIVEN);
  ROUNDS(8, GIVEN);
  for (unsigned i = 16; i < 64; i += 8) ROUNDS(i, DERIVED);
  for (unsigned i = 0; i < 8; i++) hash->state[i] += s[i];
}

void sha256_begin(struct sha256 *hash) {
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(hash->state, start, sizeof start);
  hash->size = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t size) {
  const unsigned char *bytes = data;
  size_t held = hash->size % 64;
  hash->size += size;
  if (held > 0) {
    size_t part = size < 64 - held ? size : 64 - held;
    memcpy(hash->block + held, bytes, part);
    bytes += part;
    size -= part;
    if (held + part < 64) return;
    mix(hash, hash->block);
  }
  for (; size >= 64; bytes += 64, size -= 64) mix(hash, bytes);
  memcpy(hash->block, bytes, size);
}

void sha256_end(struct sha256 *hash, char hex[65]) {
  unsigned char padding[72] = {0x80};
  uint64_t bits = hash->size * 8;
  size_t count = (hash->size % 64 < 56 ? 56 : 120) - hash->size % 64;
  for (unsigned i = 0; i < 8; i++) padding[count + i] = (unsigned char)(bits >> (56 - 8 * i));
  sha256_add(hash, padding, count + 8);
  for (unsigned i = 0; i < 8; i++) snprintf(hex + 8 * i, 9, "%08x", hash->state[i]);
}
