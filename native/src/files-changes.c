#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "files.h"

#define DEPTH_MAX 400
#define CAPABILITY_MAX 64
#define FLUSH_SIZE 65536

struct changes {
  int output;
  struct failure *failure;
  char *const *ignored;
  struct buffer lines;
  struct buffer path; /* of the entry at hand; a NUL after its size */
};

/* The same directory as the container, the image and the layer between them have it; -1: it has none. */
struct level {
  int now;
  int before;
  int upper; /* only what is in it can have changed; -1: everything can */
  unsigned depth;
};

static int fail(struct changes *changes) {
  return fail_errno(changes->failure, errno, "compare %s", changes->path.data);
}

static int flush(struct changes *changes) {
  int result = write_all(changes->output, changes->lines.data, changes->lines.size);
  changes->lines.size = 0;
  return result == 0 ? 0 : fail(changes);
}

static int tell(struct changes *changes, char letter) {
  buffer_append(&changes->lines, &letter, 1);
  buffer_append(&changes->lines, changes->path.data, changes->path.size + 1);
  return changes->lines.size < FLUSH_SIZE ? 0 : flush(changes);
}

static bool is_ignored(const struct changes *changes) {
  for (char *const *path = changes->ignored; *path != NULL; path++)
    if (strcmp(*path, changes->path.data) == 0) return true;
  return false;
}

static void set_path(struct changes *changes, size_t length, const char *name) {
  changes->path.size = length;
  buffer_printf(&changes->path, "/%s", name);
  buffer_append(&changes->path, "", 1);
  changes->path.size--;
}

static ssize_t capability_of(int parent, const char *name, char value[CAPABILITY_MAX]) {
  char path[NAME_MAX + 40];
  snprintf(path, sizeof path, "/proc/self/fd/%d/%s", parent, name);
  return lgetxattr(path, "security.capability", value, CAPABILITY_MAX);
}

/* Size and time of a directory say nothing: they change with its content. */
static bool differs(const struct level *level, const char *name, const struct stat *now, const struct stat *before) {
  char values[2][CAPABILITY_MAX];
  if (now->st_mode != before->st_mode || now->st_uid != before->st_uid || now->st_gid != before->st_gid) return true;
  if (S_ISDIR(now->st_mode)) return false;
  if (now->st_rdev != before->st_rdev || now->st_size != before->st_size) return true;
  if (now->st_mtim.tv_sec != before->st_mtim.tv_sec || now->st_mtim.tv_nsec != before->st_mtim.tv_nsec) return true;
  if (!S_ISREG(now->st_mode)) return false;
  ssize_t size = capability_of(level->now, name, values[0]);
  return size != capability_of(level->before, name, values[1]) || (size > 0 && memcmp(values[0], values[1], (size_t)size) != 0);
}

static int open_directory(int parent, const char *name) {
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The layers below do not show through it, or others do: it says nothing of what has changed beneath. */
static bool is_replaced(int upper) {
  static const char *const marks[] = {"trusted.overlay.opaque", "user.overlay.opaque", "trusted.overlay.redirect",
                                      "user.overlay.redirect"};
  for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
    if (fgetxattr(upper, marks[i], NULL, 0) >= 0) return true;
  return false;
}

static int compare_level(struct changes *changes, const struct level *level);

/* Answers how much changed beneath, or -1. */
static int compare_beneath(struct changes *changes, const struct level *level, const char *name, bool existed) {
  struct level below = {.now = open_directory(level->now, name), .before = -1, .upper = -1, .depth = level->depth + 1};
  if (below.depth > DEPTH_MAX) {
    close_quietly(below.now);
    return fail_kind(changes->failure, KIND_INVALID, "nested too deeply", "compare %s", changes->path.data);
  }
  if (existed) below.before = open_directory(level->before, name);
  if (existed && level->upper >= 0) below.upper = open_directory(level->upper, name);
  int result = 0;
  /* It is no directory any more. */
  if (below.now < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP) result = fail(changes);
  if (below.upper >= 0 && is_replaced(below.upper)) {
    close(below.upper);
    below.upper = -1;
  }
  if (below.now >= 0) result = compare_level(changes, &below);
  close_quietly(below.now);
  close_quietly(below.before);
  close_quietly(below.upper);
  return result;
}

static int compare_existing(struct changes *changes, const struct level *level, const char *name, const struct stat *now,
                            const struct stat *before) {
  size_t length = changes->path.size;
  int beneath = 0;
  if (S_ISDIR(now->st_mode)) beneath = compare_beneath(changes, level, name, S_ISDIR(before->st_mode));
  changes->path.size = length;
  changes->path.data[length] = '\0';
  if (beneath < 0) return -1;
  if (beneath == 0 && !differs(level, name, now, before)) return 0;
  return tell(changes, 'C') == 0 ? 1 : -1;
}

static int compare_new(struct changes *changes, const struct level *level, const char *name, const struct stat *now) {
  if (tell(changes, 'A') != 0) return -1;
  if (S_ISDIR(now->st_mode) && compare_beneath(changes, level, name, false) < 0) return -1;
  return 1;
}

/* Answers 1 where it, or something beneath it, has changed. */
static int compare_entry(struct changes *changes, const struct level *level, const char *name) {
  struct stat now, before;
  size_t length = changes->path.size;
  set_path(changes, length, name);
  bool exists = fstatat(level->now, name, &now, AT_SYMLINK_NOFOLLOW) == 0;
  bool existed = level->before >= 0 && fstatat(level->before, name, &before, AT_SYMLINK_NOFOLLOW) == 0;
  int result = 0;
  if (is_ignored(changes)) result = 0;
  else if (exists && existed) result = compare_existing(changes, level, name, &now, &before);
  else if (exists) result = compare_new(changes, level, name, &now);
  else if (existed) result = tell(changes, 'D') == 0 ? 1 : -1;
  changes->path.size = length;
  changes->path.data[length] = '\0';
  return result;
}

/* Compares every name in `directory`, unless it is in `known` too. */
static int compare_names(struct changes *changes, const struct level *level, int directory, int known) {
  int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  struct stat status;
  int changed = 0, result = 0;
  if (stream == NULL) {
    fail(changes);
    close_quietly(fd);
    return -1;
  }
  for (struct dirent *entry; result >= 0 && (entry = readdir(stream)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (known >= 0 && fstatat(known, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) continue;
    result = compare_entry(changes, level, entry->d_name);
    if (result > 0) changed = 1;
  }
  closedir(stream);
  return result < 0 ? -1 : changed;
}

static int compare_level(struct changes *changes, const struct level *level) {
  if (level->before >= 0 && level->upper >= 0) return compare_names(changes, level, level->upper, -1);
  int appeared = compare_names(changes, level, level->now, -1);
  if (appeared < 0 || level->before < 0) return appeared;
  int gone = compare_names(changes, level, level->before, level->now);
  return gone < 0 ? -1 : appeared | gone;
}

int files_changes(int output, const struct files_comparison *comparison, struct failure *failure) {
  struct changes changes = {.output = output, .failure = failure, .ignored = comparison->ignored};
  struct level top = {.now = comparison->root, .before = comparison->image, .upper = comparison->upper};
  buffer_append(&changes.path, "", 1);
  changes.path.size = 0;
  int result = compare_level(&changes, &top) < 0 || flush(&changes) != 0 ? -1 : 0;
  buffer_free(&changes.lines);
  buffer_free(&changes.path);
  return result;
}
