#include "xattr.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "tar.h"

/* XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
#define VALUE_MAX 65536

bool xattr_is_overlay(const char *name) {
  return strncmp(name, "trusted.overlay.", 16) == 0 || strncmp(name, "user.overlay.", 13) == 0;
}

bool xattr_travels(const char *name) {
  if (xattr_is_overlay(name)) return false;
  return strncmp(name, "user.", 5) == 0 || strncmp(name, "trusted.", 8) == 0 ||
         strcmp(name, "security.capability") == 0 || strncmp(name, "system.posix_acl_", 17) == 0;
}

/* Not every file can be opened; by this path every one can be named without following it. */
static void place(char *path, size_t size, int parent, const char *entry) {
  snprintf(path, size, "/proc/self/fd/%d/%s", parent, entry);
}

int xattr_set_at(int parent, const char *entry, const char *name, const void *value, size_t size) {
  char path[NAME_MAX + 40];
  place(path, sizeof path, parent, entry);
  return lsetxattr(path, name, value, size, 0);
}

static int copy_one(const char *from, const char *to, const char *name, char *value) {
  ssize_t size = lgetxattr(from, name, value, VALUE_MAX);
  if (size < 0) return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -1;
  if (lsetxattr(to, name, value, (size_t)size, 0) == 0) return 0;
  return errno == EOPNOTSUPP || errno == EPERM || errno == EACCES ? 0 : -1;
}

int xattr_copy_at(int from_parent, const char *from, int to_parent, const char *to) {
  char source[NAME_MAX + 40], target[NAME_MAX + 40];
  place(source, sizeof source, from_parent, from);
  place(target, sizeof target, to_parent, to);
  ssize_t size = llistxattr(source, NULL, 0);
  if (size <= 0) return size == 0 || errno == EOPNOTSUPP ? 0 : -1;
  char *names = xmalloc((size_t)size);
  char *value = xmalloc(VALUE_MAX);
  size = llistxattr(source, names, (size_t)size);
  int result = size < 0 ? -1 : 0;
  for (ssize_t at = 0; at < size && result == 0; at += (ssize_t)strlen(names + at) + 1)
    if (!xattr_is_overlay(names + at)) result = copy_one(source, target, names + at, value);
  int error = errno;
  free(names);
  free(value);
  errno = error;
  return result;
}

static bool read_one(const char *path, const char *name, struct tar_xattr *out) {
  char value[VALUE_MAX];
  ssize_t size = lgetxattr(path, name, value, sizeof value);
  if (size < 0) return false;
  *out = (struct tar_xattr){.name = xstrdup(name), .value = xmemdup0(value, (size_t)size), .size = (size_t)size};
  return true;
}

static int compare_names(const void *first, const void *second) {
  return strcmp(((const struct tar_xattr *)first)->name, ((const struct tar_xattr *)second)->name);
}

struct tar_xattr *xattr_read_at(int parent, const char *entry, size_t *count) {
  char path[NAME_MAX + 40], names[VALUE_MAX];
  struct tar_xattr *list = NULL;
  *count = 0;
  place(path, sizeof path, parent, entry);
  ssize_t size = llistxattr(path, names, sizeof names);
  for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
    if (!xattr_travels(names + at)) continue;
    list = xrealloc(list, (*count + 1) * sizeof *list);
    if (read_one(path, names + at, &list[*count])) (*count)++;
  }
  /* File systems list them in orders of their own: an archive of the same file has the same bytes. */
  if (*count > 1) qsort(list, *count, sizeof *list, compare_names);
  return list;
}

void xattr_free(struct tar_xattr *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    free(list[i].name);
    free(list[i].value);
  }
  free(list);
}
