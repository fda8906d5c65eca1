/* Layers say what they take away by names that start with `.wh.`; an overlay says it by marks (OCI image spec, layer.md). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "unpack.h"
#include "xattr.h"

#define PREFIX ".wh."
#define META PREFIX PREFIX

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum whiteout_kind whiteout_kind(const char *clean) {
  const char *name = clean;
  for (const char *slash; (slash = strchr(name, '/')) != NULL; name = slash + 1) {
    if (starts_with(name, META)) return WHITEOUT_IGNORED;
    if (starts_with(name, PREFIX)) return WHITEOUT_INVALID;
  }
  if (strcmp(name, META ".opq") == 0) return WHITEOUT_OPAQUE;
  if (starts_with(name, META)) return WHITEOUT_IGNORED;
  if (!starts_with(name, PREFIX)) return WHITEOUT_NONE;
  const char *hidden = name + strlen(PREFIX);
  bool names_nothing = *hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0;
  return names_nothing ? WHITEOUT_INVALID : WHITEOUT_HIDE;
}

bool is_whiteout(int parent, const char *name) {
  struct stat status;
  return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(status.st_mode) &&
         status.st_rdev == makedev(0, 0);
}

int make_opaque(struct unpack *unpack, int parent, const char *name) {
  return xattr_set_at(parent, name, unpack->opaque_name, "y", 1);
}

/* What this layer itself put there stays: a whiteout speaks of the layers below, in whatever order the entries come. */
static int hide(struct unpack *unpack, int parent, const char *name) {
  struct stat status;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    return S_ISDIR(status.st_mode) ? make_opaque(unpack, parent, name) : 0;
  return errno == ENOENT ? mknodat(parent, name, S_IFCHR, makedev(0, 0)) : -1;
}

int unpack_whiteout(struct unpack *unpack, const char *clean, enum whiteout_kind kind) {
  char directory[UNPACK_PATH_MAX];
  const char *name;
  path_split(clean, directory, &name);
  if (kind == WHITEOUT_OPAQUE && directory[0] == '\0') {
    /* The top of an overlay is always merged: each name there has to be hidden. */
    if (unpack->lower >= 0) unpack->root_opaque = true;
    else unpack->implied++;
    return 0;
  }
  int parent = parent_open(unpack, directory, true);
  if (parent < 0) return fail_errno(unpack->failure, errno, "whiteout %s", clean);
  int result = kind == WHITEOUT_OPAQUE ? make_opaque(unpack, parent, ".") : hide(unpack, parent, name + strlen(PREFIX));
  return result == 0 ? 0 : fail_errno(unpack->failure, errno, "whiteout %s", clean);
}

int hide_lower_root(struct unpack *unpack) {
  int fd = openat(unpack->lower, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  int result = 0;
  if (stream == NULL) {
    close_quietly(fd);
    return fail_errno(unpack->failure, errno, "whiteout of the top");
  }
  for (struct dirent *entry; result == 0 && (entry = readdir(stream)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (hide(unpack, unpack->root, entry->d_name) != 0)
      result = fail_errno(unpack->failure, errno, "whiteout %s", entry->d_name);
  }
  closedir(stream);
  return result;
}
