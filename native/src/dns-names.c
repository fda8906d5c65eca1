#include "dns-names.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A record: u32 size of it · u16 number of IPv4 addresses · u16 number of IPv6 addresses · the addresses · names in
 * lower case, each with a NUL, and a NUL at the end.
 */
struct record {
  uint32_t size;
  uint16_t v4, v6;
};

enum { MAX_ADDRESSES = 64 };

void names_open(struct names *names, const char *network, int directory) {
  *names = (struct names){.directory = directory};
  for (size_t i = 0; network[i] != '\0' && i < sizeof names->network - 1; i++)
    names->network[i] = network[i] >= 'A' && network[i] <= 'Z' ? (char)(network[i] + 32) : network[i];
}

static bool reserve(struct names *names, size_t more) {
  if (names->size + more <= names->room)
    return true;
  size_t room = names->room == 0 ? 1024 : names->room;
  while (room < names->size + more)
    room *= 2;
  uint8_t *records = room > NAMES_TOTAL_MAX ? NULL : realloc(names->records, room);
  if (records == NULL)
    return false;
  names->records = records;
  names->room = room;
  return true;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next word of the text; NULL at its end. */
static const char *next_word(const char **rest, const char *end, size_t *length) {
  const char *start = *rest;
  while (start < end && is_blank(*start))
    start++;
  const char *stop = start;
  while (stop < end && !is_blank(*stop))
    stop++;
  *rest = stop;
  *length = (size_t)(stop - start);
  return stop > start ? start : NULL;
}

bool names_parse(struct names *names, const char *text, size_t size) {
  uint8_t v4[MAX_ADDRESSES][4], v6[MAX_ADDRESSES][16];
  struct record record = {0};
  const char *word, *rest = text, *end = text + size;
  size_t length;
  while ((word = next_word(&rest, end, &length)) != NULL && !(length == 1 && *word == '|')) {
    char address[INET6_ADDRSTRLEN];
    if (length >= sizeof address)
      return false;
    memcpy(address, word, length);
    address[length] = '\0';
    if (record.v4 < MAX_ADDRESSES && inet_pton(AF_INET, address, v4[record.v4]) == 1)
      record.v4++;
    else if (record.v6 < MAX_ADDRESSES && inet_pton(AF_INET6, address, v6[record.v6]) == 1)
      record.v6++;
    else
      return false;
  }
  if (word == NULL)
    return false;
  size_t most = sizeof record + 4u * record.v4 + 16u * record.v6 + (size_t)(end - rest) + 8;
  if (!reserve(names, most))
    return false;
  uint8_t *start = names->records + names->size, *out = start + sizeof record;
  memcpy(out, v4, 4u * record.v4);
  out += 4u * record.v4;
  memcpy(out, v6, 16u * record.v6);
  out += 16u * record.v6;
  uint8_t *first_name = out;
  while ((word = next_word(&rest, end, &length)) != NULL) {
    if (memchr(word, '\0', length) != NULL)
      continue;
    for (size_t i = 0; i < length; i++)
      *out++ = (uint8_t)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] + 32 : word[i]);
    *out++ = '\0';
  }
  if (out == first_name)
    return false;
  *out++ = '\0';
  record.size = (uint32_t)((out - start + 3) & ~3);
  memcpy(start, &record, sizeof record);
  names->size += record.size;
  return true;
}

static void read_file(struct names *names, const char *file) {
  char text[NAMES_FILE_MAX];
  int fd = openat(names->directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return;
  struct stat status;
  size_t size = 0;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= NAMES_FILE_MAX) {
    ssize_t count;
    while (size < sizeof text && (count = read(fd, text + size, sizeof text - size)) > 0)
      size += (size_t)count;
  }
  close(fd);
  if (size > 0)
    names_parse(names, text, size);
}

static void read_directory(struct names *names) {
  struct entry { /* struct linux_dirent64 */
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
  };
  _Alignas(struct entry) char buffer[4096];
  long count;
  if (lseek(names->directory, 0, SEEK_SET) != 0)
    return;
  while ((count = syscall(SYS_getdents64, names->directory, buffer, sizeof buffer)) > 0) {
    for (long offset = 0; offset < count;) {
      const struct entry *entry = (const struct entry *)(const void *)(buffer + offset);
      if (entry->name[0] != '.')
        read_file(names, entry->name);
      offset += entry->length;
    }
  }
}

static int64_t nanoseconds(struct timespec time) {
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/*
 * Reads the directory again where it changed. Its modification time moves in ticks (up to 10 ms): a reading that
 * began in the same tick as the last change may have missed one, so it counts only for later questions.
 */
static void refresh(struct names *names) {
  struct stat status;
  if (fstat(names->directory, &status) != 0)
    return;
  bool same = nanoseconds(status.st_mtim) == nanoseconds(names->modified);
  if (names->valid && same && nanoseconds(names->read_when) - nanoseconds(names->modified) > 50000000)
    return;
  clock_gettime(CLOCK_REALTIME, &names->read_when);
  names->modified = status.st_mtim;
  names->size = 0;
  names->valid = true;
  read_directory(names);
}

/* True where `name` is `own`, or `own.network`. */
static bool same_name(const struct names *names, const char *name, const char *own) {
  size_t length = strlen(own);
  if (strncmp(name, own, length) != 0)
    return false;
  return name[length] == '\0' || (name[length] == '.' && strcmp(name + length + 1, names->network) == 0);
}

static const struct record *record_at(const struct names *names, size_t offset, const uint8_t **data) {
  *data = names->records + offset + sizeof(struct record);
  return (const struct record *)(const void *)(names->records + offset);
}

static const char *record_names(const struct record *record, const uint8_t *data) {
  return (const char *)data + 4u * record->v4 + 16u * record->v6;
}

/* What a link of the container stands for, or the name itself. */
static const char *linked_name(const struct names *names, const char *name) {
  for (size_t i = 0; i < names->link_count; i++)
    if (strcmp(names->links[i].alias, name) == 0)
      return names->links[i].name;
  return name;
}

void names_lookup(struct names *names, const char *asked, size_t size, struct names_addresses *found) {
  const char *name = linked_name(names, asked);
  found->count = 0;
  found->known = false;
  refresh(names);
  const uint8_t *data;
  const struct record *record;
  for (size_t offset = 0; offset < names->size; offset += record->size) {
    record = record_at(names, offset, &data);
    const char *own = record_names(record, data);
    while (*own != '\0' && !same_name(names, name, own))
      own += strlen(own) + 1;
    if (*own == '\0')
      continue;
    found->known = true;
    size_t count = size == 4 ? record->v4 : size == 16 ? record->v6 : 0;
    const uint8_t *address = data + (size == 16 ? 4u * record->v4 : 0);
    for (size_t i = 0; i < count && found->count < sizeof found->list / sizeof found->list[0]; i++)
      found->list[found->count++] = address + i * size;
  }
}

const char *names_reverse(struct names *names, const uint8_t *address, size_t size) {
  refresh(names);
  const uint8_t *data;
  const struct record *record;
  for (size_t offset = 0; offset < names->size; offset += record->size) {
    record = record_at(names, offset, &data);
    size_t count = size == 4 ? record->v4 : record->v6;
    const uint8_t *own = data + (size == 16 ? 4u * record->v4 : 0);
    for (size_t i = 0; i < count; i++)
      if (memcmp(own + i * size, address, size) == 0)
        return record_names(record, data);
  }
  return NULL;
}
