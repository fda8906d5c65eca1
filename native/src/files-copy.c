/*
 * Copies into a container's tree what a list says, from a directory or from layers: the COPY of a builder. The list comes
 * from whoever looked at the source before; here every name is opened beneath its tree, and what is not as it was when the
 * list was made ends the copy. Where things go follows BuildKit's rules (github.com/tonistiigi/fsutil, copy).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "copy.h"
#include "files.h"
#include "setup.h"
#include "syscalls.h"

#define LIST_MAX (1024u * 1024 * 1024)

/* A directory whose owner, mode and time are set when everything is in it. */
struct later {
  char *source, *target;
  struct stat status;
};

/* A directory that was opened last: most entries follow one of the same directory. */
struct opened {
  char *path;
  int fd;
};

struct copying {
  int root;   /* of the target */
  int source; /* -1: nothing is copied */
  struct opened from, to;
  int base;                  /* directory that targets are beneath */
  char single[NAME_MAX + 1]; /* the name of the one file that is copied; empty: a directory's content */
  bool owned;
  uid_t uid;
  gid_t gid;
  struct later *later;
  size_t later_count, later_capacity;
  char *at, *end; /* what is left of the list */
  struct copy copy;
  struct failure *failure;
};

/* --- the list --- */

static const char *field(struct copying *copying) {
  char *text = copying->at;
  char *nul = text < copying->end ? memchr(text, '\0', (size_t)(copying->end - text)) : NULL;
  if (nul == NULL) return "";
  copying->at = nul + 1;
  return text;
}

static uint64_t number(struct copying *copying) {
  uint64_t value = 0;
  parse_unsigned(field(copying), UINT64_MAX, &value);
  return value;
}

/* Mode, owner and time of an entry. */
static struct stat attributes(struct copying *copying) {
  struct stat status = {0};
  unsigned mode = 0;
  int64_t seconds = 0;
  parse_octal(field(copying), 0177777, &mode);
  status.st_mode = mode;
  status.st_uid = (uid_t)number(copying);
  status.st_gid = (gid_t)number(copying);
  parse_signed(field(copying), INT64_MIN, INT64_MAX, &seconds);
  status.st_mtim = (struct timespec){.tv_sec = seconds, .tv_nsec = (long)number(copying)};
  status.st_atim = status.st_mtim;
  if (copying->owned) {
    status.st_uid = copying->uid;
    status.st_gid = copying->gid;
  }
  return status;
}

/* --- places --- */

static void forget(struct opened *opened) {
  close_quietly(opened->fd);
  free(opened->path);
  *opened = (struct opened){NULL, -1};
}

/* The directory that holds `path`, beneath `tree`; `name` becomes the last component. -1 with errno. */
static int parent_of(struct opened *opened, int tree, const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  *name = slash == NULL ? path : slash + 1;
  if (opened->path != NULL && strlen(opened->path) == length && strncmp(opened->path, path, length) == 0) return opened->fd;
  forget(opened);
  opened->path = xmemdup0(path, length);
  opened->fd = length == 0 ? openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                           : open_beneath(tree, opened->path, O_RDONLY | O_DIRECTORY, 0);
  return opened->fd;
}

/* A directory of the target with all above it; what is missing is made with `mode` for the owner of the copy. -1: told. */
static int make_path(struct copying *copying, const char *path, mode_t mode) {
  char resolved[UNPACK_PATH_MAX];
  if (files_resolve(copying->root, path, resolved) != 0) return fail_errno(copying->failure, errno, "%s", path);
  int fd = openat(copying->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (char *name = strtok(resolved, "/"), *after; fd >= 0 && name != NULL; name = after) {
    after = strtok(NULL, "/");
    bool made = mkdirat(fd, name, 0700) == 0;
    int next = made || errno == EEXIST ? openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (made && next >= 0 && (fchown(next, copying->uid, copying->gid) != 0 || fchmod(next, mode) != 0)) {
      close_quietly(next);
      next = -1;
    }
    close_quietly(fd);
    fd = next;
  }
  if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
    return fail_kind(copying->failure, KIND_INVALID, "a file is in the place of a directory", "%s", path);
  return fd >= 0 ? fd : fail_errno(copying->failure, errno, "%s", path);
}

static int finish_directories(struct copying *copying) {
  int result = 0;
  for (size_t i = copying->later_count; i > 0; i--) {
    struct later *later = &copying->later[i - 1];
    int to = open_beneath(copying->base, later->target, O_RDONLY | O_DIRECTORY, 0);
    int from = result == 0 && to >= 0 ? open_beneath(copying->source, later->source, O_RDONLY | O_DIRECTORY, 0) : -1;
    if (result == 0 && (to < 0 || from < 0)) result = fail_errno(copying->failure, errno, "%s", later->target);
    if (result == 0) result = copy_directory_attributes(&copying->copy, from, to, &later->status);
    close_quietly(from);
    close_quietly(to);
    free(later->source);
    free(later->target);
  }
  copying->later_count = 0;
  return result;
}

static int end_item(struct copying *copying) {
  int result = copying->base >= 0 ? finish_directories(copying) : 0;
  forget(&copying->to);
  close_quietly(copying->base);
  copying->base = -1;
  copying->single[0] = '\0';
  return result;
}

/* --- records --- */

/* `target`, whether the source is a directory, its name, mode of directories that are made: what comes next goes there. */
static int begin_item(struct copying *copying) {
  const char *target = field(copying);
  bool directory = strcmp(field(copying), "1") == 0;
  const char *name = field(copying);
  unsigned mode = 0755;
  parse_octal(field(copying), 07777, &mode);
  char resolved[UNPACK_PATH_MAX], parent[UNPACK_PATH_MAX];
  struct stat status;
  size_t length = strlen(target);
  if (end_item(copying) != 0) return -1;
  if (length > 0 && (target[length - 1] == '/' || directory)) {
    copying->base = make_path(copying, target, (mode_t)mode);
    if (!directory) snprintf(copying->single, sizeof copying->single, "%s", name);
    return copying->base < 0 ? -1 : 0;
  }
  if (files_resolve(copying->root, target, resolved) != 0) return fail_errno(copying->failure, errno, "%s", target);
  int fd = open_in_root(copying->root, resolved, O_PATH | O_NOFOLLOW, 0);
  bool into = fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
  close_quietly(fd);
  path_split(resolved, parent, &target);
  copying->base = make_path(copying, into ? resolved : parent, (mode_t)mode);
  snprintf(copying->single, sizeof copying->single, "%s", into ? name : target);
  return copying->base < 0 ? -1 : 0;
}

/* A path beneath the item's place: the one file's own is empty. */
static int open_target(struct copying *copying, const char *path, const char **name) {
  if (copying->single[0] != '\0') path = copying->single;
  return parent_of(&copying->to, copying->base, path, name);
}

static int make_directory(struct copying *copying) {
  const char *source = field(copying), *target = field(copying);
  struct stat status = attributes(copying), there;
  bool keep = strcmp(field(copying), "1") == 0;
  const char *name;
  int parent = open_target(copying, target, &name);
  if (parent < 0) return fail_errno(copying->failure, errno, "%s", target);
  bool made = mkdirat(parent, name, 0700) == 0;
  if (!made && errno != EEXIST) return fail_errno(copying->failure, errno, "%s", target);
  if (!made && fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(there.st_mode))
    return fail_kind(copying->failure, KIND_INVALID, "cannot copy a directory to what is none", "%s", target);
  if (!made && keep) return 0;
  if (copying->later_count == copying->later_capacity) {
    copying->later_capacity = copying->later_capacity * 2 + 64;
    copying->later = xrealloc(copying->later, copying->later_capacity * sizeof *copying->later);
  }
  copying->later[copying->later_count++] = (struct later){xstrdup(source), xstrdup(target), status};
  return 0;
}

/* Nothing, or something that is no directory, may be there. */
static int make_room(struct copying *copying, int parent, const char *name) {
  struct stat status;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : -1;
  if (S_ISDIR(status.st_mode)) {
    fail_kind(copying->failure, KIND_INVALID, "cannot copy a file to a directory", "%s", name);
    return -1;
  }
  return unlinkat(parent, name, 0);
}

static int changed(struct copying *copying, const char *path) {
  return fail_kind(copying->failure, KIND_CONFLICT, "it changed while it was copied", "%s", path);
}

static int copy_file(struct copying *copying) {
  const char *source = field(copying), *target = field(copying);
  struct stat status = attributes(copying), found;
  int64_t size = (int64_t)number(copying), seconds = 0;
  ino_t inode = (ino_t)number(copying);
  parse_signed(field(copying), INT64_MIN, INT64_MAX, &seconds);
  long nanoseconds = (long)number(copying);
  const char *from_name, *to_name;
  int from = parent_of(&copying->from, copying->source, source, &from_name);
  if (from < 0) return fail_errno(copying->failure, errno, "%s", source);
  int to = open_target(copying, target, &to_name);
  if (to < 0) return fail_errno(copying->failure, errno, "%s", target);
  if (make_room(copying, to, to_name) != 0)
    return copying->failure->kind != NULL ? -1 : fail_errno(copying->failure, errno, "%s", target);
  if ((S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) && fstatat(from, from_name, &found, AT_SYMLINK_NOFOLLOW) == 0)
    status.st_rdev = found.st_rdev;
  if (copy_entry(&copying->copy, from, from_name, to, to_name, &status) != 0) return -1;
  if (fstatat(from, from_name, &found, AT_SYMLINK_NOFOLLOW) != 0) return changed(copying, source);
  bool same = found.st_ino == inode && found.st_size == size && found.st_mtim.tv_sec == seconds &&
              found.st_mtim.tv_nsec == nanoseconds && (found.st_mode & S_IFMT) == (status.st_mode & S_IFMT);
  return same ? 0 : changed(copying, source);
}

static int link_file(struct copying *copying) {
  const char *first = field(copying), *target = field(copying);
  struct opened other = {NULL, -1};
  const char *first_name, *name;
  int to = open_target(copying, target, &name);
  if (to < 0) return fail_errno(copying->failure, errno, "%s", target);
  int from = parent_of(&other, copying->base, first, &first_name);
  int result = from < 0 ? -1 : make_room(copying, to, name);
  if (result == 0) result = linkat(from, first_name, to, name, 0);
  if (result != 0 && copying->failure->kind == NULL) fail_errno(copying->failure, errno, "%s", target);
  forget(&other);
  return result;
}

/* A directory alone, with those above it. */
static int make_alone(struct copying *copying) {
  const char *path = field(copying);
  unsigned mode = 0755;
  parse_octal(field(copying), 07777, &mode);
  int fd = make_path(copying, path, (mode_t)mode);
  close_quietly(fd);
  return fd < 0 ? -1 : 0;
}

static const struct {
  char letter;
  int (*run)(struct copying *copying);
} records[] = {
    {'t', begin_item}, {'d', make_directory}, {'f', copy_file}, {'h', link_file}, {'p', make_alone},
};

static int run_all(struct copying *copying) {
  while (copying->at < copying->end) {
    const char *letter = field(copying);
    int result = -2;
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
      if (records[i].letter == letter[0]) result = records[i].run(copying);
    if (result == -2) return fail_kind(copying->failure, KIND_INVALID, "not a record of a copy", "list");
    if (result != 0) return -1;
  }
  return end_item(copying);
}

static int find_owner(struct copying *copying, const char *owner) {
  struct user user = {0};
  if (owner[0] == '\0') return 0;
  int result = user_lookup(copying->root, owner, NULL, &user, copying->failure);
  copying->owned = true;
  copying->uid = user.uid;
  copying->gid = user.gid;
  free(user.home);
  free(user.groups);
  return result;
}

int files_copy(const struct files_copying *asked, int list, struct failure *failure) {
  struct buffer lines = {0};
  struct copying copying = {
      .root = asked->root,
      .source = asked->source,
      .from = {NULL, -1},
      .to = {NULL, -1},
      .base = -1,
      .copy = {.step = "copy", .failure = failure, .unseen = true},
      .failure = failure,
  };
  int result = read_to_end(list, LIST_MAX, &lines) == 0 ? 0 : fail_errno(failure, errno, "list of copies");
  copying.at = lines.data;
  copying.end = lines.data + lines.size;
  if (result == 0 && lines.size > 0 && lines.data[lines.size - 1] != '\0')
    result = fail_kind(failure, KIND_INVALID, "cut off", "list of copies");
  if (result == 0) result = find_owner(&copying, asked->owner);
  if (result == 0) result = run_all(&copying);
  forget(&copying.from);
  forget(&copying.to);
  close_quietly(copying.base);
  free(copying.later);
  buffer_free(&lines);
  return result;
}
