/* What is in a tree of layers, told to whoever copies from it: a builder, which must not open anything in there itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "files.h"
#include "sha256.h"
#include "syscalls.h"
#include "tar.h"
#include "tree.h"
#include "xattr.h"

#define PIECE (256 * 1024)
#define FLUSH_SIZE (256 * 1024)

/* A file with several names is read once. */
struct digested {
  struct digested *next;
  dev_t device;
  ino_t inode;
  char hex[65];
};

#define SLOTS 4096

struct listing {
  int output;
  bool digests;
  struct buffer lines; /* not written yet */
  struct buffer path;  /* of the entry at hand, beneath what is listed; with a NUL after its size */
  size_t *lengths;     /* of the path of the directory at each depth, with its slash */
  size_t capacity;
  char *piece;
  struct digested *digested[SLOTS];
  struct failure *failure;
};

static int flush(struct listing *listing) {
  int result = write_all(listing->output, listing->lines.data, listing->lines.size);
  listing->lines.size = 0;
  return result == 0 ? 0 : fail_errno(listing->failure, errno, "write the list");
}

/* One field of an entry. */
static void put(struct listing *listing, const char *text) {
  buffer_append(&listing->lines, text, strlen(text) + 1);
}

static int by_name(const void *a, const void *b) {
  const struct tar_xattr *first = a, *second = b;
  return strcmp(first->name, second->name);
}

static void put_attributes(struct listing *listing, int parent, const char *name) {
  size_t count = 0;
  char hex[65] = "";
  struct tar_xattr *list = xattr_read_at(parent, name, &count);
  struct sha256 hash;
  sha256_begin(&hash);
  if (count > 1) qsort(list, count, sizeof *list, by_name);
  for (size_t i = 0; i < count; i++) {
    sha256_add(&hash, list[i].name, strlen(list[i].name) + 1);
    sha256_add(&hash, &(uint64_t){list[i].size}, sizeof(uint64_t));
    sha256_add(&hash, list[i].value, list[i].size);
  }
  if (count > 0) sha256_end(&hash, hex);
  xattr_free(list, count);
  put(listing, hex);
}

static int read_digest(struct listing *listing, int parent, const char *name, char hex[65]) {
  struct sha256 hash;
  int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  ssize_t count = fd < 0 ? -1 : 1;
  sha256_begin(&hash);
  while (count > 0) {
    count = read(fd, listing->piece, PIECE);
    if (count > 0) sha256_add(&hash, listing->piece, (size_t)count);
  }
  close_quietly(fd);
  if (count < 0) return fail_errno(listing->failure, errno, "%s", listing->path.data);
  sha256_end(&hash, hex);
  return 0;
}

static int put_digest(struct listing *listing, int parent, const char *name, const struct stat *status) {
  char hex[65];
  struct digested **slot = &listing->digested[status->st_ino % SLOTS];
  for (struct digested *known = *slot; known != NULL; known = known->next) {
    if (known->inode != status->st_ino || known->device != status->st_dev) continue;
    put(listing, known->hex);
    return 0;
  }
  if (read_digest(listing, parent, name, hex) != 0) return -1;
  put(listing, hex);
  if (status->st_nlink < 2) return 0;
  struct digested *known = xcalloc(1, sizeof *known);
  *known = (struct digested){.next = *slot, .device = status->st_dev, .inode = status->st_ino};
  memcpy(known->hex, hex, sizeof hex);
  *slot = known;
  return 0;
}

static void forget_digests(struct listing *listing) {
  for (size_t i = 0; i < SLOTS; i++) {
    for (struct digested *known = listing->digested[i], *next; known != NULL; known = next) {
      next = known->next;
      free(known);
    }
  }
}

static int put_target(struct listing *listing, int parent, const char *name) {
  char target[UNPACK_PATH_MAX];
  ssize_t size = readlinkat(parent, name, target, sizeof target - 1);
  if (size < 0) return fail_errno(listing->failure, errno, "%s", listing->path.data);
  target[size] = '\0';
  put(listing, target);
  return 0;
}

/* Path, numbers, extended attributes, and what is in it: a digest, or the target of a link. */
static int put_entry(struct listing *listing, int parent, const char *name, const struct stat *status) {
  char numbers[256];
  int result = 0;
  put(listing, listing->path.data);
  snprintf(numbers, sizeof numbers, "%o %u %u %lld %lld.%09ld %llu:%llu %u %u:%u", (unsigned)status->st_mode,
           (unsigned)status->st_uid, (unsigned)status->st_gid, (long long)status->st_size, (long long)status->st_mtim.tv_sec,
           status->st_mtim.tv_nsec, (unsigned long long)status->st_dev, (unsigned long long)status->st_ino,
           (unsigned)status->st_nlink, major(status->st_rdev), minor(status->st_rdev));
  put(listing, numbers);
  put_attributes(listing, parent, name);
  if (S_ISREG(status->st_mode) && listing->digests) result = put_digest(listing, parent, name, status);
  else if (S_ISLNK(status->st_mode)) result = put_target(listing, parent, name);
  else put(listing, "");
  return result != 0 || listing->lines.size < FLUSH_SIZE ? result : flush(listing);
}

static void set_path(struct listing *listing, size_t length, const char *name) {
  listing->path.size = length;
  buffer_text(&listing->path, name);
  buffer_append(&listing->path, "", 1);
  listing->path.size--;
}

static void keep_length(struct listing *listing, size_t depth, size_t length) {
  if (depth >= listing->capacity) {
    listing->capacity = depth * 2 + 64;
    listing->lengths = xrealloc(listing->lengths, listing->capacity * sizeof *listing->lengths);
  }
  listing->lengths[depth] = length;
}

static int visit_file(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct listing *listing = context;
  (void)failure;
  /* A whiteout that shows because there is one layer only. */
  if (S_ISCHR(entry->status.st_mode) && entry->status.st_rdev == makedev(0, 0)) return 0;
  set_path(listing, listing->lengths[entry->depth], entry->name);
  return put_entry(listing, entry->parent, entry->name, &entry->status);
}

static int visit_directory(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct listing *listing = context;
  if (visit_file(entry, context, failure) != 0) return -1;
  buffer_text(&listing->path, "/");
  keep_length(listing, entry->depth + 1, listing->path.size);
  return 0;
}

static int list_directory(struct listing *listing, int root, const char *path) {
  struct tree_visitor visitor = {.file = visit_file, .enter = visit_directory, .context = listing};
  struct stat status;
  int fd = open_in_root(root, path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0 || fstat(fd, &status) != 0) {
    close_quietly(fd);
    return fail_errno(listing->failure, errno, "%s", path);
  }
  set_path(listing, 0, "");
  keep_length(listing, 0, 0);
  int result = put_entry(listing, fd, ".", &status);
  if (result == 0) result = tree_walk(fd, &visitor, "list", listing->failure);
  close_quietly(fd);
  return result;
}

static int list_file(struct listing *listing, int root, const char *path) {
  char directory[UNPACK_PATH_MAX];
  const char *name;
  struct stat status;
  path_split(path, directory, &name);
  int parent = open_in_root(root, directory, O_PATH | O_DIRECTORY, 0);
  int result = parent < 0 || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ? -1 : 0;
  if (result != 0) fail_errno(listing->failure, errno, "%s", path);
  set_path(listing, 0, "");
  if (result == 0) result = put_entry(listing, parent, name, &status);
  close_quietly(parent);
  return result;
}

int files_list(int output, int root, const char *path, bool digests, struct failure *failure) {
  struct listing listing = {.output = output, .digests = digests, .piece = xmalloc(PIECE), .failure = failure};
  char resolved[UNPACK_PATH_MAX];
  struct stat status;
  int result = -1;
  int fd = -1;
  if (files_resolve(root, path, resolved) == 0) fd = open_in_root(root, resolved, O_PATH | O_NOFOLLOW, 0);
  if (fd < 0 || fstat(fd, &status) != 0) {
    fail_errno(failure, errno, "%s", path);
  } else {
    put(&listing, resolved);
    result = S_ISDIR(status.st_mode) ? list_directory(&listing, root, resolved) : list_file(&listing, root, resolved);
    if (result == 0) result = flush(&listing);
  }
  close_quietly(fd);
  buffer_free(&listing.lines);
  buffer_free(&listing.path);
  free(listing.lengths);
  free(listing.piece);
  forget_digests(&listing);
  return result;
}
