/* Memory, buffers, descriptors, files: what every part uses. */
#ifndef UTIL_H
#define UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Memory: never NULL; the process aborts when there is none. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *text);
char *xmemdup0(const void *data, size_t size); /* with a NUL added */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A growing run of bytes. All zeros is an empty one. */
struct buffer {
  char *data;
  size_t size;
  size_t capacity;
};
void buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Removes bytes from the front. */
void buffer_consume(struct buffer *buffer, size_t size);
void buffer_free(struct buffer *buffer);

/* Descriptors. Functions answer -1 with errno set unless they say otherwise. */
void close_quietly(int fd); /* keeps errno; -1 is allowed */
int set_cloexec(int fd, bool on);
int set_nonblocking(int fd, bool on);
/* A copy of the descriptor at `minimum` or above, close-on-exec. */
int duplicate_above(int fd, int minimum);
/* As many descriptors as this process may have: for work that keeps directories open. */
void raise_descriptor_limit(void);
/* Closes every descriptor from `first` on. */
void close_from(int first);
/* Marks every descriptor from `first` on close-on-exec. */
void cloexec_from(int first);
/* Writes everything, also to a non-blocking descriptor (waits). */
int write_all(int fd, const void *data, size_t size);
/* Reads until end of file, at most `limit` bytes (EFBIG). */
int read_to_end(int fd, size_t limit, struct buffer *out);

/* Files */
/* Replaces `path` by content written to a file beside it and renamed; `sync` makes it survive power loss. */
int write_file_atomic(const char *path, const void *data, size_t size, mode_t mode, bool sync);
/* An existing file, one write: for kernel interfaces. */
int write_file_at(int directory, const char *path, const char *value);
int read_file_at(int directory, const char *path, size_t limit, struct buffer *out);
/* mkdir -p; existing directories stay as they are. */
int make_directories(const char *path, mode_t mode);

/* chmod of an entry; a link is never followed, not even one that is put there meanwhile (ELOOP). */
int chmod_at(int directory, const char *name, mode_t mode);

/* A sealed memory file with the bytes; close-on-exec, offset 0. */
int sealed_memfd(const char *name, const void *data, size_t size);
/* This program in a sealed memory file, made once a process; close-on-exec. Nothing can write to it. */
int self_memfd(void);

/* Numbers: whole text, decimal, within bounds; false otherwise. */
bool parse_unsigned(const char *text, uint64_t maximum, uint64_t *out);
bool parse_signed(const char *text, int64_t minimum, int64_t maximum, int64_t *out);
bool parse_octal(const char *text, unsigned maximum, unsigned *out);
bool parse_hex(const char *text, uint64_t *out);

/* Sets a parent-death signal of SIGKILL; false when the parent is gone already. */
bool die_with_parent(pid_t parent);

#endif
