#include "freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *file_of(const struct cgroup_path *cgroup) {
  return xasprintf("%s/%s", cgroup->path, cgroup->version == 2 ? "cgroup.freeze" : "freezer.state");
}

static bool can_freeze(const struct cgroup_path *cgroup) {
  char *path = file_of(cgroup);
  bool can = access(path, W_OK) == 0;
  free(path);
  return can;
}

const struct cgroup_path *freezer_find(const struct cgroup_path *cgroups, size_t count) {
  for (int version = 2; version >= 1; version--)
    for (size_t i = 0; i < count; i++)
      if (cgroups[i].version == version && can_freeze(&cgroups[i])) return &cgroups[i];
  return NULL;
}

int freezer_set(const struct cgroup_path *cgroup, bool frozen) {
  char *path = file_of(cgroup);
  const char *value = cgroup->version == 2 ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED");
  int result = write_file_at(AT_FDCWD, path, value);
  int error = errno;
  free(path);
  errno = error;
  return result;
}

/* Both files say it in a line of its own; version 1 says FREEZING before. */
bool freezer_is_frozen(const struct cgroup_path *cgroup) {
  struct buffer text = {0};
  char *path = xasprintf("%s/%s", cgroup->path, cgroup->version == 2 ? "cgroup.events" : "freezer.state");
  bool frozen = false;
  if (read_file_at(AT_FDCWD, path, 4096, &text) == 0) {
    buffer_append(&text, "", 1);
    frozen = strstr(text.data, cgroup->version == 2 ? "frozen 1" : "FROZEN") != NULL;
  }
  buffer_free(&text);
  free(path);
  return frozen;
}
