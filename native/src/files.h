/*
 * Files of a container as archives: read, written, compared with its image. The container may run, and work against us:
 * paths are looked up beneath its root, in a copy of its mounts that it cannot change, and what was opened once is kept
 * open. Whatever the tree holds, nothing of it is executed and no device of it opened.
 */
#ifndef FILES_H
#define FILES_H

#include <sys/stat.h>

#include "stream.h"
#include "tar-output.h"
#include "unpack.h"

enum files_result {
  FILES_DONE,
  FILES_FAILED, /* the failure is filled in */
  FILES_ENDED,  /* the run that it was meant for is over: to be done again */
};

/* Where the container's files are: the mounts of its first process, or what setup operations say. */
struct files_place {
  const char *pid, *monitor;
  char *operations;
  size_t operations_size;
};

enum files_view {
  FILES_READ,  /* everything mounted in it too; read-only, and no device can be opened */
  FILES_WRITE, /* the same, as the container has it */
  FILES_ROOT,  /* its root file system alone, to read */
};

/* --- files-enter.c --- */
/* An O_PATH descriptor of the container's root. The machine's own tree stays this process's. */
enum files_result files_enter(const struct files_place *place, enum files_view view, int *root, struct failure *failure);
/* File systems of the kernel's own, which hold no files: proc, sysfs, cgroup. */
bool files_is_kernels(int fd);

/* --- files-path.c --- */
/* A path of the container that is to be read. */
struct files_path {
  const char *clean; /* absolute in the container */
  bool follow;       /* a link at its end too: it must be a directory then */
};
struct files_found {
  int parent; /* of what was found, -1 for the root itself */
  int fd;     /* O_PATH */
  char name[256];
  struct stat status;
};
/* Finds it; a missing path is KIND_NOT_FOUND. */
int files_find(int root, const struct files_path *path, struct files_found *found, struct failure *failure);
void files_close(struct files_found *found);
/* Where the links of a path lead, as far as it exists; what does not is kept as it is. Clean, without a slash in front. */
int files_resolve(int root, const char *path, char resolved[UNPACK_PATH_MAX]);
/* Adds the members that tell of it: size, mode, times, the target of a link. */
void files_describe(struct json *json, int root, const char *path, const struct files_found *found);

/* --- files-archive.c --- */
struct files_naming {
  const char *name; /* what it is called in the archive; empty: the content of the root, without the root */
  const struct tar_times *times; /* NULL: times are as they are */
};
/* Writes what was found as an archive to `output`. */
int files_archive(int output, const struct files_found *found, const struct files_naming *naming, struct failure *failure);

/*
 * Writes what `list` says has changed as a layer (OCI image specification, layer.md) to `output`: letters and paths as
 * `files_changes` writes them, a directory before what is in it.
 */
int files_layer(int output, int root, int list, struct failure *failure);
/* The same, the list at hand. `O` and the path of a directory with a slash at its end: what was there before is hidden. */
struct files_layer_output {
  int fd;
  const struct tar_times *times; /* NULL: times are as they are */
};
int files_layer_lines(const struct files_layer_output *output, int root, const struct buffer *lines, struct failure *failure);

/* --- files-tree.c --- */
struct files_tree {
  int root;     /* of an unpacked layer */
  bool trusted; /* its marks are in trusted.overlay.*, else in user.overlay.* */
  struct tar_times times;
};
/* Writes the layer that was, or could have been, unpacked there. */
int files_tree(int output, const struct files_tree *tree, struct failure *failure);

/* --- files-extract.c --- */
struct files_extraction {
  const char *archive; /* path of the machine */
  const char *directory;
  bool typed; /* a directory and something else never take each other's place */
  bool owned; /* everything belongs to `user`, looked up in the container */
  const char *user;
};
int files_extract(int root, int archive, const struct files_extraction *extraction, struct failure *failure);

/* --- files-changes.c --- */
struct files_comparison {
  int root;  /* the container's */
  int upper; /* what the container wrote: tells where to look */
  int image;
  char *const *ignored; /* NULL-terminated; absolute paths that are neither compared nor told */
};
/* Writes a letter (A, C, D) and a path, each with a NUL at its end, for everything that differs. */
int files_changes(int output, const struct files_comparison *comparison, struct failure *failure);

/* --- files-list.c --- */
/*
 * Writes what is at `path` and below: where its links lead, then for each entry (the first is itself) four fields: its path
 * beneath, numbers (mode in octal, owner, group, size, time, device:inode, names, numbers of a device), a digest of its
 * extended attributes, and the digest of its content (with `digests`) or the target of a link. Each has a NUL at its end.
 */
int files_list(int output, int root, const char *path, bool digests, struct failure *failure);

/* --- files-copy.c --- */
struct files_copying {
  int root;          /* of the target */
  int source;        /* a directory, or the root of layers; -1: nothing is copied */
  const char *owner; /* everything belongs to them, looked up in the target; empty: to whom the list says */
};
/* `list`: records of fields with a NUL each, docs/native.md. */
int files_copy(const struct files_copying *copying, int list, struct failure *failure);

/* --- files-settle.c --- */
/*
 * Takes out of an upper directory the `count` places of mounts that nothing was put into and the layers below (`lower`, -1:
 * none) do not have; deeper ones come first. Directories that were made or copied for them alone go too.
 */
int files_settle(int upper, int lower, char *const *paths, uint64_t count, struct failure *failure);

#endif
