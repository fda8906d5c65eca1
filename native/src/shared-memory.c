/* Operation `sharedMemory`: the /dev/shm of the container whose IPC namespace is joined. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

/* What is at that name in there is the other container's business; no link leads from it to anything of the machine. */
static int clone_memory(void) {
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int place = root < 0 ? -1 : open_beneath(root, "dev/shm", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
  int tree = place < 0 ? -1 : open_tree_at(place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  close_quietly(place);
  close_quietly(root);
  return tree;
}

/*
 * A mount is only cloned by somebody in its mount namespace: this process goes there and comes back before it has touched
 * anything of its own.
 */
int setup_shared_memory_source(struct setup *setup) {
  if (setup->ipc_of < 0) return fail_kind(setup->failure, KIND_INVALID, "no IPC namespace is joined", "sharedMemory");
  int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (own < 0 || setns(setup->ipc_of, CLONE_NEWNS) != 0) {
    if (own >= 0 && errno == ESRCH)
      fail_kind(setup->failure, KIND_CONFLICT, "the container whose memory is shared is not running", "sharedMemory");
    else
      fail_errno(setup->failure, errno, "sharedMemory");
    close_quietly(own);
    return -1;
  }
  int tree = clone_memory(), error = errno;
  /* Never on with another container's files as its own. */
  if (setns(own, CLONE_NEWNS) != 0) _exit(125);
  close_quietly(own);
  return tree >= 0 ? tree : fail_errno(setup->failure, error, "sharedMemory");
}

int setup_shared_memory(struct setup *setup, const struct record *record, int source) {
  const char *target = record->argv[0];
  struct mount_flags flags;
  mount_flags_parse("nosuid,nodev,noexec", &flags);
  int fd = target_open(setup->root, target, TARGET_DIRECTORY);
  if (fd < 0) return fail_errno(setup->failure, errno, "sharedMemory %s", target);
  int result = target_check_proc(setup, "sharedMemory", target, fd, NULL, source);
  if (result == 0 && (result = tree_attach(setup, source, fd, target, &flags)) != 0)
    fail_errno(setup->failure, errno, "sharedMemory %s", target);
  close_quietly(fd);
  return result;
}
