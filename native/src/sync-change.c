#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync.h"
#include "tree.h"

char *sync_temporary(struct sync *sync) {
  return xasprintf("%s-%u", sync->prefix, sync->counter++);
}

static const char *name_of(const struct sync_node *node) {
  const char *slash = strrchr(node->path, '/');
  return slash != NULL ? slash + 1 : node->path;
}

void sync_change_add(struct sync *sync, struct sync_node *parent, struct sync_node *node, char *temporary) {
  if (sync->change_count == sync->change_capacity) {
    sync->change_capacity = sync->change_capacity * 2 + 256;
    sync->changes = xrealloc(sync->changes, sync->change_capacity * sizeof *sync->changes);
  }
  node->change = sync->change_count;
  sync->changes[sync->change_count++] =
      (struct sync_change){.parent = parent, .node = node, .name = name_of(node), .temporary = temporary};
}

static void remove_temporary(struct sync_change *change) {
  struct failure ignored;
  uint64_t removed = 0;
  if (change->temporary == NULL) return;
  if (unlinkat(change->parent->fd, change->temporary, 0) != 0 && (errno == EISDIR || errno == EPERM))
    tree_remove(change->parent->fd, change->temporary, &removed, "sync", &ignored);
  free(change->temporary);
  change->temporary = NULL;
}

void sync_change_cancel(struct sync *sync, struct sync_node *node) {
  if (node->change == SYNC_NONE) return;
  struct sync_change *change = &sync->changes[node->change];
  remove_temporary(change);
  change->canceled = true;
  node->change = SYNC_NONE;
}

void sync_attributes_add(struct sync *sync, const struct sync_attributes *attributes) {
  if (sync->attribute_count == sync->attribute_capacity) {
    sync->attribute_capacity = sync->attribute_capacity * 2 + 64;
    sync->attributes = xrealloc(sync->attributes, sync->attribute_capacity * sizeof *sync->attributes);
  }
  sync->attributes[sync->attribute_count++] = *attributes;
}

static int set_attributes(struct sync *sync, const struct sync_attributes *attributes) {
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, attributes->mtime};
  /* By the descriptor: what has the name by now may be something else. */
  int fd = openat(attributes->node->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = fd < 0 ? -1 : 0;
  if (result == 0 && attributes->own) result = fchown(fd, sync->uid, sync->gid);
  if (result == 0) result = fchmod(fd, attributes->mode);
  if (result == 0) result = futimens(fd, times);
  int error = errno;
  close_quietly(fd);
  return result == 0 ? 0 : fail_errno(sync->failure, error, "/%s", attributes->node->path);
}

/* From the last: what is deeper came later. A directory that was replaced since is closed. */
static int set_all_attributes(struct sync *sync, bool staged) {
  for (size_t i = sync->attribute_count; i > 0; i--) {
    const struct sync_attributes *attributes = &sync->attributes[i - 1];
    if (attributes->node->fd < 0 || attributes->node->staged != staged) continue;
    if (set_attributes(sync, attributes) != 0) return -1;
  }
  return 0;
}

int sync_finish_staged(struct sync *sync) {
  return set_all_attributes(sync, true);
}

static int put(struct sync *sync, struct sync_change *change) {
  int parent = change->parent->fd;
  uint64_t removed = 0;
  int result = renameat(parent, change->temporary, parent, change->name);
  /* rename(2) puts a file over a file and a directory over an empty one: what is of another kind goes first. */
  if (result != 0 && (errno == EISDIR || errno == ENOTDIR || errno == ENOTEMPTY || errno == EEXIST)) {
    sync->begun = true;
    if (tree_remove(parent, change->name, &removed, "replace", sync->failure) != 0) return -1;
    result = renameat(parent, change->temporary, parent, change->name);
  }
  if (result != 0) return fail_errno(sync->failure, errno, "/%s", change->node->path);
  free(change->temporary);
  change->temporary = NULL;
  return 0;
}

static int apply(struct sync *sync, struct sync_change *change) {
  uint64_t removed = 0;
  if (change->temporary != NULL) return put(sync, change);
  int result = tree_remove(change->parent->fd, change->name, &removed, "delete", sync->failure);
  if (removed > 0) sync->begun = true;
  return result;
}

enum sync_result sync_commit(struct sync *sync) {
  for (size_t i = 0; i < sync->change_count; i++) {
    if (sync->changes[i].canceled) continue;
    if (sync_run_ended(sync)) return SYNC_ENDED;
    if (apply(sync, &sync->changes[i]) != 0) return SYNC_FAILED;
    sync->begun = true;
  }
  if (set_all_attributes(sync, false) != 0) return SYNC_FAILED;
  /* What came after its last breath may not be seen by the next run: a mount of its own keeps what it knew of a name. */
  return sync_run_ended(sync) ? SYNC_ENDED : SYNC_DONE;
}

void sync_discard(struct sync *sync) {
  for (size_t i = sync->change_count; i > 0; i--) remove_temporary(&sync->changes[i - 1]);
  free(sync->changes);
  free(sync->attributes);
  sync->changes = NULL;
  sync->attributes = NULL;
  sync->change_count = sync->attribute_count = 0;
}
