/* Kernel calls without a wrapper in libc, each with a way to do without where it may be missing. */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Path resolution that cannot leave a directory, openat2(2), with a component walk where the call is missing or denied.
 * Paths may start with `/`, meaning the directory itself. All descriptors are close-on-exec.
 */
/* Follows no symbolic link at all and no `..`: for trees whose names are not to be trusted. ELOOP, EXDEV. */
int open_beneath(int directory, const char *path, int flags, mode_t mode);
/* Symbolic links and `..` are resolved as if the directory were the root (RESOLVE_IN_ROOT | NO_MAGICLINKS). */
int open_in_root(int directory, const char *path, int flags, mode_t mode);
/* Symbolic links and `..` are followed as long as they stay beneath the directory (RESOLVE_BENEATH | NO_MAGICLINKS). EXDEV. */
int open_within(int directory, const char *path, int flags);
/* The component walk itself, for tests. */
int open_beneath_walk(int directory, const char *path, int flags, mode_t mode);
int open_in_root_walk(int directory, const char *path, int flags, mode_t mode);
int open_within_walk(int directory, const char *path, int flags);

/*
 * fork with flags: the child gets 0 and runs on its copy of the stack. `pidfd` (may be NULL) receives a close-on-exec pid
 * descriptor; `cgroup` is a directory descriptor of cgroup v2 or -1. Where clone3 is missing: clone(2), and EOPNOTSUPP
 * when a cgroup was asked for (the caller then joins by writing cgroup.procs).
 */
pid_t clone_process(uint64_t flags, int *pidfd, int cgroup);

int pidfd_open_process(pid_t pid);
/* ENOSYS is answered where it is missing: the caller falls back to kill. */
int pidfd_kill(int pidfd, int signal);

/* The mount API by descriptors (Linux 5.2, mount_setattr 5.12). Raw: ENOSYS where missing. */
int fs_open(const char *type, unsigned flags);
int fs_config(int fd, unsigned command, const char *key, const void *value, int aux);
int fs_mount(int fd, unsigned flags, unsigned attributes);
int open_tree_at(int directory, const char *path, unsigned flags);
int move_mount_to(int from, const char *from_path, int to, const char *to_path, unsigned flags);
struct mount_attr;
int mount_set_attributes(int directory, const char *path, unsigned flags, struct mount_attr *attributes, size_t size);

int pivot_root_call(const char *new_root, const char *put_old);

#endif
