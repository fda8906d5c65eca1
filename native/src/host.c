/* Operations `hostname`, `domainname`, `sysctl` and `interfaceSysctl`. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "setup.h"
#include "syscalls.h"

int setup_names(struct setup *setup) {
  if (setup->hostname != NULL && sethostname(setup->hostname, strlen(setup->hostname)) != 0)
    return fail_errno(setup->failure, errno, "hostname %s", setup->hostname);
  if (setup->domainname != NULL && setdomainname(setup->domainname, strlen(setup->domainname)) != 0)
    return fail_errno(setup->failure, errno, "domainname %s", setup->domainname);
  return 0;
}

int sysctl_open(void) {
  int context = fs_open("proc", 0);
  int fd = -1;
  if (context >= 0 && fs_config(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) fd = fs_mount(context, 0, 0);
  close_quietly(context);
  return fd;
}

/*
 * A procfs of our own that no image and no volume can have put something over. Without the calls that mount nowhere it is
 * mounted where only this namespace sees it, and taken off again at once: the descriptor keeps it.
 */
static int open_proc(const struct setup *setup) {
  int fd = sysctl_open();
  if (fd >= 0 || errno != ENOSYS || setup->stage_path == NULL) return fd;
  if (mount("proc", setup->stage_path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) return -1;
  fd = open(setup->stage_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  umount2(setup->stage_path, MNT_DETACH | UMOUNT_NOFOLLOW);
  return fd;
}

/* As sysctl(8): the first separator says whether dots or slashes separate; the other one is then part of a name. */
static char *path_of(const char *key) {
  char *path = xasprintf("sys/%s", key);
  const char *first = strpbrk(key, "./");
  if (first == NULL || *first == '/') return path;
  for (char *c = path + 4; *c != '\0'; c++) {
    if (*c == '.') *c = '/';
    else if (*c == '/') *c = '.';
  }
  return path;
}

int sysctl_write(int proc, const char *key, const char *value) {
  char *path = path_of(key);
  int fd = open_beneath(proc, path, O_WRONLY | O_NOFOLLOW, 0);
  free(path);
  if (fd < 0) return -1;
  ssize_t count = write(fd, value, strlen(value));
  close_quietly(fd);
  return count < 0 ? -1 : 0;
}

int setup_sysctls(struct setup *setup) {
  if (setup->sysctl_count == 0) return 0;
  int proc = open_proc(setup);
  if (proc < 0) return fail_errno(setup->failure, errno, "sysctl %s", setup->sysctls[0].argv[0]);
  int result = 0;
  for (size_t i = 0; i < setup->sysctl_count && result == 0; i++) {
    const struct record *record = &setup->sysctls[i];
    if (sysctl_write(proc, record->argv[0], record->argv[1]) != 0)
      result = fail_errno(setup->failure, errno, "sysctl %s", record->argv[0]);
  }
  close_quietly(proc);
  return result;
}
