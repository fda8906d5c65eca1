/* Operations `overlay`, `mount` and `readonlyRoot`. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

#ifndef OVERLAYFS_SUPER_MAGIC
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#endif
/* mount(2) takes one page of options. */
#define OPTIONS_MAX 4000

static int open_layer(struct setup *setup, const char *path) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_errno(setup->failure, errno, "overlay %s", path);
  return fd;
}

/* The kernel splits options at commas and lower directories at colons; short names by descriptor avoid both. */
static bool is_plain(const char *path) {
  return strpbrk(path, ":,\\") == NULL;
}

static void append_layer(struct buffer *options, const char *path, int fd, bool by_name) {
  if (by_name) buffer_text(options, path);
  else buffer_printf(options, "/proc/self/fd/%d", fd);
}

void overlay_forget_volatile(int work) {
  unlinkat(work, "work/incompat/volatile/dirty", 0);
  unlinkat(work, "work/incompat/volatile", AT_REMOVEDIR);
  unlinkat(work, "work/incompat", AT_REMOVEDIR);
}

static int open_overlay_root(struct setup *setup, const char *path) {
  struct statfs status;
  setup->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (setup->root < 0) return fail_errno(setup->failure, errno, "overlay %s", path);
  if (fstatfs(setup->root, &status) == 0 && status.f_type == OVERLAYFS_SUPER_MAGIC) return 0;
  return fail_kind(setup->failure, KIND_CONFLICT, "the directory was replaced while it was mounted", "overlay %s", path);
}

static int mount_overlay(struct setup *setup, const struct record *record, const int *layers, int upper, int work) {
  char **lowers = record->argv + 3;
  unsigned count = record->argc - 3;
  struct buffer options = {0};
  size_t length = strlen(record->argv[0]) + strlen(record->argv[1]) + strlen(record->argv[2]) + 64;
  bool by_name = is_plain(record->argv[0]) && is_plain(record->argv[1]);
  for (unsigned i = 0; i < count; i++) {
    length += strlen(lowers[i]) + 1;
    by_name = by_name && is_plain(lowers[i]);
  }
  by_name = by_name && length < OPTIONS_MAX;
  buffer_text(&options, "lowerdir=");
  for (unsigned i = 0; i < count; i++) {
    if (i > 0) buffer_text(&options, ":");
    append_layer(&options, lowers[i], layers[i], by_name);
  }
  if (upper >= 0) {
    buffer_text(&options, ",upperdir=");
    append_layer(&options, record->argv[0], upper, by_name);
    buffer_text(&options, ",workdir=");
    append_layer(&options, record->argv[1], work, by_name);
  }
  if (record->argv[2][0] != '\0') buffer_printf(&options, ",%s", record->argv[2]);
  buffer_append(&options, "", 1);
  /* Over its own upper directory: only this mount namespace sees it, and no directory has to be made for it. */
  const char *place = upper >= 0 ? record->argv[0] : lowers[0];
  int result = 0;
  if (mount("overlay", place, "overlay", 0, options.data) != 0)
    result = fail_errno(setup->failure, errno, "overlay %s", place);
  buffer_free(&options);
  return result == 0 ? open_overlay_root(setup, place) : -1;
}

/* One directory alone, no layers: it is the root itself. */
static int bind_root(struct setup *setup, const char *path) {
  if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) != 0) return fail_errno(setup->failure, errno, "overlay %s", path);
  setup->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return setup->root < 0 ? fail_errno(setup->failure, errno, "overlay %s", path) : 0;
}

int setup_overlay(struct setup *setup, const struct record *record) {
  unsigned count = record->argc - 3;
  int upper = -1, work = -1;
  if (setup->root >= 0) return fail_kind(setup->failure, KIND_INVALID, "a second root", "overlay");
  setup->stage_path = record->argv[1][0] != '\0' ? record->argv[1] : record->argv[0];
  if (record->argv[0][0] != '\0' && (upper = open_layer(setup, record->argv[0])) < 0) return -1;
  if (count == 0 && upper >= 0) {
    close(upper);
    return bind_root(setup, record->argv[0]);
  }
  if (count == 0) return fail_kind(setup->failure, KIND_INVALID, "no layers", "overlay");
  if (upper >= 0 && (work = open_layer(setup, record->argv[1])) < 0) return -1;
  if (upper < 0) setup->stage_path = record->argv[3];
  /* Whoever had it mounted so was killed: what was written then is as good as what any program writes. */
  if (work >= 0) overlay_forget_volatile(work);
  int *layers = xmalloc(count * sizeof *layers);
  unsigned opened = 0;
  while (opened < count && (layers[opened] = open_layer(setup, record->argv[3 + opened])) >= 0) opened++;
  int result = opened < count ? -1 : mount_overlay(setup, record, layers, upper, work);
  while (opened > 0) close(layers[--opened]);
  free(layers);
  close_quietly(upper);
  close_quietly(work);
  return result;
}

/*
 * The kernel's own trees are mounted on real directories only: through a link in the image, later writes to /proc or
 * /dev would go somewhere else.
 */
static bool must_be_directory(const char *target) {
  return strcmp(target, "/proc") == 0 || strcmp(target, "/sys") == 0 || strcmp(target, "/dev") == 0;
}

/* A memory file system over a directory that exists has its mode, unless another is asked for: as runc does. */
static char *options_of(const char *type, const char *data, mode_t existing) {
  if (existing == 0 || strcmp(type, "tmpfs") != 0) return xstrdup(data);
  return xasprintf("mode=%04o%s%s", (unsigned)existing & 07777, data[0] != '\0' ? "," : "", data);
}

static mode_t mode_of(int root, const char *target) {
  struct stat status;
  int fd = target_open(root, target, TARGET_EXISTING);
  mode_t mode = fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) ? status.st_mode : 0;
  close_quietly(fd);
  return mode;
}

/* The new mount is on top now: the descriptor from before shows what it covers. */
static int spread(const struct setup *setup, const char *target, const struct mount_flags *flags) {
  char place[32];
  int top = open_in_root(setup->root, target, O_PATH, 0);
  if (top < 0) return -1;
  snprintf(place, sizeof place, "/proc/self/fd/%d", top);
  int result = mount(NULL, place, NULL, flags->propagation | (flags->recursive_propagation ? MS_REC : 0), NULL);
  close_quietly(top);
  return result;
}

int setup_mount(struct setup *setup, const struct record *record) {
  const char *type = record->argv[0], *source = record->argv[1], *target = record->argv[2], *data = record->argv[4];
  struct mount_flags flags;
  char place[32];
  if (mount_flags_parse(record->argv[3], &flags) != 0)
    return fail_kind(setup->failure, KIND_INVALID, "unknown mount flag", "mount %s", target);
  mode_t existing = mode_of(setup->root, target);
  int fd = target_open(setup->root, target, TARGET_DIRECTORY);
  if (fd >= 0 && must_be_directory(target)) {
    close(fd);
    fd = open_beneath(setup->root, target, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
      return fail_kind(setup->failure, KIND_INVALID, "a symbolic link in the image, it must be a directory", "mount %s",
                       target);
  }
  if (fd < 0) return fail_errno(setup->failure, errno, "mount %s", target);
  if (target_check_proc(setup, "mount", target, fd, type, -1) != 0) {
    close(fd);
    return -1;
  }
  snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
  char *options = options_of(type, data, existing);
  int result = mount(source, place, type, flags.set, options[0] != '\0' ? options : NULL);
  if (result == 0 && flags.propagation != 0) result = spread(setup, target, &flags);
  if (result != 0) fail_errno(setup->failure, errno, "mount %s", target);
  free(options);
  close_quietly(fd);
  return result;
}

int setup_readonly_root(struct setup *setup) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
  char place[32];
  if (mount_set_attributes(setup->root, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return 0;
  snprintf(place, sizeof place, "/proc/self/fd/%d", setup->root);
  if (errno == ENOSYS && mount(NULL, place, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0) return 0;
  return fail_errno(setup->failure, errno, "read-only root");
}
