/* Pseudo-terminals of a container. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "process.h"
#include "syscalls.h"

static bool is_devpts(int fd) {
  struct statfs status;
  return fstatfs(fd, &status) == 0 && status.f_type == DEVPTS_SUPER_MAGIC;
}

/*
 * Both sides come from the container's devpts and are checked: what an image has at /dev/pts or /dev/console is never
 * opened as if it were a terminal.
 */
int terminal_open(int root, unsigned rows, unsigned columns, int *master, struct failure *failure) {
  struct stat status;
  int unlock = 0, slave = -1;
  *master = open_beneath(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0);
  if (*master < 0) return fail_errno(failure, errno, "terminal: open /dev/pts/ptmx");
  if (fstat(*master, &status) != 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2) || !is_devpts(*master))
    fail_kind(failure, KIND_INVALID, "not a pseudo-terminal", "terminal: open /dev/pts/ptmx");
  else if (ioctl(*master, TIOCSPTLCK, &unlock) != 0 ||
           (slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
    fail_errno(failure, errno, "terminal");
  else if (!is_devpts(slave) || fstat(slave, &status) != 0 || !S_ISCHR(status.st_mode))
    fail_kind(failure, KIND_INVALID, "not a pseudo-terminal", "terminal");
  else if (rows == 0 || columns == 0 || terminal_resize(*master, rows, columns) == 0)
    return slave;
  else
    fail_errno(failure, errno, "terminal size");
  close_quietly(slave);
  close_quietly(*master);
  *master = -1;
  return -1;
}

int terminal_resize(int master, unsigned rows, unsigned columns) {
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  return ioctl(master, TIOCSWINSZ, &size);
}

int terminal_take(int slave, struct failure *failure) {
  if (ioctl(slave, TIOCSCTTY, 0) != 0) return fail_errno(failure, errno, "controlling terminal");
  for (int fd = 0; fd < 3; fd++)
    if (dup2(slave, fd) < 0) return fail_errno(failure, errno, "standard streams");
  return 0;
}

int descriptor_send(int socket, int fd) {
  char byte = 'T';
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  memset(&control, 0, sizeof control);
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}
