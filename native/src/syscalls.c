#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util.h"

#define LINKS_MAX 40
#define DEPTH_MAX 4096

static int call_openat2(int directory, const char *path, int flags, mode_t mode, uint64_t resolve) {
  struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve};
  if (flags & (O_CREAT | __O_TMPFILE)) how.mode = mode;
  int fd;
  /* EAGAIN: something was renamed meanwhile and the kernel cannot be sure (openat2(2)). */
  int attempts = 64;
  do fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
  while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --attempts > 0)));
  return fd;
}

/* A filter that does not know the call answers EPERM or ENOSYS; then the walk decides. */
static bool is_missing(void) {
  return errno == ENOSYS || errno == EPERM;
}

static const char *skip_slashes(const char *path) {
  while (*path == '/') path++;
  return path;
}

/* The kernel would allow `..` that stays beneath; nobody of us has a use for it. */
static bool has_dots_component(const char *path) {
  while (*(path = skip_slashes(path)) != '\0') {
    size_t length = strcspn(path, "/");
    if (length == 2 && path[0] == '.' && path[1] == '.') return true;
    path += length;
  }
  return false;
}

int open_beneath(int directory, const char *path, int flags, mode_t mode) {
  const char *relative = skip_slashes(path);
  if (has_dots_component(path)) {
    errno = EXDEV;
    return -1;
  }
  int fd = call_openat2(directory, *relative == '\0' ? "." : relative, flags, mode,
                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  if (fd >= 0 || !is_missing()) return fd;
  return open_beneath_walk(directory, path, flags, mode);
}

int open_in_root(int directory, const char *path, int flags, mode_t mode) {
  int fd = call_openat2(directory, *path == '\0' ? "." : path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  if (fd >= 0 || !is_missing()) return fd;
  return open_in_root_walk(directory, path, flags, mode);
}

int open_within(int directory, const char *path, int flags) {
  int fd = call_openat2(directory, *path == '\0' ? "." : path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
  if (fd >= 0 || !is_missing()) return fd;
  return open_within_walk(directory, path, flags);
}

/* The next component of `*path` into `name`; false at the end. ENAMETOOLONG is left for the kernel to say. */
static bool next_component(const char **path, char name[NAME_MAX + 2], bool *last) {
  const char *start = skip_slashes(*path);
  size_t length = strcspn(start, "/");
  if (length == 0) return false;
  if (length > NAME_MAX) length = NAME_MAX + 1;
  memcpy(name, start, length);
  name[length] = '\0';
  *path = start + strcspn(start, "/");
  *last = *skip_slashes(*path) == '\0';
  return true;
}

static bool is_dots(const char *name) {
  return strcmp(name, "..") == 0;
}

int open_beneath_walk(int directory, const char *path, int flags, mode_t mode) {
  char name[NAME_MAX + 2];
  bool last = false;
  int current = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  bool trailing = *path != '\0' && path[strlen(path) - 1] == '/';
  if (current < 0) return -1;
  while (next_component(&path, name, &last)) {
    if (is_dots(name)) {
      close_quietly(current);
      errno = EXDEV;
      return -1;
    }
    if (strcmp(name, ".") == 0 && !last) continue;
    int step = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (last) step = flags | O_NOFOLLOW | O_CLOEXEC | (trailing ? O_DIRECTORY : 0);
    int next = openat(current, name, step, mode);
    /* O_PATH | O_NOFOLLOW opens a link itself, and O_DIRECTORY on a link says ENOTDIR: both are a link met. */
    struct stat status;
    if (next < 0 && errno == ENOTDIR && fstatat(current, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
      errno = ELOOP;
    close_quietly(current);
    if (next < 0) return -1;
    current = next;
    if (last && !(flags & O_NOFOLLOW) && fstat(current, &status) == 0 && S_ISLNK(status.st_mode)) {
      close(current);
      errno = ELOOP;
      return -1;
    }
    if (last) return current;
  }
  int fd = openat(current, ".", (flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)) | O_CLOEXEC);
  close_quietly(current);
  return fd;
}

/* A path being resolved inside a root: descriptors of the directories from the root down, so that `..` needs no lookup. */
struct walk {
  int *stack;
  size_t depth;
  size_t capacity;
  unsigned links;
  bool strict; /* what leads out is an error, instead of leading to the root */
};

static int walk_push(struct walk *walk, int fd) {
  if (walk->depth == DEPTH_MAX) {
    close_quietly(fd);
    errno = ENAMETOOLONG;
    return -1;
  }
  if (walk->depth == walk->capacity) {
    walk->capacity = walk->capacity * 2 + 16;
    walk->stack = xrealloc(walk->stack, walk->capacity * sizeof *walk->stack);
  }
  walk->stack[walk->depth++] = fd;
  return 0;
}

static void walk_truncate(struct walk *walk, size_t depth) {
  while (walk->depth > depth) close_quietly(walk->stack[--walk->depth]);
}

static int walk_to_root(struct walk *walk) {
  walk_truncate(walk, 1);
  errno = EXDEV;
  return walk->strict ? -1 : 0;
}

static int walk_up(struct walk *walk) {
  if (walk->depth == 1) return walk_to_root(walk);
  walk_truncate(walk, walk->depth - 1);
  return 0;
}

/* `target/rest`, to be resolved instead; NULL with errno. */
static char *read_link(struct walk *walk, int parent, const char *name, const char *rest) {
  char target[PATH_MAX];
  if (++walk->links > LINKS_MAX) {
    errno = ELOOP;
    return NULL;
  }
  ssize_t length = readlinkat(parent, name, target, sizeof target - 1);
  if (length <= 0 || length == (ssize_t)sizeof target - 1) {
    errno = length < 0 ? errno : length == 0 ? ENOENT : ENAMETOOLONG;
    return NULL;
  }
  target[length] = '\0';
  return xasprintf("%s%s", target, rest);
}

static int walk_path(struct walk *walk, const char *path, int flags, mode_t mode) {
  char name[NAME_MAX + 2];
  char *owned = NULL;
  int result = -1;
  bool last = false;
  if (*path == '/' && walk_to_root(walk) != 0) return -1;
  while (next_component(&path, name, &last)) {
    int parent = walk->stack[walk->depth - 1];
    if (strcmp(name, ".") == 0) continue;
    if (is_dots(name)) {
      if (walk_up(walk) != 0) goto out;
      continue;
    }
    struct stat status;
    bool exists = fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    bool slash = *path == '/';
    if (exists && S_ISLNK(status.st_mode) && !(last && !slash && (flags & (O_NOFOLLOW | O_EXCL)))) {
      char *next = read_link(walk, parent, name, path);
      if (next == NULL) goto out;
      free(owned);
      owned = next;
      path = owned;
      if (*path == '/' && walk_to_root(walk) != 0) goto out;
      continue;
    }
    if (last) {
      /* What was seen as no link may be one by now: never followed, the caller sees ELOOP. */
      result = openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC | (slash ? O_DIRECTORY : 0), mode);
      goto out;
    }
    int next = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 || walk_push(walk, next) != 0) goto out;
  }
  result = openat(walk->stack[walk->depth - 1], ".", (flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)) | O_CLOEXEC);
out:;
  int error = errno;
  free(owned);
  errno = error;
  return result;
}

static int open_by_walk(int directory, const char *path, int flags, mode_t mode, bool strict) {
  struct walk walk = {.strict = strict};
  int root = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return -1;
  walk_push(&walk, root);
  int fd = walk_path(&walk, path, flags, mode);
  walk_truncate(&walk, 0);
  int error = errno;
  free(walk.stack);
  errno = error;
  return fd;
}

int open_in_root_walk(int directory, const char *path, int flags, mode_t mode) {
  return open_by_walk(directory, path, flags, mode, false);
}

int open_within_walk(int directory, const char *path, int flags) {
  return open_by_walk(directory, path, flags, 0, true);
}

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

pid_t clone_process(uint64_t flags, int *pidfd, int cgroup) {
  int received = -1;
  struct clone_args arguments = {
      .flags = flags | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
      .pidfd = (uint64_t)(uintptr_t)&received,
      /* A child of our parent has our own signal (clone(2)). */
      .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
      .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
  };
  pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0 && is_missing()) {
    /* The older call cannot clone into a cgroup: the caller has to know that the child is not in it. */
    if (cgroup >= 0) {
      errno = EOPNOTSUPP;
      return -1;
    }
    /* Without clone3 flags are 32 bits wide and the descriptor comes through the parent_tid argument. */
#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv) || defined(__i386__) || defined(__arm__)
    pid = (pid_t)syscall(SYS_clone, (unsigned long)(flags | CLONE_PIDFD | SIGCHLD), 0UL, &received, 0UL, 0UL);
#endif
  }
  if (pid <= 0) return pid;
  if (pidfd != NULL) *pidfd = received;
  else close_quietly(received);
  return pid;
}

int pidfd_open_process(pid_t pid) {
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

int pidfd_kill(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int fs_open(const char *type, unsigned flags) {
  return (int)syscall(SYS_fsopen, type, flags | 1 /* FSOPEN_CLOEXEC */);
}

int fs_config(int fd, unsigned command, const char *key, const void *value, int aux) {
  return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

int fs_mount(int fd, unsigned flags, unsigned attributes) {
  return (int)syscall(SYS_fsmount, fd, flags | 1 /* FSMOUNT_CLOEXEC */, attributes);
}

int open_tree_at(int directory, const char *path, unsigned flags) {
  return (int)syscall(SYS_open_tree, directory, path, flags | O_CLOEXEC);
}

int move_mount_to(int from, const char *from_path, int to, const char *to_path, unsigned flags) {
  return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

int mount_set_attributes(int directory, const char *path, unsigned flags, struct mount_attr *attributes, size_t size) {
  return (int)syscall(SYS_mount_setattr, directory, path, flags, attributes, size);
}

int pivot_root_call(const char *new_root, const char *put_old) {
  return (int)syscall(SYS_pivot_root, new_root, put_old);
}
