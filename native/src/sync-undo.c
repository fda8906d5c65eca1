#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sync.h"
#include "tree.h"

static int look_through(struct sync *sync, struct sync_node *node) {
  size_t length = strlen(sync->prefix);
  uint64_t removed = 0;
  int fd = openat(node->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  int result = 0;
  node->looked_through = true;
  if (stream == NULL) {
    close_quietly(fd);
    return fail_errno(sync->failure, errno, "/%s", node->path);
  }
  for (struct dirent *entry; result == 0 && (entry = readdir(stream)) != NULL;)
    if (strncmp(entry->d_name, sync->prefix, length) == 0 && entry->d_name[length] == '-')
      result = tree_remove(node->fd, entry->d_name, &removed, "delete", sync->failure);
  closedir(stream);
  sync->deleted += removed;
  return result;
}

/* New trees are put beside the first missing directory, so each one on the way may have some. */
static int look_on_the_way(struct sync *sync, char path[UNPACK_PATH_MAX]) {
  char directory[UNPACK_PATH_MAX];
  const char *name;
  for (;;) {
    struct sync_node *node;
    /* Whatever keeps it from being opened kept the sync from leaving something in it. */
    bool open = sync_directory(sync, path, false, &node) == 0;
    if (open && node->looked_through) return 0;
    if (open && node->locked == NULL && look_through(sync, node) != 0) return -1;
    if (path[0] == '\0') return 0;
    path_split(path, directory, &name);
    strcpy(path, directory);
  }
}

int sync_undo(struct sync *sync, struct tar_reader *reader) {
  struct tar_entry entry;
  char path[UNPACK_PATH_MAX];
  int found;
  while ((found = tar_next(reader, &entry, sync->failure)) > 0) {
    if (sync_path(sync, entry.path, path) != 0) continue;
    if (look_on_the_way(sync, path) != 0) return -1;
  }
  return found;
}
