#include "network-child.h"

#include "dns.h"
#include "memory.h"
#include "network-child-loop.h"
#include "network-child-sandbox.h"
#include "proxy-protocol.h"
#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BROKER_ROUND = 64, DNS_BACKLOG = 64 };

static socklen_t address_size(const struct sockaddr_storage *address) {
  return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

struct state {
  struct source broker;
  struct dns_server *dns;
  struct proxy *proxy;
};

static struct state state;

/** Reports why the start failed, and ends. */
__attribute__((format(printf, 2, 3), noreturn)) static void give_up(int ready, const char *format, ...) {
  struct network_child_error error = {.number = errno};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error.step, sizeof error.step, format, arguments);
  va_end(arguments);
  ssize_t written = write(ready, &error, sizeof error);
  (void)written;
  _exit(1);
}

/* The caller took its end away: no more questions and new connections; those that exist may come to their end. */
static void drain(struct loop *loop) {
  source_close(loop, &state.broker);
  if (state.dns != NULL)
    dns_stop(loop, state.dns);
  state.dns = NULL;
  proxy_stop(loop, state.proxy);
}

static void broker_ready(struct loop *loop, struct source *source, uint32_t events) {
  (void)events;
  for (int i = 0; i < BROKER_ROUND && source->fd >= 0; i++) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct broker_reply reply;
    struct iovec part = {&reply, sizeof reply};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t size = recvmsg(source->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (size != sizeof reply)
      return drain(loop);
    int fd = -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
      memcpy(&fd, CMSG_DATA(header), sizeof fd);
    if (state.dns != NULL)
      dns_broker_reply(loop, state.dns, &reply, fd);
    else if (fd >= 0)
      close(fd);
  }
}

static bool after_events(struct loop *loop) {
  bool more = proxy_continue(loop, state.proxy);
  loop->ended = state.broker.fd < 0 && proxy_connections(state.proxy) == 0;
  return more;
}

static int open_dns_socket(const struct sockaddr_storage *address, int type) {
  static const int one = 1;
  int fd = socket(address->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  /* A successor takes the address over while we still hold it. */
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
      setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0 &&
      bind(fd, (const struct sockaddr *)address, address_size(address)) == 0 &&
      (type == SOCK_DGRAM || listen(fd, DNS_BACKLOG) == 0))
    return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static void describe_address(const struct sockaddr_storage *address, char *text, size_t size) {
  char host[INET6_ADDRSTRLEN] = "?";
  if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const void *)address;
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
    snprintf(text, size, "[%s]:%u", host, ntohs(v6->sin6_port));
  } else {
    const struct sockaddr_in *v4 = (const void *)address;
    inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
    snprintf(text, size, "%s:%u", host, ntohs(v4->sin_port));
  }
}

static int compare_descriptors(const void *left, const void *right) {
  return *(const int *)left - *(const int *)right;
}

/* Closes everything but the sorted descriptors, and puts /dev/null where the standard streams were. */
static bool keep_only(int *kept, size_t count) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0)
    return false;
  for (int fd = 0; fd < 3; fd++)
    if (bsearch(&fd, kept, count, sizeof fd, compare_descriptors) == NULL && fd != null && dup2(null, fd) < 0)
      return false;
  if (null > 2)
    close(null);
  unsigned next = 3;
  for (size_t i = 0; i < count; i++) {
    if (kept[i] < (int)next)
      continue;
    if (kept[i] > (int)next && syscall(SYS_close_range, next, kept[i] - 1, 0) != 0)
      return false;
    next = (unsigned)kept[i] + 1;
  }
  return syscall(SYS_close_range, next, ~0u, 0) == 0;
}

static void reset_signals(void) {
  sigset_t none;
  for (int number = 1; number < SIGSYS + 1; number++)
    signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void keep_descriptors(const struct network_child *child, int broker, int ready) {
  size_t count = 0;
  int *kept = malloc((child->endpoint_count + 3) * sizeof *kept);
  if (kept == NULL)
    give_up(ready, "network child");
  kept[count++] = broker;
  kept[count++] = ready;
  kept[count++] = child->container_net;
  for (size_t i = 0; i < child->endpoint_count; i++)
    kept[count++] = child->endpoints[i].fd;
  qsort(kept, count, sizeof *kept, compare_descriptors);
  if (!keep_only(kept, count))
    give_up(ready, "close descriptors");
  free(kept);
}

/* Returns the descriptor that answers over UDP. */
static int start_dns(const struct network_child *child, struct loop *loop, const int *directories, int ready) {
  char text[64];
  describe_address(&child->dns, text, sizeof text);
  struct dns_config config = {
      .udp = open_dns_socket(&child->dns, SOCK_DGRAM),
      .tcp = open_dns_socket(&child->dns, SOCK_STREAM),
      .broker = state.broker.fd,
      /* A file may name one later. */
      .upstream_count = child->upstream_count == 0 && child->resolvers.file != NULL ? 1 : child->upstream_count,
      .network_count = child->network_count,
  };
  if (config.udp < 0 || config.tcp < 0 || (state.dns = dns_start(loop, &config)) == NULL)
    give_up(ready, "answer dns at %s", text);
  for (size_t i = 0; i < child->network_count; i++)
    dns_add_network(state.dns, &child->networks[i], directories[i]);
  return config.udp;
}

static void start_proxy(const struct network_child *child, struct loop *loop, size_t limit, int ready) {
  if ((state.proxy = proxy_start(loop, child->endpoint_count, limit)) == NULL)
    give_up(ready, "port proxy");
  for (size_t i = 0; i < child->endpoint_count; i++) {
    const struct network_child_endpoint *endpoint = &child->endpoints[i];
    int flags = fcntl(endpoint->fd, F_GETFL);
    if (flags < 0 || fcntl(endpoint->fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        !proxy_add(loop, state.proxy, endpoint->fd, endpoint->protocol, &endpoint->target))
      give_up(ready, "publish %s socket %d", protocol_name(endpoint->protocol), endpoint->fd);
  }
}

static void enter_root(const struct network_child *child, int *directories, int ready) {
  const char *failed = NULL;
  const char **paths = calloc(child->network_count + 1, sizeof *paths);
  if (paths == NULL)
    give_up(ready, "network child");
  for (size_t i = 0; i < child->network_count; i++)
    paths[i] = child->networks[i].directory;
  if (!sandbox_enter_root(paths, child->network_count, directories, &failed))
    give_up(ready, "network child: %s", failed);
  free(paths);
}

/** The child's whole life. */
__attribute__((noreturn)) static void run(const struct network_child *child, int broker, int ready) {
  const char *failed = NULL;
  struct loop loop;
  reset_signals();
  keep_descriptors(child, broker, ready);
  int *directories = calloc(child->network_count + 1, sizeof *directories);
  if (directories == NULL)
    give_up(ready, "network child");
  enter_root(child, directories, ready);
  if (setns(child->container_net, CLONE_NEWNET) != 0)
    give_up(ready, "network child: enter the container's network");
  close(child->container_net);
  prctl(PR_SET_NAME, "tscompose-net", 0, 0, 0);
  size_t limit = sandbox_limit();
  if (!loop_open(&loop))
    give_up(ready, "network child");
  state.broker = (struct source){broker, broker_ready};
  if (!source_add(&loop, &state.broker, EPOLLIN))
    give_up(ready, "network child");
  int answering = child->dns.ss_family != 0 ? start_dns(child, &loop, directories, ready) : -1;
  free(directories);
  start_proxy(child, &loop, limit, ready);
  loop.after = after_events;
  /* The last moment at which it is allowed to: what the monitor had mapped at its start is not needed here. */
  memory_trim();
  if (!sandbox_drop(answering, child->endpoint_count > 0, &failed))
    give_up(ready, "network child: %s", failed);
  struct network_child_error fine = {0};
  if (write(ready, &fine, sizeof fine) != sizeof fine)
    _exit(1);
  close(ready);
  _exit(loop_run(&loop) ? 0 : 1);
}

int network_child_fork(const struct network_child *child, struct network_child_starting *starting,
                       struct network_child_error *error) {
  int pair[2] = {-1, -1}, ready[2] = {-1, -1};
  pid_t parent = getpid();
  *error = (struct network_child_error){.step = "start the network child"};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 || pipe2(ready, O_CLOEXEC) != 0) {
    error->number = errno;
    if (pair[0] >= 0) {
      close(pair[0]);
      close(pair[1]);
    }
    return -1;
  }
  pid_t pid = fork();
  if (pid == 0) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
      _exit(1);
    run(child, pair[1], ready[1]);
  }
  if (pid < 0)
    error->number = errno;
  close(pair[1]);
  close(ready[1]);
  if (pid > 0) {
    *starting = (struct network_child_starting){pid, pair[0], ready[0]};
    return 0;
  }
  close(pair[0]);
  close(ready[0]);
  return -1;
}

pid_t network_child_finish(const struct network_child_starting *starting, int *broker,
                           struct network_child_error *error) {
  struct network_child_error report;
  ssize_t size;
  do
    size = read(starting->ready, &report, sizeof report);
  while (size < 0 && errno == EINTR);
  close(starting->ready);
  if (size == sizeof report && report.number == 0 && report.step[0] == '\0') {
    *broker = starting->broker;
    return starting->pid;
  }
  *error = (struct network_child_error){.number = ECHILD, .step = "start the network child"};
  /* Otherwise it died without a word. */
  if (size == sizeof report)
    *error = report;
  close(starting->broker);
  kill(starting->pid, SIGKILL);
  while (waitpid(starting->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return -1;
}

pid_t network_child_start(const struct network_child *child, int *broker, struct network_child_error *error) {
  struct network_child_starting starting;
  if (network_child_fork(child, &starting, error) != 0)
    return -1;
  return network_child_finish(&starting, broker, error);
}
