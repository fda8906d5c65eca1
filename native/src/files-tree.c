/*
 * An unpacked layer as an archive again: overlay marks become the names that stand for them (OCI image specification,
 * layer.md). The same tree makes the same bytes, so the archive need not be kept.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "files.h"
#include "tree.h"

struct listing {
  const char *opaque_name; /* the attribute of a directory that hides what is below it */
  struct buffer path;      /* of the directory at hand, with a slash at its end */
  size_t *lengths;         /* of `path` at each depth */
  size_t depth_capacity;
  char **lines; /* a letter and an absolute path, as files_layer_entries reads them */
  size_t count, capacity;
};

static void add_line(struct listing *listing, char letter, const char *name) {
  if (listing->count == listing->capacity) {
    listing->capacity = listing->capacity * 2 + 256;
    listing->lines = xrealloc(listing->lines, listing->capacity * sizeof *listing->lines);
  }
  listing->lines[listing->count++] = xasprintf("%c%.*s%s", letter, (int)listing->path.size, listing->path.data, name);
}

static void keep_length(struct listing *listing, size_t depth) {
  if (depth >= listing->depth_capacity) {
    listing->depth_capacity = depth * 2 + 64;
    listing->lengths = xrealloc(listing->lengths, listing->depth_capacity * sizeof *listing->lengths);
  }
  listing->lengths[depth] = listing->path.size;
}

static bool stands_for_gone(const struct stat *status) {
  return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

static bool hides_below(const struct listing *listing, int directory) {
  char value[2];
  return fgetxattr(directory, listing->opaque_name, value, sizeof value) == 1 && value[0] == 'y';
}

static int visit_file(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct listing *listing = context;
  (void)failure;
  listing->path.size = listing->lengths[entry->depth];
  add_line(listing, stands_for_gone(&entry->status) ? 'D' : 'A', entry->name);
  return 0;
}

static int enter_directory(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct listing *listing = context;
  listing->path.size = listing->lengths[entry->depth];
  add_line(listing, 'A', entry->name);
  buffer_printf(&listing->path, "%s/", entry->name);
  keep_length(listing, entry->depth + 1);
  int fd = tree_open(entry->parent, entry->name);
  if (fd < 0) return fail_errno(failure, errno, "read %s", listing->lines[listing->count - 1] + 1);
  if (hides_below(listing, fd)) add_line(listing, 'O', "");
  close_quietly(fd);
  return 0;
}

/* A directory comes before what is in it, and what is in it before its next neighbour. */
static int compare(const void *first, const void *second) {
  const unsigned char *a = (const unsigned char *)*(char *const *)first + 1;
  const unsigned char *b = (const unsigned char *)*(char *const *)second + 1;
  while (*a == *b && *a != '\0') a++, b++;
  if (*a == *b) return 0;
  if (*a == '\0' || *b == '\0') return *a == '\0' ? -1 : 1;
  if (*a == '/' || *b == '/') return *a == '/' ? -1 : 1;
  return *a < *b ? -1 : 1;
}

static void release(struct listing *listing) {
  for (size_t i = 0; i < listing->count; i++) free(listing->lines[i]);
  free(listing->lines);
  free(listing->lengths);
  buffer_free(&listing->path);
}

int files_tree(int output, const struct files_tree *tree, struct failure *failure) {
  struct listing listing = {.opaque_name = tree->trusted ? "trusted.overlay.opaque" : "user.overlay.opaque"};
  struct tree_visitor visitor = {.file = visit_file, .enter = enter_directory, .context = &listing};
  struct buffer lines = {0};
  buffer_append(&listing.path, "/", 1);
  keep_length(&listing, 0);
  if (hides_below(&listing, tree->root)) add_line(&listing, 'O', "");
  int result = tree_walk(tree->root, &visitor, "read", failure);
  if (result == 0) {
    qsort(listing.lines, listing.count, sizeof *listing.lines, compare);
    for (size_t i = 0; i < listing.count; i++) buffer_append(&lines, listing.lines[i], strlen(listing.lines[i]) + 1);
    const struct files_layer_output layer = {.fd = output, .times = &tree->times};
    result = files_layer_lines(&layer, tree->root, &lines, failure);
  }
  buffer_free(&lines);
  release(&listing);
  return result;
}
