/* The control socket: who may connect to a monitor. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

/* Only the monitor's own user and root may speak to it. */
static bool is_permitted(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static void accept_ready(void *data, short events) {
  struct monitor *monitor = data;
  unsigned count = 0;
  (void)events;
  int fd = accept4(monitor->control.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    /* Whoever waits is still there: without a descriptor for it, the loop would come back at once. */
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) usleep(10000);
    return;
  }
  for (const struct client *client = monitor->clients; client != NULL; client = client->next) count++;
  if (count >= CLIENTS_MAX || !is_permitted(fd)) {
    close_quietly(fd);
    return;
  }
  client_accept(monitor, fd);
}

/* A path may be longer than a socket address: the directory is named by its descriptor instead. */
static int bind_control(int fd, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *slash = strrchr(path, '/');
  char *parent = slash == NULL ? xstrdup(".") : xmemdup0(path, slash == path ? 1 : (size_t)(slash - path));
  int directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  free(parent);
  if (directory < 0) return -1;
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, slash == NULL ? path : slash + 1);
  unlink(path);
  /* The mode comes from the umask: there is no moment at which others could connect. */
  mode_t mask = umask(0177);
  int result = bind(fd, (struct sockaddr *)&address, sizeof address);
  umask(mask);
  close_quietly(directory);
  return result;
}

int client_listen(struct monitor *monitor, struct failure *failure) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind_control(fd, monitor->plan.control) != 0 || listen(fd, 64) != 0) {
    fail_errno(failure, errno, "control socket %s", monitor->plan.control);
    close_quietly(fd);
    return -1;
  }
  monitor->control = (struct watch){.fd = fd, .events = POLLIN, .ready = accept_ready, .data = monitor};
  loop_add(&monitor->loop, &monitor->control);
  return 0;
}
