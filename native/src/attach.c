/* Mounts by descriptor: a clone of a tree gets its flags while nobody sees it, then is put over an open target. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

static const struct word {
  const char *name;
  unsigned long flag;
} words[] = {
    {"ro", MS_RDONLY},           {"nosuid", MS_NOSUID},     {"nodev", MS_NODEV},     {"noexec", MS_NOEXEC},
    {"relatime", MS_RELATIME},   {"noatime", MS_NOATIME},   {"strictatime", MS_STRICTATIME},
    {"nodiratime", MS_NODIRATIME}, {"sync", MS_SYNCHRONOUS}, {"dirsync", MS_DIRSYNC}, {"mand", MS_MANDLOCK},
    {"rec", MS_REC},             {"private", MS_PRIVATE},   {"rprivate", MS_PRIVATE | MS_REC},
    {"shared", MS_SHARED},       {"rshared", MS_SHARED | MS_REC}, {"slave", MS_SLAVE}, {"rslave", MS_SLAVE | MS_REC},
};

/* How far `read-only` goes is no flag of the kernel's. */
static bool add_reach(const char *name, size_t length, struct mount_flags *flags) {
  bool top = length == 5 && memcmp(name, "rotop", length) == 0, all = length == 5 && memcmp(name, "roall", length) == 0;
  if (!top && !all) return false;
  flags->set |= MS_RDONLY;
  flags->readonly = true;
  flags->reach = top ? READONLY_TOP : READONLY_ALL;
  return true;
}

static int add_word(const char *name, size_t length, struct mount_flags *flags) {
  if (add_reach(name, length, flags)) return 0;
  for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
    if (strlen(words[i].name) != length || memcmp(words[i].name, name, length) != 0) continue;
    unsigned long flag = words[i].flag;
    if (flag == MS_REC) {
      flags->recursive = true;
    } else if (flag & (MS_PRIVATE | MS_SHARED | MS_SLAVE)) {
      flags->propagation = flag & ~(unsigned long)MS_REC;
      flags->recursive_propagation = (flag & MS_REC) != 0;
    } else {
      flags->set |= flag;
      if (flag == MS_RDONLY) flags->readonly = true;
    }
    return 0;
  }
  errno = EINVAL;
  return -1;
}

int mount_flags_parse(const char *list, struct mount_flags *flags) {
  memset(flags, 0, sizeof *flags);
  while (*list != '\0') {
    size_t length = strcspn(list, ",");
    if (length > 0 && add_word(list, length, flags) != 0) return -1;
    list += length;
    if (*list == ',') list++;
  }
  return 0;
}

/* The kernel has no open_tree(2) for us: known after the first try. A "clone" is then only the place itself. */
static bool without_descriptors;

int tree_clone(int fd, const char *path, bool recursive) {
  unsigned empty = path[0] == '\0' ? AT_EMPTY_PATH : 0;
  int tree = open_tree_at(fd, path, OPEN_TREE_CLONE | empty | (recursive ? AT_RECURSIVE : 0));
  if (tree >= 0 || errno != ENOSYS) return tree;
  without_descriptors = true;
  return empty ? duplicate_above(fd, 0) : openat(fd, path, O_PATH | O_CLOEXEC);
}

static uint64_t attribute_bits(unsigned long flags) {
  return (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0) | (flags & MS_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
         (flags & MS_NODEV ? MOUNT_ATTR_NODEV : 0) | (flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0) |
         (flags & MS_NOATIME ? MOUNT_ATTR_NOATIME : 0) | (flags & MS_STRICTATIME ? MOUNT_ATTR_STRICTATIME : 0) |
         (flags & MS_NODIRATIME ? MOUNT_ATTR_NODIRATIME : 0);
}

static int set_propagation(int tree, unsigned long propagation, bool recursive) {
  struct mount_attr attributes = {.propagation = propagation};
  return mount_set_attributes(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes, sizeof attributes);
}

static int set_attributes(int tree, const struct mount_flags *flags) {
  struct mount_attr attributes = {.attr_set = attribute_bits(flags->set)};
  if (flags->set & (MS_NOATIME | MS_STRICTATIME | MS_RELATIME)) attributes.attr_clr = MOUNT_ATTR__ATIME;
  unsigned recursive = flags->recursive && flags->reach != READONLY_TOP ? AT_RECURSIVE : 0;
  if (attributes.attr_set != 0 || attributes.attr_clr != 0)
    if (mount_set_attributes(tree, "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes) != 0) return -1;
  /* A clone of a shared mount is its peer: what is mounted in a container must not appear on the machine. */
  if (flags->propagation == MS_SHARED) return 0;
  if (flags->propagation == 0) return set_propagation(tree, MS_PRIVATE, true);
  /* Of the top alone: what is mounted below is a peer of the machine's no more either. */
  if (!flags->recursive_propagation && set_propagation(tree, MS_SLAVE, true) != 0) return -1;
  return set_propagation(tree, flags->propagation, flags->recursive_propagation);
}

/* The flags that a mount has already: a remount must repeat them, in a user namespace they are locked. */
static unsigned long present_flags(const char *path) {
  struct statfs status;
  if (statfs(path, &status) != 0) return 0;
  unsigned long flags = (unsigned long)status.f_flags;
  return (flags & ST_RDONLY ? MS_RDONLY : 0) | (flags & ST_NOSUID ? MS_NOSUID : 0) |
         (flags & ST_NODEV ? MS_NODEV : 0) | (flags & ST_NOEXEC ? MS_NOEXEC : 0) |
         (flags & ST_NOATIME ? MS_NOATIME : 0) | (flags & ST_NODIRATIME ? MS_NODIRATIME : 0) |
         (flags & ST_RELATIME ? MS_RELATIME : 0);
}

/*
 * Without the calls for descriptors (a filter that does not know them): the same by /proc/self/fd. The new mount is
 * found again by its path, and only touched when it shows what was bound. Submounts keep their own flags.
 */
static int attach_by_path(const struct setup *setup, int tree, int target, const char *path,
                          const struct mount_flags *flags) {
  char from[32], to[32];
  struct stat wanted, found;
  if (flags->reach == READONLY_ALL && flags->recursive) {
    errno = EOPNOTSUPP;
    return -1;
  }
  snprintf(from, sizeof from, "/proc/self/fd/%d", tree);
  snprintf(to, sizeof to, "/proc/self/fd/%d", target);
  if (fstat(tree, &wanted) != 0) return -1;
  if (mount(from, to, NULL, MS_BIND | (flags->recursive ? MS_REC : 0), NULL) != 0) return -1;
  int top = open_in_root(setup->root, path, O_PATH, 0);
  if (top < 0) return -1;
  snprintf(to, sizeof to, "/proc/self/fd/%d", top);
  int result = -1;
  unsigned long propagation = flags->propagation != 0 ? flags->propagation : MS_PRIVATE;
  unsigned long below = flags->propagation == 0 || flags->recursive_propagation ? propagation : MS_SLAVE;
  if (fstat(top, &found) != 0 || found.st_dev != wanted.st_dev || found.st_ino != wanted.st_ino) errno = EBUSY;
  else if (flags->set != 0 && mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | present_flags(to) | flags->set, NULL) != 0) result = -1;
  else if (propagation == MS_SHARED) result = 0;
  else if ((result = mount(NULL, to, NULL, below | MS_REC, NULL)) == 0) result = mount(NULL, to, NULL, propagation, NULL);
  close_quietly(top);
  return result;
}

int tree_attach(const struct setup *setup, int tree, int target, const char *path, const struct mount_flags *flags) {
  if (!without_descriptors) {
    if (set_attributes(tree, flags) != 0) return -1;
    return move_mount_to(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  }
  return attach_by_path(setup, tree, target, path, flags);
}
