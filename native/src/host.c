/* Operations `hostname`, `domainname` and `sysctl`. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
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

/* A procfs of our own that no image and no volume can have put something over. */
static int open_proc(struct setup *setup) {
  struct statfs status;
  int context = fs_open("proc", 0);
  int fd = -1;
  if (context >= 0 && fs_config(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) fd = fs_mount(context, 0, 0);
  close_quietly(context);
  if (fd >= 0) return fd;
  fd = open_beneath(setup->root, "proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
  if (fd >= 0 && fstatfs(fd, &status) == 0 && status.f_type == PROC_SUPER_MAGIC) return fd;
  close_quietly(fd);
  errno = ENODEV;
  return -1;
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

static int write_value(int proc, const char *path, const char *value) {
  int fd = open_beneath(proc, path, O_WRONLY | O_NOFOLLOW, 0);
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
    char *path = path_of(setup->sysctls[i].argv[0]);
    if (write_value(proc, path, setup->sysctls[i].argv[1]) != 0)
      result = fail_errno(setup->failure, errno, "sysctl %s", setup->sysctls[i].argv[0]);
    free(path);
  }
  close_quietly(proc);
  return result;
}
