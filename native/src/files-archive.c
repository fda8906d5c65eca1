#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "files.h"
#include "syscalls.h"
#include "tar-output.h"
#include "tree.h"
#include "xattr.h"

#define PIECE (256 * 1024)

/* A file with several names: all but the first are written as links to it. */
struct linked {
  struct linked *next;
  dev_t device;
  ino_t inode;
  char *name; /* in the archive */
};

struct archive {
  struct tar_output out;
  bool whole;           /* the root: what a start mounts at /dev is not its own */
  struct buffer name;   /* of the entry at hand, with a NUL after its size */
  size_t *lengths;      /* of the name of the directory at each depth */
  size_t depth_capacity;
  struct linked **links;
  size_t link_count, link_capacity;
  char *piece;
};

/* --- files with several names --- */

static size_t slot_of(const struct stat *status, size_t capacity) {
  return (size_t)((status->st_ino * 0x9E3779B97F4A7C15ull) ^ status->st_dev) % capacity;
}

static void grow_links(struct archive *archive) {
  size_t capacity = archive->link_capacity * 2 + 256;
  struct linked **links = xcalloc(capacity, sizeof *links);
  for (size_t i = 0; i < archive->link_capacity; i++) {
    for (struct linked *linked = archive->links[i], *next; linked != NULL; linked = next) {
      struct stat status = {.st_dev = linked->device, .st_ino = linked->inode};
      struct linked **slot = &links[slot_of(&status, capacity)];
      next = linked->next;
      linked->next = *slot;
      *slot = linked;
    }
  }
  free(archive->links);
  archive->links = links;
  archive->link_capacity = capacity;
}

/* The name under which the file was written before; NULL where this is the first. */
static const char *first_name(const struct archive *archive, const struct stat *status) {
  if (archive->link_capacity == 0) return NULL;
  for (struct linked *linked = archive->links[slot_of(status, archive->link_capacity)]; linked != NULL; linked = linked->next)
    if (linked->inode == status->st_ino && linked->device == status->st_dev) return linked->name;
  return NULL;
}

static void keep_name(struct archive *archive, const struct stat *status) {
  if (archive->link_count >= archive->link_capacity) grow_links(archive);
  struct linked **slot = &archive->links[slot_of(status, archive->link_capacity)];
  struct linked *linked = xcalloc(1, sizeof *linked);
  *linked = (struct linked){*slot, status->st_dev, status->st_ino, xstrdup(archive->name.data)};
  *slot = linked;
  archive->link_count++;
}

static void release(struct archive *archive) {
  for (size_t i = 0; i < archive->link_capacity; i++) {
    for (struct linked *linked = archive->links[i], *next; linked != NULL; linked = next) {
      next = linked->next;
      free(linked->name);
      free(linked);
    }
  }
  free(archive->links);
  free(archive->lengths);
  free(archive->piece);
  buffer_free(&archive->name);
  tar_output_free(&archive->out);
}

/* --- content --- */

static int shorter(const struct archive *archive) {
  return fail_kind(archive->out.failure, KIND_CONFLICT, "it became shorter while it was read", "%s", archive->name.data);
}

/* Bytes of the file from its position on. */
static int write_piece(struct archive *archive, int fd, uint64_t size) {
  while (size > 0) {
    ssize_t count = read(fd, archive->piece, size < PIECE ? (size_t)size : PIECE);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(archive->out.failure, errno, "%s", archive->name.data);
    if (count == 0) return shorter(archive);
    if (tar_output_data(&archive->out, archive->piece, (size_t)count) != 0) return -1;
    size -= (uint64_t)count;
  }
  return 0;
}

/* Holes are not read: a file may be larger than the disk that it is on. */
static int write_content(struct archive *archive, int fd, uint64_t size) {
  uint64_t at = 0;
  while (at < size) {
    off_t data = lseek(fd, (off_t)at, SEEK_DATA);
    off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
    /* Without an answer all of it is data; ENXIO: there is none any more. */
    if (data < 0) data = errno == ENXIO ? (off_t)size : (off_t)at;
    uint64_t start = (uint64_t)data < size ? (uint64_t)data : size;
    uint64_t end = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
    if (tar_output_zeros(&archive->out, start - at) != 0) return -1;
    if (start < end && lseek(fd, (off_t)start, SEEK_SET) < 0) return fail_errno(archive->out.failure, errno, "%s", archive->name.data);
    if (start < end && write_piece(archive, fd, end - start) != 0) return -1;
    at = end > start ? end : start;
  }
  struct stat status;
  return fstat(fd, &status) == 0 && (uint64_t)status.st_size >= size ? 0 : shorter(archive);
}

/* The inode is held before it is opened, so that it is a file and nothing that was put in its place. */
static int open_file(int parent, const char *name, struct stat *status) {
  char path[40];
  int place = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int fd = -1;
  snprintf(path, sizeof path, "/proc/self/fd/%d", place);
  if (place >= 0 && fstat(place, status) == 0) {
    errno = ENOENT;
    if (S_ISREG(status->st_mode)) fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  }
  close_quietly(place);
  return fd;
}

/* --- entries --- */

static bool describe(const struct stat *status, struct tar_entry *entry) {
  *entry = (struct tar_entry){
      .mode = status->st_mode & 07777,
      .uid = status->st_uid,
      .gid = status->st_gid,
      .mtime = status->st_mtim,
      .major = major(status->st_rdev),
      .minor = minor(status->st_rdev),
  };
  switch (status->st_mode & S_IFMT) {
    case S_IFREG:
      entry->type = TAR_FILE;
      entry->size = (uint64_t)status->st_size;
      return true;
    case S_IFDIR:
      entry->type = TAR_DIRECTORY;
      return true;
    case S_IFLNK:
      entry->type = TAR_SYMBOLIC_LINK;
      return true;
    case S_IFCHR:
      entry->type = TAR_CHARACTER_DEVICE;
      return true;
    case S_IFBLK:
      entry->type = TAR_BLOCK_DEVICE;
      return true;
    case S_IFIFO:
      entry->type = TAR_FIFO;
      return true;
    default:
      return false;
  }
}

static int write_header(struct archive *archive, struct tar_entry *entry, int parent, const char *name) {
  size_t count = 0;
  struct tar_xattr *xattrs = entry->type == TAR_HARD_LINK ? NULL : xattr_read_at(parent, name, &count);
  entry->path = archive->name.data;
  entry->xattrs = xattrs;
  entry->xattr_count = count;
  int result = tar_output_entry(&archive->out, entry);
  xattr_free(xattrs, count);
  return result;
}

static int write_file(struct archive *archive, int parent, const char *name) {
  struct tar_entry entry;
  struct stat status;
  int fd = open_file(parent, name, &status);
  /* Gone, or something else by now. */
  if (fd < 0 && errno == ENOENT) return 0;
  if (fd < 0) return fail_errno(archive->out.failure, errno, "%s", archive->name.data);
  describe(&status, &entry);
  int result = write_header(archive, &entry, parent, name);
  bool full = (uint64_t)status.st_blocks * 512 >= entry.size;
  if (result == 0) result = full ? write_piece(archive, fd, entry.size) : write_content(archive, fd, entry.size);
  if (result == 0 && status.st_nlink > 1) keep_name(archive, &status);
  close_quietly(fd);
  return result;
}

static int write_link(struct archive *archive, struct tar_entry *entry, int parent, const char *name) {
  char target[UNPACK_PATH_MAX];
  ssize_t size = readlinkat(parent, name, target, sizeof target - 1);
  if (size < 0 && (errno == ENOENT || errno == EINVAL)) return 0;
  if (size < 0) return fail_errno(archive->out.failure, errno, "%s", archive->name.data);
  target[size] = '\0';
  entry->link = target;
  return write_header(archive, entry, parent, name);
}

static int write_entry(struct archive *archive, int parent, const char *name, const struct stat *status) {
  struct tar_entry entry;
  /* A socket is nothing without the process that listens to it. */
  if (!describe(status, &entry)) return 0;
  if (status->st_nlink > 1 && entry.type != TAR_DIRECTORY) entry.link = first_name(archive, status);
  if (entry.link != NULL) {
    entry.type = TAR_HARD_LINK;
    entry.size = 0;
    return write_header(archive, &entry, parent, name);
  }
  if (entry.type == TAR_FILE) return write_file(archive, parent, name);
  int result = entry.type == TAR_SYMBOLIC_LINK ? write_link(archive, &entry, parent, name)
                                               : write_header(archive, &entry, parent, name);
  if (result == 0 && status->st_nlink > 1 && entry.type != TAR_DIRECTORY) keep_name(archive, status);
  return result;
}

static void set_name(struct archive *archive, size_t length, const char *format, const char *name) {
  archive->name.size = length;
  buffer_printf(&archive->name, format, name);
  buffer_append(&archive->name, "", 1);
  archive->name.size--;
}

/* `name` is that of the directory at `depth`, and ends in a slash unless it is empty. */
static void keep_length(struct archive *archive, size_t depth) {
  if (depth >= archive->depth_capacity) {
    archive->depth_capacity = depth * 2 + 64;
    archive->lengths = xrealloc(archive->lengths, archive->depth_capacity * sizeof *archive->lengths);
  }
  archive->lengths[depth] = archive->name.size;
}

static int visit_file(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct archive *archive = context;
  (void)failure;
  set_name(archive, archive->lengths[entry->depth], "%s", entry->name);
  return write_entry(archive, entry->parent, entry->name, &entry->status);
}

/* Mounted there, not made: the kernel's trees, and of the whole root the devices that every container is given. */
static bool is_machinery(const struct archive *archive, const struct tree_entry *entry) {
  struct stat above;
  if (fstat(entry->parent, &above) != 0 || above.st_dev == entry->status.st_dev) return false;
  if (archive->whole && entry->depth == 0 && strcmp(entry->name, "dev") == 0) return true;
  int fd = openat(entry->parent, entry->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  bool kernels = fd >= 0 && files_is_kernels(fd);
  close_quietly(fd);
  return kernels;
}

static int visit_directory(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct archive *archive = context;
  (void)failure;
  set_name(archive, archive->lengths[entry->depth], "%s/", entry->name);
  if (write_entry(archive, entry->parent, entry->name, &entry->status) != 0) return -1;
  if (is_machinery(archive, entry)) return TREE_SKIP;
  keep_length(archive, entry->depth + 1);
  return 0;
}

static int write_directory(struct archive *archive, const struct files_found *found, const char *name) {
  struct tree_visitor visitor = {.file = visit_file, .enter = visit_directory, .context = archive, .across = true};
  size_t length = strlen(name);
  set_name(archive, 0, length > 0 && name[length - 1] != '/' ? "%s/" : "%s", name);
  keep_length(archive, 0);
  if (length > 0 && write_entry(archive, found->fd, ".", &found->status) != 0) return -1;
  if (files_is_kernels(found->fd)) return 0;
  return tree_walk(found->fd, &visitor, "read", archive->out.failure);
}

int files_archive(int output, const struct files_found *found, const struct files_naming *naming, struct failure *failure) {
  struct archive archive = {.out = {.fd = output, .times = naming->times, .failure = failure}, .piece = xmalloc(PIECE)};
  const char *name = naming->name;
  archive.whole = found->parent < 0 && found->name[0] == '\0';
  int result;
  if (S_ISDIR(found->status.st_mode)) {
    result = write_directory(&archive, found, name);
  } else {
    set_name(&archive, 0, "%s", name);
    result = write_entry(&archive, found->parent, found->name, &found->status);
  }
  if (result == 0) result = tar_output_end(&archive.out);
  release(&archive);
  return result;
}

/* --- a layer --- */

/* A name that begins so stands for one that is gone. */
#define WHITEOUT ".wh."

/* What is gone by now is not in the layer; a link in place of a directory leads nowhere here. */
static bool is_gone(void) {
  return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
}

static int write_whiteout(struct archive *archive, const char *path, size_t parent) {
  struct tar_entry entry = {.type = TAR_FILE, .mode = 0600};
  /* Without the slash in front; the directory's own stays. */
  set_name(archive, 0, "%s", path + 1);
  set_name(archive, parent, WHITEOUT "%s", path + parent + 1);
  entry.path = archive->name.data;
  return tar_output_entry(&archive->out, &entry);
}

/* `path` is absolute; its directory has `length` characters with the slash at its end. */
static int write_changed(struct archive *archive, int root, const char *path, size_t length) {
  struct stat status;
  char *directory = xmemdup0(path, length);
  int parent = open_beneath(root, directory, O_PATH | O_DIRECTORY, 0);
  int result = 0;
  free(directory);
  if (parent < 0) return is_gone() ? 0 : fail_errno(archive->out.failure, errno, "%s", path);
  if (fstatat(parent, path + length, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    set_name(archive, 0, S_ISDIR(status.st_mode) ? "%s/" : "%s", path + 1);
    result = write_entry(archive, parent, path + length, &status);
  } else if (!is_gone()) {
    result = fail_errno(archive->out.failure, errno, "%s", path);
  }
  close_quietly(parent);
  return result;
}

static int write_opaque(struct archive *archive, const char *path) {
  struct tar_entry entry = {.type = TAR_FILE, .mode = 0600};
  set_name(archive, 0, "%s" WHITEOUT WHITEOUT ".opq", path + 1);
  entry.path = archive->name.data;
  return tar_output_entry(&archive->out, &entry);
}

static int write_change(struct archive *archive, int root, char letter, const char *path) {
  const char *slash = strrchr(path, '/');
  if (letter == 'O' && path[0] == '/' && slash[1] == '\0') return write_opaque(archive, path);
  if (path[0] != '/' || slash[1] == '\0')
    return fail_kind(archive->out.failure, KIND_INVALID, "not an absolute path", "%s", path);
  if (strncmp(slash + 1, WHITEOUT, strlen(WHITEOUT)) == 0)
    return fail_kind(archive->out.failure, KIND_INVALID, "in a layer such a name stands for one that is gone", "%s", path);
  if (letter == 'D') return write_whiteout(archive, path, (size_t)(slash - path));
  return write_changed(archive, root, path, (size_t)(slash - path) + 1);
}

static int read_list(int list, struct buffer *lines, struct failure *failure) {
  char block[16384];
  for (;;) {
    ssize_t count = read(list, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(failure, errno, "list of changes");
    if (count == 0) break;
    buffer_append(lines, block, (size_t)count);
  }
  if (lines->size > 0 && lines->data[lines->size - 1] != '\0')
    return fail_kind(failure, KIND_INVALID, "cut off", "list of changes");
  return 0;
}

int files_layer_lines(const struct files_layer_output *output, int root, const struct buffer *lines, struct failure *failure) {
  struct archive archive = {.out = {.fd = output->fd, .times = output->times, .failure = failure}, .piece = xmalloc(PIECE)};
  int result = 0;
  for (size_t at = 0; result == 0 && at < lines->size; at += strlen(lines->data + at) + 1)
    result = write_change(&archive, root, lines->data[at], lines->data + at + 1);
  if (result == 0) result = tar_output_end(&archive.out);
  release(&archive);
  return result;
}

int files_layer(int output, int root, int list, struct failure *failure) {
  struct buffer lines = {0};
  int result = read_list(list, &lines, failure);
  const struct files_layer_output whole = {.fd = output};
  if (result == 0) result = files_layer_lines(&whole, root, &lines, failure);
  buffer_free(&lines);
  return result;
}
