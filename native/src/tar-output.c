#include "tar-output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512
/* Small entries are written together. */
#define FLUSH_SIZE (256 * 1024)

static const char zeros[64 * 1024];

/* Fields of a header block (POSIX.1-2001, "ustar Interchange Format"). */
struct header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[8];
  char user[32];
  char group[32];
  char major[8];
  char minor[8];
  char prefix[155];
  char rest[12];
};

_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static int flush(struct tar_output *output) {
  int result = write_all(output->fd, output->buffer.data, output->buffer.size);
  output->buffer.size = 0;
  return result == 0 ? 0 : fail_errno(output->failure, errno, "write the archive");
}

static int append(struct tar_output *output, const void *data, size_t size) {
  buffer_append(&output->buffer, data, size);
  return output->buffer.size < FLUSH_SIZE ? 0 : flush(output);
}

static char type_letter(enum tar_type type) {
  switch (type) {
    case TAR_HARD_LINK:
      return '1';
    case TAR_SYMBOLIC_LINK:
      return '2';
    case TAR_CHARACTER_DEVICE:
      return '3';
    case TAR_BLOCK_DEVICE:
      return '4';
    case TAR_DIRECTORY:
      return '5';
    case TAR_FIFO:
      return '6';
    default:
      return '0';
  }
}

/* The most that fits into a field of octal digits and a NUL. */
static uint64_t field_max(size_t width) {
  return ((uint64_t)1 << (3 * (width - 1))) - 1;
}

/* What does not fit is told by a pax record; the field is 0 then. */
static void put_octal(char *field, size_t width, uint64_t value) {
  if (value > field_max(width)) value = 0;
  field[width - 1] = '\0';
  for (size_t i = width - 1; i > 0; i--, value >>= 3) field[i - 1] = (char)('0' + (value & 7));
}

static void put_checksum(struct header *header) {
  unsigned sum = 0;
  memset(header->checksum, ' ', sizeof header->checksum);
  for (size_t i = 0; i < BLOCK; i++) sum += ((const unsigned char *)header)[i];
  put_octal(header->checksum, 7, sum);
}

/* A text that is too long is cut off: a pax record has it whole. */
static void put_text(char *field, size_t width, const char *text) {
  size_t length = strlen(text);
  memcpy(field, text, length < width ? length : width);
}

/* `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
static void put_record(struct buffer *records, const char *key, const void *value, size_t size) {
  size_t rest = strlen(key) + size + 3, total = rest, digits;
  do {
    digits = (size_t)snprintf(NULL, 0, "%zu", total);
    if (rest + digits == total) break;
    total = rest + digits;
  } while (true);
  buffer_printf(records, "%zu %s=", total, key);
  buffer_append(records, value, size);
  buffer_append(records, "\n", 1);
}

static void put_number(struct buffer *records, const char *key, int64_t value) {
  char text[24];
  int length = snprintf(text, sizeof text, "%lld", (long long)value);
  put_record(records, key, text, (size_t)length);
}

static void put_records(struct buffer *records, const struct tar_entry *entry) {
  const struct header *header = NULL;
  const char *link = entry->link != NULL ? entry->link : "";
  if (strlen(entry->path) > sizeof header->name) put_record(records, "path", entry->path, strlen(entry->path));
  if (strlen(link) > sizeof header->link) put_record(records, "linkpath", link, strlen(link));
  if (entry->size > field_max(sizeof header->size)) put_number(records, "size", (int64_t)entry->size);
  if (entry->uid > field_max(sizeof header->uid)) put_number(records, "uid", entry->uid);
  if (entry->gid > field_max(sizeof header->gid)) put_number(records, "gid", entry->gid);
  if (entry->mtime.tv_sec < 0 || (uint64_t)entry->mtime.tv_sec > field_max(sizeof header->mtime))
    put_number(records, "mtime", entry->mtime.tv_sec);
  for (size_t i = 0; i < entry->xattr_count; i++) {
    char *key = xasprintf("SCHILY.xattr.%s", entry->xattrs[i].name);
    /* Neither can be told from the end of the key. */
    if (strchr(key, '=') == NULL) put_record(records, key, entry->xattrs[i].value, entry->xattrs[i].size);
    free(key);
  }
}

static int put_header(struct tar_output *output, struct header *header) {
  memcpy(header->magic, "ustar\0" "00", 8);
  put_checksum(header);
  return append(output, header, sizeof *header);
}

static unsigned padding_of(uint64_t size) {
  return (unsigned)((BLOCK - size % BLOCK) % BLOCK);
}

static int put_pax(struct tar_output *output, const struct buffer *records) {
  struct header header = {.type = 'x', .name = "PaxHeaders/entry"};
  put_octal(header.mode, sizeof header.mode, 0644);
  put_octal(header.uid, sizeof header.uid, 0);
  put_octal(header.gid, sizeof header.gid, 0);
  put_octal(header.size, sizeof header.size, records->size);
  put_octal(header.mtime, sizeof header.mtime, 0);
  if (put_header(output, &header) != 0 || append(output, records->data, records->size) != 0) return -1;
  return append(output, zeros, padding_of(records->size));
}

static struct timespec within(const struct tar_times *times, struct timespec time) {
  if (times != NULL && time.tv_sec < times->earliest) return (struct timespec){.tv_sec = times->earliest};
  if (times != NULL && time.tv_sec >= times->latest) return (struct timespec){.tv_sec = times->latest};
  return time;
}

int tar_output_entry(struct tar_output *output, const struct tar_entry *given) {
  struct tar_entry own = *given, *entry = &own;
  own.mtime = within(output->times, given->mtime);
  struct header header = {.type = type_letter(entry->type)};
  struct buffer records = {0};
  bool device = entry->type == TAR_CHARACTER_DEVICE || entry->type == TAR_BLOCK_DEVICE;
  put_records(&records, entry);
  int result = records.size > 0 ? put_pax(output, &records) : 0;
  buffer_free(&records);
  if (result != 0) return -1;
  put_text(header.name, sizeof header.name, entry->path);
  put_octal(header.mode, sizeof header.mode, entry->mode);
  put_octal(header.uid, sizeof header.uid, entry->uid);
  put_octal(header.gid, sizeof header.gid, entry->gid);
  put_octal(header.size, sizeof header.size, entry->size);
  put_octal(header.mtime, sizeof header.mtime, entry->mtime.tv_sec < 0 ? 0 : (uint64_t)entry->mtime.tv_sec);
  if (entry->link != NULL) put_text(header.link, sizeof header.link, entry->link);
  put_octal(header.major, sizeof header.major, device ? entry->major : 0);
  put_octal(header.minor, sizeof header.minor, device ? entry->minor : 0);
  output->left = entry->size;
  output->padding = padding_of(entry->size);
  return put_header(output, &header);
}

/* After the last byte of an entry. */
static int pad(struct tar_output *output) {
  if (output->left > 0 || output->padding == 0) return 0;
  unsigned size = output->padding;
  output->padding = 0;
  return append(output, zeros, size);
}

int tar_output_data(struct tar_output *output, const void *data, size_t size) {
  output->left -= size;
  return append(output, data, size) == 0 ? pad(output) : -1;
}

int tar_output_zeros(struct tar_output *output, uint64_t size) {
  while (size > 0) {
    size_t part = size < sizeof zeros ? (size_t)size : sizeof zeros;
    if (tar_output_data(output, zeros, part) != 0) return -1;
    size -= part;
  }
  return 0;
}

int tar_output_end(struct tar_output *output) {
  return append(output, zeros, (size_t)2 * BLOCK) == 0 ? flush(output) : -1;
}

void tar_output_free(struct tar_output *output) {
  buffer_free(&output->buffer);
}
