/* Operations `bind` and `bindBeneath`. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

struct bind {
  const char *source;
  const char *subpath; /* NULL: the source itself */
  const char *target;
  const char *flags;
  const char *create;
};

static struct bind read_bind(const struct record *record) {
  bool beneath = record->code == OP_BIND_BENEATH;
  char **rest = record->argv + (beneath ? 2 : 1);
  return (struct bind){record->argv[0], beneath ? record->argv[1] : NULL, rest[0], rest[1], rest[2]};
}

/* The directory may be a container's own: links in it that lead out are not followed. */
static int clone_beneath(struct setup *setup, const struct bind *bind, bool recursive) {
  int directory = open(bind->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return fail_errno(setup->failure, errno, "bind %s", bind->source);
  int place = open_within(directory, bind->subpath, O_PATH);
  int tree = place < 0 ? -1 : tree_clone(place, "", recursive);
  if (tree < 0 && errno == EXDEV)
    fail_kind(setup->failure, KIND_INVALID, "a link in it leads out of the volume", "subpath %s of %s", bind->subpath,
              bind->source);
  else if (tree < 0)
    fail_errno(setup->failure, errno, "subpath %s of %s", bind->subpath, bind->source);
  close_quietly(place);
  close_quietly(directory);
  return tree;
}

int setup_bind_source(struct setup *setup, const struct record *record) {
  struct bind bind = read_bind(record);
  struct mount_flags flags;
  if (mount_flags_parse(bind.flags, &flags) != 0)
    return fail_kind(setup->failure, KIND_INVALID, "unknown mount flag", "bind %s", bind.target);
  if (bind.subpath != NULL) return clone_beneath(setup, &bind, flags.recursive);
  int tree = tree_clone(AT_FDCWD, bind.source, flags.recursive);
  return tree >= 0 ? tree : fail_errno(setup->failure, errno, "bind %s", bind.source);
}

static int kind_of_target(const char *create, int source, enum target_kind *kind) {
  struct stat status;
  *kind = TARGET_EXISTING;
  if (create[0] == '\0') return 0;
  if (strcmp(create, "directory") == 0) {
    *kind = TARGET_DIRECTORY;
  } else if (strcmp(create, "file") == 0) {
    *kind = TARGET_FILE;
  } else if (strcmp(create, "auto") == 0 && fstat(source, &status) == 0) {
    *kind = S_ISDIR(status.st_mode) ? TARGET_DIRECTORY : TARGET_FILE;
  } else {
    errno = EINVAL;
    return -1;
  }
  return 0;
}

/* The kernel says no more than "invalid argument" of it. */
static int check_same_kind(struct setup *setup, const char *target, int source, int fd) {
  struct stat from, to;
  if (fstat(source, &from) != 0 || fstat(fd, &to) != 0) return fail_errno(setup->failure, errno, "bind %s", target);
  if (S_ISDIR(from.st_mode) == S_ISDIR(to.st_mode)) return 0;
  const char *reason = S_ISDIR(from.st_mode) ? "the source is a directory, and a file is there in the container"
                                             : "the source is a file, and a directory is there in the container";
  return fail_kind(setup->failure, KIND_INVALID, reason, "bind onto %s", target);
}

int setup_bind(struct setup *setup, const struct record *record, int source) {
  struct bind bind = read_bind(record);
  struct mount_flags flags;
  enum target_kind kind;
  mount_flags_parse(bind.flags, &flags);
  if (kind_of_target(bind.create, source, &kind) != 0) return fail_errno(setup->failure, errno, "bind %s", bind.target);
  int fd = target_open(setup->root, bind.target, kind);
  if (fd < 0) return fail_errno(setup->failure, errno, "bind %s", bind.target);
  int result = target_check_proc(setup, "bind", bind.target, fd, NULL, source);
  if (result == 0) result = check_same_kind(setup, bind.target, source, fd);
  if (result == 0 && (result = tree_attach(setup, source, fd, bind.target, &flags)) != 0)
    fail_errno(setup->failure, errno, "bind %s", bind.target);
  close_quietly(fd);
  return result;
}
