#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "serve.h"
#include "syscalls.h"
#include "tree.h"

/* chattr +i and +a keep even root from removing. Only files and directories have such flags; nothing else is opened. */
static bool clear_immutable(int parent, const char *name) {
  struct stat status;
  int flags = 0;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return false;
  int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  bool cleared = false;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0) {
    flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
    cleared = ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
  }
  close(fd);
  return cleared;
}

/* A directory that is no longer writable to its owner, who has no privileges. */
static bool make_writable(int parent) {
  struct stat status;
  if (fstat(parent, &status) != 0 || (status.st_mode & 0300) == 0300) return false;
  return fchmod(parent, status.st_mode | 0700) == 0;
}

static int remove_entry(int parent, const char *name, int flags, const char *step, struct failure *failure) {
  for (int attempt = 0; attempt < 4; attempt++) {
    if (unlinkat(parent, name, flags) == 0 || errno == ENOENT) return 0;
    int error = errno;
    bool changed = false;
    if (error == EPERM) {
      changed = clear_immutable(parent, name);
      changed = clear_immutable(parent, ".") || changed;
    }
    if (error == EACCES) changed = make_writable(parent);
    if (error == EBUSY) return fail_kind(failure, KIND_CONFLICT, "is a mount point", "%s %s", step, name);
    if (!changed) return fail_errno(failure, error, "%s %s", step, name);
  }
  return fail_errno(failure, EPERM, "%s %s", step, name);
}

struct removal {
  uint64_t *entries;
  const char *step;
};

static int remove_file(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct removal *removal = context;
  if (remove_entry(entry->parent, entry->name, 0, removal->step, failure) != 0) return -1;
  (*removal->entries)++;
  return 0;
}

static int remove_directory(const struct tree_entry *entry, void *context, struct failure *failure) {
  struct removal *removal = context;
  if (remove_entry(entry->parent, entry->name, AT_REMOVEDIR, removal->step, failure) != 0) return -1;
  (*removal->entries)++;
  return 0;
}

/* Whoever looks whether somebody is at it makes a lock in it, also in the moment before it goes. */
#define MAX_ATTEMPTS 100

int tree_remove(int parent, const char *name, uint64_t *entries, const char *step, struct failure *failure) {
  struct removal removal = {.entries = entries, .step = step};
  struct tree_visitor visitor = {
      .file = remove_file, .leave = remove_directory, .context = &removal, .removing = true};
  struct tree_entry entry = {.parent = parent, .name = name};
  if (fstatat(parent, name, &entry.status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? 0 : fail_errno(failure, errno, "%s %s", step, name);
  if (!S_ISDIR(entry.status.st_mode)) return remove_file(&entry, &removal, failure);
  for (int attempt = 1;; attempt++) {
    int fd = tree_open(parent, name);
    if (fd < 0 && errno == EACCES && chmod_at(parent, name, 0700) == 0) fd = tree_open(parent, name);
    if (fd < 0 && errno == ENOENT) return 0;
    if (fd < 0 && errno == EXDEV) return fail_kind(failure, KIND_CONFLICT, "is a mount point", "%s %s", step, name);
    if (fd < 0) return fail_errno(failure, errno, "%s %s", step, name);
    int result = tree_walk(fd, &visitor, step, failure);
    close_quietly(fd);
    if (result != 0) return -1;
    if (attempt < MAX_ATTEMPTS && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno == ENOTEMPTY) continue;
    return remove_directory(&entry, &removal, failure);
  }
}

struct request {
  const char *root;
  const char *path;
};

/* Splits off the last component; `.` and `..` are none. */
static const char *last_component(char *path) {
  size_t length = strlen(path);
  while (length > 0 && path[length - 1] == '/') path[--length] = '\0';
  char *slash = strrchr(path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return NULL;
  if (slash != NULL) *slash = '\0';
  return name;
}

static int remove_beneath(int root, const char *path, uint64_t *entries, struct failure *failure) {
  char *copy = xstrdup(path);
  const char *name = last_component(copy);
  if (name == NULL) return fail_kind(failure, KIND_INVALID, "names no entry", "removeTree %s", path);
  int parent = open_beneath(root, name == copy ? "." : copy, O_RDONLY | O_DIRECTORY, 0);
  if (parent < 0) return errno == ENOENT ? 0 : fail_errno(failure, errno, "removeTree %s", path);
  return tree_remove(parent, name, entries, "removeTree", failure);
}

/* In a child that ends afterwards: nothing is freed. */
static void run_remove(int status, void *context) {
  const struct request *request = context;
  struct failure failure;
  struct json json = {0};
  uint64_t entries = 0;
  int root = open(request->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = root >= 0 ? remove_beneath(root, request->path, &entries, &failure)
                         : fail_errno(&failure, errno, "removeTree in %s", request->root);
  if (result != 0) {
    send_failure(status, &failure);
    return;
  }
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_member_number(&json, "entries", (int64_t)entries);
  json_close(&json, '}');
  json_send(&json, status);
}

void remove_tree_request(uint64_t request, const struct record *record) {
  struct failure failure;
  if (record_texts(record, &failure) != 0) {
    serve_reply_failure(request, &failure);
    return;
  }
  struct request arguments = {.root = record->argv[1], .path = record->argv[2]};
  struct job_options options = {.request = request, .step = "removeTree", .run = run_remove, .context = &arguments};
  serve_job(&options);
}
