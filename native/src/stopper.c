#include "stopper.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#ifndef NS_GET_PARENT
#define NS_GET_PARENT 0xb702 /* linux/nsfs.h: _IO(0xb7, 0x2) */
#endif
/* As deep as the kernel nests them (pid_namespaces(7)). */
#define DEPTH_MAX 32

static int open_namespace(const char *pid) {
  char *path = xasprintf("/proc/%s/ns/pid", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  free(path);
  return fd;
}

/* The namespace of the process, or one above that, is the one with this inode. */
static bool is_inside(const char *pid, const struct stat *wanted) {
  struct stat status;
  int fd = open_namespace(pid);
  bool found = false;
  for (int depth = 0; fd >= 0 && depth <= DEPTH_MAX; depth++) {
    found = fstat(fd, &status) == 0 && status.st_ino == wanted->st_ino && status.st_dev == wanted->st_dev;
    int parent = found ? -1 : ioctl(fd, NS_GET_PARENT);
    close_quietly(fd);
    fd = parent;
  }
  return found;
}

static void for_each_member(pid_t first, bool (*each)(pid_t pid, const char *name, void *data), void *data) {
  struct stat wanted;
  char *name = xasprintf("%d", (int)first);
  int fd = open_namespace(name);
  bool known = fd >= 0 && fstat(fd, &wanted) == 0;
  DIR *directory = known ? opendir("/proc") : NULL;
  close_quietly(fd);
  free(name);
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    uint64_t pid;
    if (!parse_unsigned(entry->d_name, INT32_MAX, &pid) || pid == 0 || !is_inside(entry->d_name, &wanted)) continue;
    if (!each((pid_t)pid, entry->d_name, data)) break;
  }
  closedir(directory);
}

static bool send_one(pid_t pid, const char *name, void *data) {
  (void)name;
  kill(pid, *(const int *)data);
  return true;
}

void stopper_send(pid_t first, int signal) {
  for_each_member(first, send_one, &signal);
}

/* The state follows the name, which may hold brackets itself (proc_pid_stat(5)); what has ended needs no stop. */
static bool look_at(pid_t pid, const char *name, void *data) {
  struct buffer text = {0};
  char *path = xasprintf("/proc/%s/stat", name);
  char state = 'X';
  (void)pid;
  if (read_file_at(AT_FDCWD, path, 65536, &text) == 0) {
    buffer_append(&text, "", 1);
    const char *end = strrchr(text.data, ')');
    if (end != NULL && end[1] == ' ') state = end[2];
  }
  buffer_free(&text);
  free(path);
  *(bool *)data = strchr("TtXZ", state) != NULL;
  return *(bool *)data;
}

bool stopper_all_stopped(pid_t first) {
  bool stopped = true;
  for_each_member(first, look_at, &stopped);
  return stopped;
}
