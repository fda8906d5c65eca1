#include "copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "syscalls.h"
#include "xattr.h"

/* Each level holds two descriptors. Deeper trees than this are refused: no image needs them. */
#define DEPTH_MAX 400

struct copied_link {
  dev_t device;
  ino_t inode;
  char *path; /* of the first copy, beneath the target's root */
};

struct copied_links {
  struct copied_link *items;
  size_t count;
  size_t capacity;
};

static int fail(struct copy *copy, const char *name) {
  return fail_errno(copy->failure, errno, "%s %s", copy->step, name);
}

/* Less is read and written sooner than it is asked whether both are of one file system. */
#define RANGE_MIN (128 * 1024)

static int copy_bytes(int from, int to, off_t start, off_t end) {
  off_t at = start;
  while (end - start >= RANGE_MIN && at < end) {
    off_t source = at, target = at;
    ssize_t count = copy_file_range(from, &source, to, &target, (size_t)(end - at), 0);
    if (count > 0) {
      at += count;
      continue;
    }
    if (count == 0) return 0;
    if (errno == EINTR) continue;
    break;
  }
  char block[65536];
  while (at < end) {
    size_t want = end - at < (off_t)sizeof block ? (size_t)(end - at) : sizeof block;
    ssize_t count = pread(from, block, want, at);
    if (count == 0) return 0;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    for (ssize_t done = 0; done < count;) {
      ssize_t written = pwrite(to, block + done, (size_t)(count - done), at + done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return -1;
      done += written;
    }
    at += count;
  }
  return 0;
}

/* Holes stay holes. */
static int copy_data(int from, int to, const struct stat *status) {
  off_t at = 0, size = status->st_size;
  if ((off_t)status->st_blocks * 512 >= size) return copy_bytes(from, to, 0, size);
  while (at < size) {
    off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    if (data < 0) return copy_bytes(from, to, at, size);
    off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0) hole = size;
    if (copy_bytes(from, to, data, hole) != 0) return -1;
    at = hole;
  }
  return ftruncate(to, size);
}

/* Owner before mode, since a change of owner clears set-user-ID bits, and before security.capability, for the same reason. */
static int copy_attributes(struct copy *copy, int from, const char *name, int to, const char *target,
                           const struct stat *status) {
  struct timespec times[2] = {status->st_atim, status->st_mtim};
  if (fchownat(to, target, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) != 0) return fail(copy, name);
  if (!S_ISLNK(status->st_mode) && chmod_at(to, target, status->st_mode & 07777) != 0) return fail(copy, name);
  if (xattr_copy_at(from, name, to, target) != 0) return fail(copy, name);
  if (utimensat(to, target, times, AT_SYMLINK_NOFOLLOW) != 0) return fail(copy, name);
  return 0;
}

/* Written under no name, then linked: a file that exists is whole. Some file systems cannot; then by a temporary name. */
static int make_regular(int from, int to, const char *target, const struct stat *status) {
  char temporary[32];
  bool unnamed = true;
  int fd = openat(to, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) {
    unnamed = false;
    snprintf(temporary, sizeof temporary, ".tmp-copy-%d", (int)getpid());
    unlinkat(to, temporary, 0);
    fd = openat(to, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
  }
  int result = copy_data(from, fd, status);
  if (result == 0 && unnamed) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    result = linkat(AT_FDCWD, path, to, target, AT_SYMLINK_FOLLOW);
  } else if (result == 0) {
    result = linkat(to, temporary, to, target, 0);
  }
  int error = errno;
  if (!unnamed) unlinkat(to, temporary, 0);
  close(fd);
  errno = error;
  return result;
}

static int open_regular(int from, const char *name, struct stat *status) {
  int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = fstat(fd, status);
  if (result == 0 && S_ISREG(status->st_mode)) return fd;
  if (result == 0) errno = EINVAL;
  close_quietly(fd);
  return -1;
}

static int copy_regular(int from, const char *name, int to, const char *target) {
  struct stat status;
  int fd = open_regular(from, name, &status);
  if (fd < 0) return -1;
  int result = make_regular(fd, to, target, &status);
  close_quietly(fd);
  return result;
}

/* What it has already is not set again: each change is one of the disk's journal. */
static int set_access(int fd, const struct stat *wanted) {
  struct stat found;
  if (fstat(fd, &found) != 0) return -1;
  if ((found.st_uid != wanted->st_uid || found.st_gid != wanted->st_gid) &&
      fchown(fd, wanted->st_uid, wanted->st_gid) != 0)
    return -1;
  return ((found.st_mode ^ wanted->st_mode) & 07777) == 0 ? 0 : fchmod(fd, wanted->st_mode & 07777);
}

/* A file with all that belongs to it, by descriptor: nobody sees what is not whole. */
static int copy_unseen(int from, const char *name, int to, const char *target, const struct stat *status) {
  struct timespec times[2] = {status->st_atim, status->st_mtim};
  struct stat found;
  int source = open_regular(from, name, &found);
  if (source < 0) return -1;
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(to, target, flags, status->st_mode & 0777);
  int result = fd < 0 ? -1 : copy_data(source, fd, &found);
  if (result == 0) result = set_access(fd, status);
  if (result == 0) result = xattr_copy_at(from, name, to, target);
  if (result == 0) result = futimens(fd, times);
  close_quietly(fd);
  close_quietly(source);
  return result;
}

static int copy_symlink(int from, const char *name, int to, const char *target) {
  char value[4097];
  ssize_t size = readlinkat(from, name, value, sizeof value - 1);
  if (size < 0) return -1;
  value[size] = '\0';
  return symlinkat(value, to, target);
}

int copy_entry(struct copy *copy, int from, const char *name, int to, const char *target, const struct stat *status) {
  int result;
  if (S_ISSOCK(status->st_mode)) return 0;
  /* A whiteout that shows because there is one layer only. */
  if (S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0)) return 0;
  if (S_ISREG(status->st_mode) && copy->unseen) {
    if (copy_unseen(from, name, to, target, status) != 0) return fail(copy, name);
    copy->entries++;
    return 0;
  }
  if (S_ISREG(status->st_mode)) result = copy_regular(from, name, to, target);
  else if (S_ISLNK(status->st_mode)) result = copy_symlink(from, name, to, target);
  else result = mknodat(to, target, status->st_mode & (S_IFMT | 0600), status->st_rdev);
  if (result != 0 && !(copy->resume && errno == EEXIST)) return fail(copy, name);
  copy->entries++;
  return copy_attributes(copy, from, name, to, target, status);
}

int copy_directory_attributes(struct copy *copy, int from, int to, const struct stat *status) {
  struct timespec times[2] = {status->st_atim, status->st_mtim};
  if (fchown(to, status->st_uid, status->st_gid) != 0 || fchmod(to, status->st_mode & 07777) != 0 ||
      xattr_copy_at(from, ".", to, ".") != 0 || futimens(to, times) != 0)
    return fail(copy, "directory");
  return 0;
}

static struct copied_link *find_link(const struct copied_links *links, const struct stat *status) {
  for (size_t i = 0; links != NULL && i < links->count; i++)
    if (links->items[i].inode == status->st_ino && links->items[i].device == status->st_dev) return &links->items[i];
  return NULL;
}

static void remember_link(struct copy *copy, const struct stat *status, const char *path) {
  if (copy->links == NULL) copy->links = xcalloc(1, sizeof *copy->links);
  struct copied_links *links = copy->links;
  if (links->count == links->capacity) {
    links->capacity = links->capacity * 2 + 64;
    links->items = xrealloc(links->items, links->capacity * sizeof *links->items);
  }
  links->items[links->count++] = (struct copied_link){status->st_dev, status->st_ino, xstrdup(path)};
}

struct level {
  int root; /* of the target */
  int from;
  int to;
  unsigned depth;
  struct buffer *path; /* of `to` beneath the root, no NUL */
};

static int link_again(struct copy *copy, const struct level *level, const char *name, const char *first) {
  char *parent = xstrdup(first);
  char *slash = strrchr(parent, '/');
  *slash = '\0';
  int fd = open_beneath(level->root, parent, O_PATH | O_DIRECTORY, 0);
  int result = fd < 0 ? -1 : linkat(fd, slash + 1, level->to, name, 0);
  if (result != 0 && copy->resume && errno == EEXIST) result = 0;
  if (result != 0) fail(copy, name);
  else copy->entries++;
  close_quietly(fd);
  free(parent);
  return result;
}

static int copy_level(struct copy *copy, const struct level *level);

static int copy_directory(struct copy *copy, const struct level *level, const char *name, const struct stat *status) {
  struct level below = {.root = level->root, .from = -1, .to = -1, .depth = level->depth + 1, .path = level->path};
  if (below.depth > DEPTH_MAX) return fail_kind(copy->failure, KIND_INVALID, "nested too deeply", "%s %s", copy->step, name);
  if (mkdirat(level->to, name, 0700) != 0 && !(copy->resume && errno == EEXIST)) return fail(copy, name);
  below.from = openat(level->from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (below.from >= 0) below.to = openat(level->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int result = below.to < 0 ? fail(copy, name) : 0;
  if (result == 0) result = copy_level(copy, &below);
  if (result == 0) result = copy_directory_attributes(copy, below.from, below.to, status);
  if (result == 0) copy->entries++;
  close_quietly(below.from);
  close_quietly(below.to);
  return result;
}

static int copy_child(struct copy *copy, const struct level *level, const char *name) {
  struct stat status;
  if (fstatat(level->from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return fail(copy, name);
  if (S_ISDIR(status.st_mode)) return copy_directory(copy, level, name, &status);
  if (status.st_nlink > 1) {
    struct copied_link *first = find_link(copy->links, &status);
    if (first != NULL) return link_again(copy, level, name, first->path);
    remember_link(copy, &status, level->path->data);
  }
  return copy_entry(copy, level->from, name, level->to, name, &status);
}

static int copy_level(struct copy *copy, const struct level *level) {
  int fd = openat(level->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  int result = 0;
  if (stream == NULL) {
    result = fail(copy, ".");
    close_quietly(fd);
    return result;
  }
  size_t length = level->path->size;
  errno = 0;
  for (struct dirent *entry; result == 0 && (entry = readdir(stream)) != NULL; errno = 0) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    /* `/a/b`, with its NUL after the size. */
    level->path->size = length;
    buffer_printf(level->path, "/%s", entry->d_name);
    buffer_append(level->path, "", 1);
    level->path->size--;
    result = copy_child(copy, level, entry->d_name);
  }
  if (result == 0 && errno != 0) result = fail(copy, ".");
  level->path->size = length;
  closedir(stream);
  return result;
}

int copy_content(struct copy *copy, int from, int to) {
  struct buffer path = {0};
  struct level level = {.root = to, .from = from, .to = to, .path = &path};
  int result = copy_level(copy, &level);
  buffer_free(&path);
  return result;
}

void copy_free(struct copy *copy) {
  if (copy->links == NULL) return;
  for (size_t i = 0; i < copy->links->count; i++) free(copy->links->items[i].path);
  free(copy->links->items);
  free(copy->links);
  copy->links = NULL;
}
