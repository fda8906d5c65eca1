/* Operations `device`, `symlink` and `directory`. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "setup.h"

struct node {
  mode_t type;
  dev_t number;
  unsigned mode;
  uint64_t uid, gid;
};

static int read_node(struct setup *setup, const struct record *record, struct node *node) {
  uint64_t major_number, minor_number;
  if (strcmp(record->argv[1], "c") != 0 && strcmp(record->argv[1], "b") != 0)
    return fail_kind(setup->failure, KIND_INVALID, "type is neither c nor b", "device %s", record->argv[0]);
  if (record_unsigned(record, 2, 4095, &major_number, setup->failure) != 0) return -1;
  if (record_unsigned(record, 3, 1048575, &minor_number, setup->failure) != 0) return -1;
  if (!parse_octal(record->argv[4], 07777, &node->mode))
    return fail_kind(setup->failure, KIND_INVALID, "mode is not octal", "device %s", record->argv[0]);
  if (record_unsigned(record, 5, UINT32_MAX - 1, &node->uid, setup->failure) != 0) return -1;
  if (record_unsigned(record, 6, UINT32_MAX - 1, &node->gid, setup->failure) != 0) return -1;
  node->type = record->argv[1][0] == 'c' ? S_IFCHR : S_IFBLK;
  node->number = makedev((unsigned)major_number, (unsigned)minor_number);
  return 0;
}

/* Where device files may not be made (a user namespace): the machine's own is bound, if it is the same device. */
static int bind_machine_device(struct setup *setup, const char *target, const char *source, const struct node *node) {
  struct stat status;
  struct mount_flags flags = {.set = MS_NOSUID | MS_NOEXEC};
  int tree = tree_clone(AT_FDCWD, source, false);
  if (tree < 0) return -1;
  int result = -1;
  if (fstat(tree, &status) != 0 || (status.st_mode & S_IFMT) != node->type || status.st_rdev != node->number) {
    errno = ENODEV;
  } else {
    int fd = target_open(setup->root, target, TARGET_FILE);
    if (fd >= 0) result = tree_attach(setup, tree, fd, target, &flags);
    close_quietly(fd);
  }
  close_quietly(tree);
  return result;
}

/*
 * The same device that is there already (of the image, of an earlier start) stays as it is. Another file is not replaced:
 * the name may lie in a directory of the machine.
 */
static int make_node(int parent, const char *name, const struct node *node) {
  struct stat status;
  if (mknodat(parent, name, node->type | node->mode, node->number) == 0)
    return fchownat(parent, name, (uid_t)node->uid, (gid_t)node->gid, AT_SYMLINK_NOFOLLOW);
  if (errno != EEXIST) return -1;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && (status.st_mode & S_IFMT) == node->type &&
      status.st_rdev == node->number)
    return 0;
  errno = EEXIST;
  return -1;
}

int setup_device(struct setup *setup, const struct record *record) {
  const char *target = record->argv[0];
  char name[256];
  struct node node;
  if (read_node(setup, record, &node) != 0) return -1;
  int parent = target_parent(setup->root, target, name);
  if (parent < 0) return fail_errno(setup->failure, errno, "device %s", target);
  int result = make_node(parent, name, &node);
  if (result != 0 && errno == EPERM) result = bind_machine_device(setup, target, record->argv[7], &node);
  if (result != 0) fail_errno(setup->failure, errno, "device %s", target);
  close_quietly(parent);
  return result;
}

int setup_symlink(struct setup *setup, const struct record *record) {
  char name[256];
  int parent = target_parent(setup->root, record->argv[1], name);
  if (parent < 0) return fail_errno(setup->failure, errno, "symlink %s", record->argv[1]);
  /* What the image has at this name stays. */
  int result = symlinkat(record->argv[0], parent, name);
  if (result != 0 && errno == EEXIST) result = 0;
  if (result != 0) fail_errno(setup->failure, errno, "symlink %s", record->argv[1]);
  close_quietly(parent);
  return result;
}

int setup_directory(struct setup *setup, const struct record *record) {
  const char *target = record->argv[0];
  char name[256];
  unsigned mode;
  uint64_t uid, gid;
  if (!parse_octal(record->argv[1], 07777, &mode))
    return fail_kind(setup->failure, KIND_INVALID, "mode is not octal", "directory %s", target);
  if (record_unsigned(record, 2, UINT32_MAX - 1, &uid, setup->failure) != 0) return -1;
  if (record_unsigned(record, 3, UINT32_MAX - 1, &gid, setup->failure) != 0) return -1;
  int fd = target_open(setup->root, target, TARGET_EXISTING);
  if (fd >= 0 || errno != ENOENT) {
    close_quietly(fd);
    return fd >= 0 ? 0 : fail_errno(setup->failure, errno, "directory %s", target);
  }
  int parent = target_parent(setup->root, target, name);
  if (parent < 0) return fail_errno(setup->failure, errno, "directory %s", target);
  int result = mkdirat(parent, name, 0700);
  if (result == 0) {
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    result = fd >= 0 && fchown(fd, (uid_t)uid, (gid_t)gid) == 0 && fchmod(fd, mode) == 0 ? 0 : -1;
  }
  if (result != 0) fail_errno(setup->failure, errno, "directory %s", target);
  close_quietly(fd);
  close_quietly(parent);
  return result;
}
