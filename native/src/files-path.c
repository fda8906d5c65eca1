#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "syscalls.h"

#define LINKS_MAX 40

void files_close(struct files_found *found) {
  close_quietly(found->parent);
  close_quietly(found->fd);
  found->parent = found->fd = -1;
}

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

static bool is_mount_root(int fd) {
  struct statx status;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &status) != 0) return false;
  return (status.stx_attributes & status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int find(int root, const struct files_path *path, struct files_found *found) {
  char clean[UNPACK_PATH_MAX], directory[UNPACK_PATH_MAX];
  const char *name;
  if (path_clean(path->clean, clean) != 0) {
    errno = ENAMETOOLONG;
    return -1;
  }
  path_split(clean, directory, &name);
  if (strlen(name) > NAME_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(found->name, name);
  if (name[0] == '\0' || path->follow) {
    found->fd = open_in_root(root, clean, O_PATH | (path->follow ? O_DIRECTORY : 0), 0);
  } else {
    found->parent = open_in_root(root, directory, O_PATH | O_DIRECTORY, 0);
    if (found->parent >= 0) found->fd = openat(found->parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  }
  if (found->fd < 0 || fstat(found->fd, &found->status) != 0) return -1;
  /* What the kernel shows there is no file of the container's. */
  if (files_is_kernels(found->fd) && !is_mount_root(found->fd)) {
    errno = ENOENT;
    return -1;
  }
  return 0;
}

int files_find(int root, const struct files_path *path, struct files_found *found, struct failure *failure) {
  *found = (struct files_found){.parent = -1, .fd = -1};
  if (find(root, path, found) == 0) return 0;
  fail_errno(failure, errno, "%s", path->clean);
  files_close(found);
  return -1;
}

/* What is left of a path that is being resolved, in one piece of memory. */
struct rest {
  char *text;
  unsigned links;
};

/* The target of a link at the end of the resolved part goes in front of what is left. False: it is no link. */
static bool take_link(int root, char resolved[UNPACK_PATH_MAX], size_t parent, struct rest *rest) {
  char target[UNPACK_PATH_MAX];
  int fd = open_in_root(root, resolved, O_PATH | O_NOFOLLOW, 0);
  ssize_t size = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof target - 1);
  close_quietly(fd);
  if (size <= 0 || ++rest->links > LINKS_MAX) return false;
  target[size] = '\0';
  resolved[target[0] == '/' ? 0 : parent] = '\0';
  char *text = xasprintf("%s/%s", target, rest->text);
  free(rest->text);
  rest->text = text;
  return true;
}

static int resolve_next(int root, char resolved[UNPACK_PATH_MAX], struct rest *rest) {
  char *start = rest->text + strspn(rest->text, "/");
  size_t size = strcspn(start, "/"), parent = strlen(resolved);
  if (size == 0) return 1;
  char *name = xmemdup0(start, size);
  memmove(rest->text, start + size, strlen(start + size) + 1);
  int result = 0;
  if (strcmp(name, "..") == 0) {
    char *slash = strrchr(resolved, '/');
    if (slash == NULL) resolved[0] = '\0';
    else *slash = '\0';
  } else if (strcmp(name, ".") != 0) {
    if (parent + size + 2 > UNPACK_PATH_MAX) result = -1;
    else if (parent > 0) strcat(resolved, "/");
    if (result == 0) strcat(resolved, name);
    if (result == 0) take_link(root, resolved, parent, rest);
  }
  free(name);
  if (rest->links > LINKS_MAX) result = -1;
  return result;
}

int files_resolve(int root, const char *path, char resolved[UNPACK_PATH_MAX]) {
  struct rest rest = {.text = xstrdup(path)};
  int result;
  resolved[0] = '\0';
  while ((result = resolve_next(root, resolved, &rest)) == 0) continue;
  int links = (int)rest.links;
  free(rest.text);
  if (result < 0) errno = links > LINKS_MAX ? ELOOP : ENAMETOOLONG;
  return result < 0 ? -1 : 0;
}

void files_describe(struct json *json, int root, const char *path, const struct files_found *found) {
  char resolved[UNPACK_PATH_MAX];
  const struct stat *status = &found->status;
  json_key(json, "stat");
  json_open(json, '{');
  json_member_number(json, "size", status->st_size);
  json_member_number(json, "mode", status->st_mode);
  json_member_number(json, "seconds", status->st_mtim.tv_sec);
  json_member_number(json, "nanoseconds", status->st_mtim.tv_nsec);
  if (S_ISLNK(status->st_mode) && files_resolve(root, path, resolved) == 0) {
    char *target = xasprintf("/%s", resolved);
    json_member_string(json, "linkTarget", target);
    free(target);
  }
  json_close(json, '}');
}
