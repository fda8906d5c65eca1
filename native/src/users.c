/*
 * Users and groups of a container, looked up in its own /etc/passwd and /etc/group. Both files come from an image that
 * may be hostile: no link is followed to them, only regular files of a bounded size are read, and numbers are whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

#define FILE_MAX (4u * 1024 * 1024)
#define ID_MAX 2147483647u

struct entry {
  char *fields[7];
  unsigned count;
};

/* The container's masks put the null device over a file: it is as good as missing. */
static bool is_masked(const struct stat *status) {
  return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

/*
 * Looks before it opens: opening alone makes some devices act (a watchdog starts to count), and whoever looks from outside
 * is in no cgroup that would refuse it. -1 with errno.
 */
static int open_users(int root, const char *path, struct stat *status) {
  char own[40];
  int place = open_in_root(root, path, O_PATH | O_NOFOLLOW, 0);
  if (place < 0) return -1;
  int fd = -1;
  if (fstat(place, status) == 0) {
    errno = S_ISLNK(status->st_mode) ? ELOOP : EINVAL;
    if (is_masked(status)) errno = ENOENT;
    snprintf(own, sizeof own, "/proc/self/fd/%d", place);
    if (S_ISREG(status->st_mode)) {
      fd = open(own, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      /* A container may have no /proc. */
      if (fd < 0 && errno == ENOENT) fd = open_in_root(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    }
  }
  close_quietly(place);
  return fd;
}

/* Reads the file into `out`, NUL-terminated; a missing one is empty. */
static int read_users(int root, const char *path, struct buffer *out) {
  struct stat status;
  int fd = open_users(root, path, &status);
  int result = -1;
  if (fd < 0 && errno == ENOENT) {
    result = 0;
  } else if (fd >= 0 && fstat(fd, &status) == 0) {
    if (!S_ISREG(status.st_mode)) errno = EINVAL;
    else if (status.st_size > FILE_MAX) errno = EFBIG;
    else result = read_to_end(fd, FILE_MAX, out);
  }
  close_quietly(fd);
  if (result == 0) buffer_append(out, "", 1);
  return result;
}

/* Splits the next line at colons, in place. */
static bool next_entry(char **rest, struct entry *entry) {
  if (*rest == NULL || **rest == '\0') return false;
  char *line = *rest;
  char *end = strchr(line, '\n');
  if (end != NULL) *end = '\0';
  *rest = end == NULL ? NULL : end + 1;
  entry->count = 0;
  while (entry->count < ARRAY_SIZE(entry->fields)) {
    entry->fields[entry->count++] = line;
    char *colon = strchr(line, ':');
    if (colon == NULL) break;
    *colon = '\0';
    line = colon + 1;
  }
  return true;
}

static bool parse_id(const char *text, uint32_t *out) {
  uint64_t value;
  if (!parse_unsigned(text, ID_MAX, &value)) return false;
  *out = (uint32_t)value;
  return true;
}

/* A number that cannot be an id (`-1`, 4294967296), as opposed to a name. */
static bool is_number(const char *text) {
  if (*text == '-' || *text == '+') text++;
  return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

static void add_group(struct user *user, gid_t gid) {
  /* One more than the kernel takes: setgroups says so. A hostile file could make the search below very long. */
  if (user->group_count > NGROUPS_MAX) return;
  for (size_t i = 0; i < user->group_count; i++)
    if (user->groups[i] == gid) return;
  user->groups = xrealloc(user->groups, (user->group_count + 1) * sizeof *user->groups);
  user->groups[user->group_count++] = gid;
}

/* The user part. `name` becomes the matched entry's name, to be freed, or stays NULL. */
static int find_user(int root, const char *wanted, struct user *out, char **name, struct failure *failure) {
  struct buffer file = {0};
  struct entry entry;
  uint32_t uid = 0;
  bool numeric = wanted[0] == '\0' || parse_id(wanted, &uid);
  if (!numeric && is_number(wanted))
    return fail_kind(failure, KIND_INVALID, "user and group ids must be in range 0-2147483647", "user %s", wanted);
  if (read_users(root, "/etc/passwd", &file) != 0) {
    buffer_free(&file);
    return fail_errno(failure, errno, "read /etc/passwd of the container");
  }
  char *rest = file.data;
  bool found = false;
  while (!found && next_entry(&rest, &entry)) {
    uint32_t entry_uid, entry_gid;
    if (entry.count < 4 || !parse_id(entry.fields[2], &entry_uid) || !parse_id(entry.fields[3], &entry_gid)) continue;
    if (numeric ? entry_uid != uid : strcmp(entry.fields[0], wanted) != 0) continue;
    found = true;
    out->uid = entry_uid;
    out->gid = entry_gid;
    *name = xstrdup(entry.fields[0]);
    if (entry.count > 5 && entry.fields[5][0] != '\0') out->home = xstrdup(entry.fields[5]);
  }
  buffer_free(&file);
  if (!found && !numeric)
    return fail_kind(failure, KIND_INVALID, "no matching entries in the container's passwd file", "user %s", wanted);
  if (!found) out->uid = uid;
  return 0;
}

static bool is_member(char *list, const char *name) {
  for (char *member = strsep(&list, ","); member != NULL; member = strsep(&list, ","))
    if (strcmp(member, name) == 0) return true;
  return false;
}

/* The id of one group, by name or number. */
static int find_group(int root, const char *wanted, gid_t *gid, struct failure *failure) {
  struct buffer file = {0};
  struct entry entry;
  uint32_t id;
  if (parse_id(wanted, &id)) {
    *gid = id;
    return 0;
  }
  if (is_number(wanted))
    return fail_kind(failure, KIND_INVALID, "user and group ids must be in range 0-2147483647", "group %s", wanted);
  if (read_users(root, "/etc/group", &file) != 0) {
    buffer_free(&file);
    return fail_errno(failure, errno, "read /etc/group of the container");
  }
  char *rest = file.data;
  bool found = false;
  while (!found && next_entry(&rest, &entry))
    if (entry.count >= 3 && strcmp(entry.fields[0], wanted) == 0 && parse_id(entry.fields[2], &id)) found = true;
  buffer_free(&file);
  if (!found)
    return fail_kind(failure, KIND_INVALID, "no matching entries in the container's group file", "group %s", wanted);
  *gid = id;
  return 0;
}

/* Groups that list the user; only where no group was given, as Docker does. */
static int add_memberships(int root, const char *name, struct user *out, struct failure *failure) {
  struct buffer file = {0};
  struct entry entry;
  if (read_users(root, "/etc/group", &file) != 0) {
    buffer_free(&file);
    return fail_errno(failure, errno, "read /etc/group of the container");
  }
  char *rest = file.data;
  while (next_entry(&rest, &entry)) {
    uint32_t gid;
    if (entry.count >= 4 && parse_id(entry.fields[2], &gid) && is_member(entry.fields[3], name)) add_group(out, gid);
  }
  buffer_free(&file);
  return 0;
}

int user_lookup(int root, const char *user, char **groups, struct user *out, struct failure *failure) {
  char *wanted = xstrdup(user);
  char *group = strchr(wanted, ':');
  char *name = NULL;
  if (group != NULL) *group++ = '\0';
  memset(out, 0, sizeof *out);
  int result = find_user(root, wanted, out, &name, failure);
  if (result == 0 && group != NULL && group[0] != '\0') result = find_group(root, group, &out->gid, failure);
  if (result == 0) {
    add_group(out, out->gid);
    if ((group == NULL || group[0] == '\0') && name != NULL) result = add_memberships(root, name, out, failure);
  }
  for (; result == 0 && groups != NULL && *groups != NULL; groups++) {
    gid_t gid;
    result = find_group(root, *groups, &gid, failure);
    if (result == 0) add_group(out, gid);
  }
  if (out->home == NULL) out->home = xstrdup("/");
  free(name);
  free(wanted);
  return result;
}
