#include "tar-pax.h"

#include <stdlib.h>
#include <string.h>

#include "tar-number.h"

/* Far above what any file system keeps (XATTR_SIZE_MAX is 64 KiB), and small enough for memory. */
#define XATTR_BYTES_MAX (2u * 1024 * 1024)
#define XATTR_COUNT_MAX 1024
#define SEGMENTS_MAX (1u << 20)

void pax_free(struct pax *pax) {
  for (size_t i = 0; i < pax->xattr_count; i++) {
    free(pax->xattrs[i].name);
    free(pax->xattrs[i].value);
  }
  free(pax->xattrs);
  free(pax->path);
  free(pax->link);
  free(pax->sparse_name);
  free(pax->segments);
  memset(pax, 0, sizeof *pax);
}

static int add_xattr(struct pax *pax, const char *name, const void *value, size_t size) {
  struct tar_xattr *at = NULL;
  for (size_t i = 0; i < pax->xattr_count; i++)
    if (strcmp(pax->xattrs[i].name, name) == 0) at = &pax->xattrs[i];
  pax->xattr_bytes += size;
  if (pax->xattr_bytes > XATTR_BYTES_MAX) return -1;
  if (at == NULL) {
    if (pax->xattr_count == XATTR_COUNT_MAX) return -1;
    pax->xattrs = xrealloc(pax->xattrs, (pax->xattr_count + 1) * sizeof *pax->xattrs);
    at = &pax->xattrs[pax->xattr_count++];
    at->name = xstrdup(name);
  } else {
    free(at->value);
  }
  at->value = xmemdup0(value, size);
  at->size = size;
  return 0;
}

void pax_copy(struct pax *to, const struct pax *from) {
  *to = *from;
  to->path = from->path != NULL ? xstrdup(from->path) : NULL;
  to->link = from->link != NULL ? xstrdup(from->link) : NULL;
  to->sparse_name = from->sparse_name != NULL ? xstrdup(from->sparse_name) : NULL;
  /* A map belongs to one file, its first half too. */
  to->segments = NULL;
  to->segment_count = 0;
  to->half_segment = to->sparse_map = false;
  to->xattrs = NULL;
  to->xattr_count = 0;
  to->xattr_bytes = 0;
  for (size_t i = 0; i < from->xattr_count; i++)
    add_xattr(to, from->xattrs[i].name, from->xattrs[i].value, from->xattrs[i].size);
}

bool segments_add(struct tar_segment **segments, size_t *count, uint64_t offset, uint64_t size) {
  uint64_t before = *count > 0 ? (*segments)[*count - 1].offset + (*segments)[*count - 1].size : 0;
  if (offset < before || offset > INT64_MAX || size > INT64_MAX - offset || *count == SEGMENTS_MAX) return false;
  /* Doubling: the capacity is the next power of two. */
  if ((*count & (*count - 1)) == 0) *segments = xrealloc(*segments, (*count > 0 ? *count * 2 : 1) * sizeof **segments);
  (*segments)[(*count)++] = (struct tar_segment){.offset = offset, .size = size};
  return true;
}

/* `offset,size,offset,size`: format 0.1 */
static int read_map(struct pax *pax, const char *text) {
  uint64_t numbers[2];
  pax->sparse_map = true;
  while (*text != '\0') {
    for (int i = 0; i < 2; i++) {
      char digits[24];
      size_t length = strcspn(text, ",");
      if (length == 0 || length >= sizeof digits) return -1;
      memcpy(digits, text, length);
      digits[length] = '\0';
      if (!parse_unsigned(digits, INT64_MAX, &numbers[i])) return -1;
      text += length;
      if (*text == ',') text++;
      else if (i == 0) return -1;
    }
    if (!segments_add(&pax->segments, &pax->segment_count, numbers[0], numbers[1])) return -1;
  }
  return 0;
}

/* One record a number, in pairs: format 0.0 */
static int read_sparse_pair(struct pax *pax, bool is_offset, const char *text) {
  uint64_t number = 0;
  if (!parse_unsigned(text, INT64_MAX, &number) || is_offset == pax->half_segment) return -1;
  pax->sparse_map = true;
  pax->half_segment = is_offset;
  if (is_offset) return segments_add(&pax->segments, &pax->segment_count, number, 0) ? 0 : -1;
  struct tar_segment *last = &pax->segments[pax->segment_count - 1];
  if (number > INT64_MAX - last->offset) return -1;
  last->size = number;
  return 0;
}

static int read_sparse(struct pax *pax, const char *key, const char *text) {
  if (strcmp(key, "map") == 0) return read_map(pax, text);
  if (strcmp(key, "offset") == 0) return read_sparse_pair(pax, true, text);
  if (strcmp(key, "numbytes") == 0) return read_sparse_pair(pax, false, text);
  if (strcmp(key, "major") == 0) return parse_signed(text, 0, 1, &pax->sparse_major) ? 0 : -1;
  if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0) {
    pax->has_real_size = true;
    return parse_signed(text, 0, INT64_MAX, &pax->real_size) ? 0 : -1;
  }
  if (strcmp(key, "name") == 0) {
    free(pax->sparse_name);
    pax->sparse_name = xstrdup(text);
  }
  return 0;
}

static int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/* Names with %XX, as libarchive writes them; in place. */
static void decode_percent(char *text) {
  char *out = text;
  for (; *text != '\0'; text++) {
    if (text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0) {
      *out++ = (char)(hex_value(text[1]) << 4 | hex_value(text[2]));
      text += 2;
    } else {
      *out++ = *text;
    }
  }
  *out = '\0';
}

static int base64_value(char digit) {
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

static int add_libarchive_xattr(struct pax *pax, const char *encoded_name, const char *text, size_t size) {
  char *name = xstrdup(encoded_name);
  char *value = xmalloc(size + 1);
  size_t length = 0;
  unsigned bits = 0, have = 0;
  int result = 0;
  decode_percent(name);
  while (size > 0 && text[size - 1] == '=') size--;
  for (size_t i = 0; i < size && result == 0; i++) {
    int digit = base64_value(text[i]);
    if (digit < 0) result = -1;
    bits = bits << 6 | (unsigned)(digit & 63);
    have += 6;
    if (have >= 8) {
      have -= 8;
      value[length++] = (char)(bits >> have & 0xff);
    }
  }
  if (result == 0) result = add_xattr(pax, name, value, length);
  free(name);
  free(value);
  return result;
}

static int set_text(char **member, const char *value, size_t size) {
  if (strlen(value) != size) return -1;
  free(*member);
  *member = size > 0 ? xstrdup(value) : NULL;
  return 0;
}

static int set_number(bool *has, int64_t *member, const char *value) {
  *has = *value != '\0';
  return *has && !parse_signed(value, 0, INT64_MAX, member) ? -1 : 0;
}

/* `value` has a NUL after it. An empty value takes back what a global header said. */
static int apply(struct pax *pax, const char *key, const char *value, size_t size) {
  if (strcmp(key, "path") == 0) return set_text(&pax->path, value, size);
  if (strcmp(key, "linkpath") == 0) return set_text(&pax->link, value, size);
  if (strcmp(key, "size") == 0) return set_number(&pax->has_size, &pax->size, value);
  if (strcmp(key, "uid") == 0) return set_number(&pax->has_uid, &pax->uid, value);
  if (strcmp(key, "gid") == 0) return set_number(&pax->has_gid, &pax->gid, value);
  if (strcmp(key, "mtime") == 0) {
    pax->has_mtime = size > 0;
    return size == 0 || tar_time(value, &pax->mtime) ? 0 : -1;
  }
  if (strncmp(key, "SCHILY.xattr.", 13) == 0) return add_xattr(pax, key + 13, value, size);
  if (strncmp(key, "LIBARCHIVE.xattr.", 17) == 0) return add_libarchive_xattr(pax, key + 17, value, size);
  if (strncmp(key, "GNU.sparse.", 11) == 0) return strlen(value) == size ? read_sparse(pax, key + 11, value) : -1;
  return 0;
}

/* One record at the start of `data`; answers its length, 0 when it is malformed. */
static size_t read_one(struct pax *pax, const char *data, size_t size, const char **reason) {
  size_t length = 0, digits = 0;
  *reason = "malformed extended header";
  while (digits < size && digits < 9 && data[digits] >= '0' && data[digits] <= '9')
    length = length * 10 + (size_t)(data[digits++] - '0');
  if (digits == 0 || digits == size || data[digits] != ' ' || length <= digits + 3 || length > size) return 0;
  if (data[length - 1] != '\n') return 0;
  char *record = xmemdup0(data + digits + 1, length - digits - 2);
  size_t text = length - digits - 2;
  char *equals = memchr(record, '=', text);
  size_t result = 0;
  if (equals != NULL && equals != record) {
    *equals = '\0';
    *reason = "an extended header has a value that cannot be";
    if (apply(pax, record, equals + 1, text - (size_t)(equals + 1 - record)) == 0) result = length;
  }
  free(record);
  return result;
}

int pax_read(struct pax *pax, const char *data, size_t size, const char **reason) {
  while (size > 0) {
    size_t length = read_one(pax, data, size, reason);
    if (length == 0) return -1;
    data += length;
    size -= length;
  }
  return 0;
}
