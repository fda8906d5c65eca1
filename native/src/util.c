#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void *xmalloc(size_t size) {
  void *memory = malloc(size > 0 ? size : 1);
  if (memory == NULL) abort();
  return memory;
}

void *xcalloc(size_t count, size_t size) {
  void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
  if (memory == NULL) abort();
  return memory;
}

void *xrealloc(void *memory, size_t size) {
  memory = realloc(memory, size > 0 ? size : 1);
  if (memory == NULL) abort();
  return memory;
}

char *xstrdup(const char *text) {
  return xmemdup0(text, strlen(text));
}

char *xmemdup0(const void *data, size_t size) {
  char *copy = xmalloc(size + 1);
  if (size > 0) memcpy(copy, data, size);
  copy[size] = '\0';
  return copy;
}

char *xasprintf(const char *format, ...) {
  va_list arguments;
  char *text = NULL;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0) abort();
  return text;
}

void buffer_reserve(struct buffer *buffer, size_t more) {
  if (buffer->capacity - buffer->size >= more && buffer->data != NULL) return;
  size_t capacity = buffer->capacity * 2 > buffer->size + more ? buffer->capacity * 2 : buffer->size + more;
  if (capacity < 64) capacity = 64;
  buffer->data = xrealloc(buffer->data, capacity);
  buffer->capacity = capacity;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size) {
  if (size == 0) return;
  buffer_reserve(buffer, size);
  memcpy(buffer->data + buffer->size, data, size);
  buffer->size += size;
}

void buffer_text(struct buffer *buffer, const char *text) {
  buffer_append(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...) {
  va_list arguments;
  char *text = NULL;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0) abort();
  buffer_append(buffer, text, (size_t)length);
  free(text);
}

void buffer_consume(struct buffer *buffer, size_t size) {
  if (size >= buffer->size) {
    buffer->size = 0;
    return;
  }
  memmove(buffer->data, buffer->data + size, buffer->size - size);
  buffer->size -= size;
}

void buffer_free(struct buffer *buffer) {
  free(buffer->data);
  memset(buffer, 0, sizeof *buffer);
}

void close_quietly(int fd) {
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
}

int set_cloexec(int fd, bool on) {
  return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

int set_nonblocking(int fd, bool on) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -1;
  return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int duplicate_above(int fd, int minimum) {
  return fcntl(fd, F_DUPFD_CLOEXEC, minimum);
}

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static void each_descriptor(int first, bool only_cloexec) {
  struct rlimit limit;
  long count = 65536;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1048576) count = (long)limit.rlim_cur;
  for (long fd = first; fd < count; fd++) {
    if (only_cloexec) fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    else close((int)fd);
  }
}

void close_from(int first) {
  if (syscall(SYS_close_range, (unsigned)first, UINT_MAX, 0) != 0) each_descriptor(first, false);
}

void cloexec_from(int first) {
  if (syscall(SYS_close_range, (unsigned)first, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0) each_descriptor(first, true);
}

int write_all(int fd, const void *data, size_t size) {
  const char *bytes = data;
  while (size > 0) {
    ssize_t count = write(fd, bytes, size);
    if (count >= 0) {
      bytes += count;
      size -= (size_t)count;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return -1;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (poll(&wait, 1, -1) < 0 && errno != EINTR) return -1;
  }
  return 0;
}

int read_to_end(int fd, size_t limit, struct buffer *out) {
  for (;;) {
    buffer_reserve(out, 4096);
    ssize_t count = read(fd, out->data + out->size, 4096);
    if (count == 0) return 0;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    out->size += (size_t)count;
    if (out->size > limit) {
      errno = EFBIG;
      return -1;
    }
  }
}

static int write_temporary(const char *path, const void *data, size_t size, mode_t mode, bool sync) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  /* The mode is exact, whatever the umask. */
  if (fchmod(fd, mode) != 0 || write_all(fd, data, size) != 0 || (sync && fsync(fd) != 0)) {
    close_quietly(fd);
    return -1;
  }
  return close(fd);
}

static int sync_directory_of(const char *path) {
  char *directory = xstrdup(path);
  char *slash = strrchr(directory, '/');
  if (slash == NULL) strcpy(directory, ".");
  else slash[slash == directory ? 1 : 0] = '\0';
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(directory);
  if (fd < 0) return -1;
  int result = fsync(fd);
  close_quietly(fd);
  return result;
}

int write_file_atomic(const char *path, const void *data, size_t size, mode_t mode, bool sync) {
  static unsigned counter;
  char *temporary = xasprintf("%s.tmp-%d-%u", path, (int)getpid(), counter++);
  int result = -1;
  unlink(temporary);
  if (write_temporary(temporary, data, size, mode, sync) == 0 && rename(temporary, path) == 0)
    result = sync ? sync_directory_of(path) : 0;
  int error = errno;
  if (result != 0) unlink(temporary);
  free(temporary);
  errno = error;
  return result;
}

int write_file_at(int directory, const char *path, const char *value) {
  int fd = openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -1;
  ssize_t count;
  do count = write(fd, value, strlen(value));
  while (count < 0 && errno == EINTR);
  close_quietly(fd);
  return count < 0 ? -1 : 0;
}

int read_file_at(int directory, const char *path, size_t limit, struct buffer *out) {
  int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return -1;
  int result = read_to_end(fd, limit, out);
  close_quietly(fd);
  return result;
}

int make_directories(const char *path, mode_t mode) {
  char *copy = xstrdup(path);
  int result = 0;
  for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(copy, mode) != 0 && errno != EEXIST) result = -1;
    *slash = '/';
    if (result != 0) break;
  }
  if (result == 0 && mkdir(copy, mode) != 0 && errno != EEXIST) result = -1;
  int error = errno;
  free(copy);
  errno = error;
  return result;
}

int chmod_at(int directory, const char *name, mode_t mode) {
  struct stat status;
  char path[40];
  int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = fstat(fd, &status);
  if (result == 0 && S_ISLNK(status.st_mode)) {
    errno = ELOOP;
    result = -1;
  }
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (result == 0) result = chmod(path, mode);
  close_quietly(fd);
  return result;
}

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8U
#endif
#define MFD_BASE 0x3U /* MFD_CLOEXEC | MFD_ALLOW_SEALING */

/* MFD_EXEC and MFD_NOEXEC_SEAL came with Linux 6.3; before, every memory file is executable. */
static int memory_file(const char *name, bool executable) {
  int fd = (int)syscall(SYS_memfd_create, name, MFD_BASE | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));
  if (fd < 0 && errno == EINVAL) fd = (int)syscall(SYS_memfd_create, name, MFD_BASE);
  return fd;
}

static int seal(int fd) {
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) return -1;
  return lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

int sealed_memfd(const char *name, const void *data, size_t size) {
  int fd = memory_file(name, false);
  if (fd < 0) return -1;
  if (write_all(fd, data, size) == 0 && seal(fd) == 0) return fd;
  close_quietly(fd);
  return -1;
}

static int copy_file(int from, int to) {
  char block[65536];
  for (;;) {
    ssize_t count = read(from, block, sizeof block);
    if (count == 0) return 0;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || write_all(to, block, (size_t)count) != 0) return -1;
  }
}

int self_memfd(void) {
  static int made = -1;
  if (made >= 0) return made;
  int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self < 0) return -1;
  int fd = memory_file("tscompose-helper", true);
  if (fd < 0 || copy_file(self, fd) != 0 || fchmod(fd, 0500) != 0 || seal(fd) != 0) {
    close_quietly(fd);
    close_quietly(self);
    return -1;
  }
  close(self);
  made = fd;
  return made;
}

bool parse_unsigned(const char *text, uint64_t maximum, uint64_t *out) {
  uint64_t value = 0;
  if (text[0] == '\0') return false;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9') return false;
    unsigned digit = (unsigned)(*text - '0');
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value)) return false;
  }
  if (value > maximum) return false;
  *out = value;
  return true;
}

bool parse_signed(const char *text, int64_t minimum, int64_t maximum, int64_t *out) {
  bool negative = text[0] == '-';
  uint64_t magnitude = 0;
  if (!parse_unsigned(text + negative, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &magnitude)) return false;
  int64_t value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
  if (value < minimum || value > maximum) return false;
  *out = value;
  return true;
}

bool parse_octal(const char *text, unsigned maximum, unsigned *out) {
  unsigned value = 0;
  if (text[0] == '\0') return false;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '7' || value > maximum >> 3) return false;
    value = value << 3 | (unsigned)(*text - '0');
  }
  if (value > maximum) return false;
  *out = value;
  return true;
}

bool parse_hex(const char *text, uint64_t *out) {
  uint64_t value = 0;
  if (text[0] == '\0' || strlen(text) > 16) return false;
  for (; *text != '\0'; text++) {
    unsigned digit;
    if (*text >= '0' && *text <= '9') digit = (unsigned)(*text - '0');
    else if (*text >= 'a' && *text <= 'f') digit = (unsigned)(*text - 'a' + 10);
    else if (*text >= 'A' && *text <= 'F') digit = (unsigned)(*text - 'A' + 10);
    else return false;
    value = value << 4 | digit;
  }
  *out = value;
  return true;
}

bool die_with_parent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return getppid() == parent;
}
