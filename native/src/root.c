/* The container's root file system, mounted only in the new process's mount namespace. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

/*
 * Trees to bind are cloned before propagation is cut: with `shared` or `slave` they must still be peers of the
 * machine's mounts.
 */
static int open_sources(struct setup *setup) {
  setup->sources = xmalloc((setup->mount_count + 1) * sizeof *setup->sources);
  for (size_t i = 0; i < setup->mount_count; i++) {
    setup->sources[i] = -1;
    unsigned code = setup->mounts[i].code;
    if (code == OP_BIND || code == OP_BIND_BENEATH) setup->sources[i] = setup_bind_source(setup, &setup->mounts[i]);
    else if (code == OP_SHARED_MEMORY) setup->sources[i] = setup_shared_memory_source(setup);
    else continue;
    if (setup->sources[i] < 0) return -1;
  }
  return 0;
}

static int apply(struct setup *setup, size_t index) {
  const struct record *record = &setup->mounts[index];
  if (record->code == OP_OVERLAY) return setup_overlay(setup, record);
  if (setup->root < 0) return fail_kind(setup->failure, KIND_INVALID, "no root file system yet", "%s", record->name);
  switch (record->code) {
    case OP_MOUNT:
      return setup_mount(setup, record);
    case OP_IMAGE_MOUNT:
      return setup_image_mount(setup, record);
    case OP_BIND:
    case OP_BIND_BENEATH:
      return setup_bind(setup, record, setup->sources[index]);
    case OP_SHARED_MEMORY:
      return setup_shared_memory(setup, record, setup->sources[index]);
    case OP_DEVICE:
      return setup_device(setup, record);
    case OP_SYMLINK:
      return setup_symlink(setup, record);
    case OP_DIRECTORY:
      return setup_directory(setup, record);
    case OP_FILE:
      return setup_file(setup, record);
    case OP_MASK:
      return setup_mask(setup, record);
    default:
      return setup_readonly(setup, record);
  }
}

int setup_root(struct setup *setup) {
  setup->null_device = null_device_find(setup->failure);
  if (setup->null_device < 0 || open_sources(setup) != 0) return -1;
  /* Slave, not private: what is unmounted on the machine meanwhile goes away here too, instead of staying busy. */
  if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) != 0)
    return fail_errno(setup->failure, errno, "mount propagation of /");
  for (size_t i = 0; i < setup->mount_count; i++) {
    if (apply(setup, i) != 0) return -1;
    close_quietly(setup->sources[i]);
  }
  if (setup->root < 0) return fail_kind(setup->failure, KIND_INVALID, "no root file system", "launch");
  setup_unstage(setup);
  return 0;
}

int setup_pivot(struct setup *setup) {
  /* Both names are the same directory: the old root ends up on top of the new one, and is taken off (pivot_root(2)). */
  int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (old < 0) return fail_errno(setup->failure, errno, "open /");
  int result = 0;
  if (fchdir(setup->root) != 0 || pivot_root_call(".", ".") != 0 || fchdir(old) != 0 ||
      mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
    result = fail_errno(setup->failure, errno, "pivot_root");
  close_quietly(old);
  return result;
}
