#include "tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tar-number.h"
#include "tar-reader.h"

struct tar_reader *tar_open(tar_source source, void *context) {
  struct tar_reader *reader = xcalloc(1, sizeof *reader);
  reader->source = source;
  reader->context = context;
  reader->buffer = xmalloc(BUFFER_SIZE);
  return reader;
}

static void forget_entry(struct tar_reader *reader) {
  pax_free(&reader->pax);
  free(reader->path);
  free(reader->link);
  free(reader->segments);
  reader->path = NULL;
  reader->link = NULL;
  reader->segments = NULL;
  reader->segment_count = 0;
}

void tar_close(struct tar_reader *reader) {
  forget_entry(reader);
  pax_free(&reader->global);
  free(reader->buffer);
  free(reader);
}

int tar_broken(struct failure *failure, const char *reason) {
  return fail_kind(failure, KIND_INVALID, reason, "archive");
}

int tar_fill(struct tar_reader *reader, size_t size, struct failure *failure) {
  if (reader->end - reader->start >= size) return 1;
  if (BUFFER_SIZE - reader->start < size) {
    memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
  }
  while (reader->end - reader->start < size) {
    ssize_t count = reader->source(reader->context, reader->buffer + reader->end, BUFFER_SIZE - reader->end);
    if (count < 0) return fail_errno(failure, errno, "archive");
    if (count == 0) return 0;
    reader->end += (size_t)count;
  }
  return 1;
}

ssize_t tar_data(struct tar_reader *reader, const char **data, struct failure *failure) {
  if (reader->remaining == 0) return 0;
  if (reader->start == reader->end) reader->start = reader->end = 0;
  int filled = tar_fill(reader, 1, failure);
  if (filled < 0) return -1;
  if (filled == 0) return tar_broken(failure, "it is cut off");
  size_t available = reader->end - reader->start;
  size_t size = available < reader->remaining ? available : (size_t)reader->remaining;
  *data = reader->buffer + reader->start;
  reader->start += size;
  reader->remaining -= size;
  return (ssize_t)size;
}

static int skip_rest(struct tar_reader *reader, struct failure *failure) {
  const char *data;
  ssize_t count;
  reader->remaining += reader->padding;
  reader->padding = 0;
  do count = tar_data(reader, &data, failure);
  while (count > 0);
  return count < 0 ? -1 : 0;
}

static void expect_data(struct tar_reader *reader, uint64_t size) {
  reader->remaining = size;
  reader->padding = (unsigned)(-size & (BLOCK - 1));
}

/* The whole data of an extended header, with a NUL; NULL with the failure. */
static char *read_extended(struct tar_reader *reader, uint64_t size, struct failure *failure) {
  struct buffer content = {0};
  const char *data;
  ssize_t count;
  if (size > EXTENDED_MAX) {
    tar_broken(failure, "an extended header is too long");
    return NULL;
  }
  expect_data(reader, size);
  buffer_reserve(&content, 1);
  while ((count = tar_data(reader, &data, failure)) > 0) buffer_append(&content, data, (size_t)count);
  if (count < 0 || skip_rest(reader, failure) != 0) {
    buffer_free(&content);
    return NULL;
  }
  buffer_append(&content, "", 1);
  return content.data;
}

static bool is_zero(const char *block) {
  for (int i = 0; i < BLOCK; i++)
    if (block[i] != '\0') return false;
  return true;
}

/* Some old programs added up signed characters. */
static bool checksum_fits(const char *block) {
  int64_t expected = 0, plain = 0, with_sign = 0;
  if (!tar_number(block + 148, 8, &expected)) return false;
  for (int i = 0; i < BLOCK; i++) {
    char byte = i >= 148 && i < 156 ? ' ' : block[i];
    plain += (unsigned char)byte;
    with_sign += (signed char)byte;
  }
  return expected == plain || expected == with_sign;
}

/* A header block. 1, 0 at the end of the archive, -1. */
static int read_header(struct tar_reader *reader, char block[BLOCK], struct failure *failure) {
  int filled = tar_fill(reader, BLOCK, failure);
  if (filled < 0) return -1;
  if (filled == 0) return reader->start == reader->end ? 0 : tar_broken(failure, "it is cut off");
  memcpy(block, reader->buffer + reader->start, BLOCK);
  reader->start += BLOCK;
  /* One block of zeros is enough: many archives have only one. */
  if (is_zero(block)) return 0;
  if (!checksum_fits(block)) return tar_broken(failure, "a header is damaged (its checksum does not fit)");
  return 1;
}

static char *header_path(const char *block) {
  char text[257];
  size_t name = strnlen(block, 100);
  /* The prefix is ustar's; GNU tar keeps other things there. */
  if (memcmp(block + 257, "ustar\0", 6) == 0 && block[345] != '\0') {
    size_t prefix = strnlen(block + 345, memcmp(block + 508, "tar\0", 4) == 0 ? 131 : 155);
    memcpy(text, block + 345, prefix);
    text[prefix] = '/';
    memcpy(text + prefix + 1, block, name);
    return xmemdup0(text, prefix + 1 + name);
  }
  return xmemdup0(block, name);
}

static int choose_type(char flag, const char *path, enum tar_type *type, struct failure *failure) {
  size_t length = strlen(path);
  char reason[64] = "has an entry of unknown type ' '";
  switch (flag) {
    case '\0':
    case '0':
    case '7':
    case 'S':
      /* Before directories had a type of their own, a slash at the end said it. */
      *type = length > 0 && path[length - 1] == '/' && flag != 'S' ? TAR_DIRECTORY : TAR_FILE;
      return 0;
    case '1':
      *type = TAR_HARD_LINK;
      return 0;
    case '2':
      *type = TAR_SYMBOLIC_LINK;
      return 0;
    case '3':
      *type = TAR_CHARACTER_DEVICE;
      return 0;
    case '4':
      *type = TAR_BLOCK_DEVICE;
      return 0;
    case '5':
    case 'D':
      *type = TAR_DIRECTORY;
      return 0;
    case '6':
      *type = TAR_FIFO;
      return 0;
    default:
      reason[30] = flag;
      return fail_kind(failure, KIND_UNSUPPORTED, reason, "archive");
  }
}

static bool header_number(const char *block, unsigned offset, unsigned size, int64_t maximum, int64_t *out) {
  return tar_number(block + offset, size, out) && *out >= 0 && *out <= maximum;
}

static int choose_names(struct tar_reader *reader, const char *block, char *long_name, char *long_link,
                        struct failure *failure) {
  struct pax *pax = &reader->pax;
  const char *path = pax->sparse_name != NULL ? pax->sparse_name : pax->path;
  const char *link = pax->link != NULL ? pax->link : long_link;
  if (path == NULL) path = long_name;
  reader->path = path != NULL ? xstrdup(path) : header_path(block);
  reader->link = link != NULL ? xstrdup(link) : xmemdup0(block + 157, strnlen(block + 157, 100));
  if (strlen(reader->path) > TAR_NAME_MAX || strlen(reader->link) > TAR_NAME_MAX)
    return tar_broken(failure, "a name is longer than 4095 bytes");
  return 0;
}

static int read_entry(struct tar_reader *reader, const char *block, struct tar_entry *entry, struct failure *failure) {
  const struct pax *pax = &reader->pax;
  int64_t mode = 0, uid = 0, gid = 0, size = 0, mtime = 0, major = 0, minor = 0;
  memset(entry, 0, sizeof *entry);
  if (choose_type(block[156], reader->path, &entry->type, failure) != 0) return -1;
  /* Where an extended header has the value, the field may hold anything. */
  bool fits = tar_number(block + 100, 8, &mode);
  fits = (pax->has_uid || header_number(block, 108, 8, UINT32_MAX - 1, &uid)) && fits;
  fits = (pax->has_gid || header_number(block, 116, 8, UINT32_MAX - 1, &gid)) && fits;
  fits = (pax->has_size || header_number(block, 124, 12, INT64_MAX - BLOCK, &size)) && fits;
  fits = (pax->has_mtime || tar_number(block + 136, 12, &mtime)) && fits;
  if (entry->type == TAR_CHARACTER_DEVICE || entry->type == TAR_BLOCK_DEVICE)
    fits = header_number(block, 329, 8, UINT32_MAX, &major) && header_number(block, 337, 8, UINT32_MAX, &minor) && fits;
  if (pax->has_uid) uid = pax->uid;
  if (pax->has_gid) gid = pax->gid;
  if (pax->has_size) size = pax->size;
  if (!fits || uid >= UINT32_MAX || gid >= UINT32_MAX || size > INT64_MAX - BLOCK)
    return tar_broken(failure, "a header holds a number that cannot be");
  entry->path = reader->path;
  entry->link = reader->link;
  entry->mode = (unsigned)mode & 07777;
  entry->uid = (uint32_t)uid;
  entry->gid = (uint32_t)gid;
  entry->mtime = pax->has_mtime ? pax->mtime : (struct timespec){.tv_sec = (time_t)mtime};
  entry->major = (unsigned)major;
  entry->minor = (unsigned)minor;
  entry->xattrs = pax->xattrs;
  entry->xattr_count = pax->xattr_count;
  entry->size = entry->type == TAR_FILE ? (uint64_t)size : 0;
  /* Headers of links, directories and devices may state a size without any data following. */
  bool has_data = entry->type == TAR_FILE || block[156] == 'D';
  if (block[156] == 'S' && tar_sparse_old(reader, block, entry, failure) != 0) return -1;
  expect_data(reader, has_data ? (uint64_t)size : 0);
  if (block[156] != 'S' && entry->type == TAR_FILE && tar_sparse_pax(reader, (uint64_t)size, entry, failure) != 0)
    return -1;
  return entry->sparse ? tar_sparse_check(reader, entry, failure) : 0;
}

/* Extended headers that stand before an entry, then the entry. `names[0]`: path, `names[1]`: link, of GNU's kind. */
static int read_headers(struct tar_reader *reader, struct tar_entry *entry, char *names[2], struct failure *failure) {
  char block[BLOCK];
  bool extended = false;
  for (;;) {
    int64_t size = 0;
    int found = read_header(reader, block, failure);
    if (found == 0 && extended) return tar_broken(failure, "it is cut off");
    if (found <= 0) return found;
    char flag = block[156];
    if (flag != 'x' && flag != 'g' && flag != 'L' && flag != 'K' && flag != 'V') break;
    if (!header_number(block, 124, 12, EXTENDED_MAX, &size)) return tar_broken(failure, "an extended header is too long");
    char *content = read_extended(reader, (uint64_t)size, failure);
    const char *reason = NULL;
    if (content == NULL) return -1;
    if (flag == 'x' || flag == 'g') {
      if (pax_read(flag == 'g' ? &reader->global : &reader->pax, content, (size_t)size, &reason) != 0) {
        free(content);
        return tar_broken(failure, reason);
      }
      if (flag == 'g') {
        pax_free(&reader->pax);
        pax_copy(&reader->pax, &reader->global);
      }
    }
    extended = extended || (flag != 'g' && flag != 'V');
    if (flag == 'L' || flag == 'K') {
      free(names[flag == 'K']);
      names[flag == 'K'] = content;
    } else {
      free(content);
    }
  }
  if (choose_names(reader, block, names[0], names[1], failure) != 0) return -1;
  return read_entry(reader, block, entry, failure) == 0 ? 1 : -1;
}

int tar_next(struct tar_reader *reader, struct tar_entry *entry, struct failure *failure) {
  char *names[2] = {NULL, NULL};
  if (reader->ended) return 0;
  if (skip_rest(reader, failure) != 0) return -1;
  forget_entry(reader);
  pax_copy(&reader->pax, &reader->global);
  int result = read_headers(reader, entry, names, failure);
  free(names[0]);
  free(names[1]);
  reader->ended = result <= 0;
  return result;
}

int tar_drain(struct tar_reader *reader, struct failure *failure) {
  for (;;) {
    reader->start = reader->end = 0;
    int filled = tar_fill(reader, BUFFER_SIZE, failure);
    if (filled <= 0) return filled;
  }
}
