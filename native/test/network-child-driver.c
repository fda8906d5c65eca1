/*
 * Stands in for the monitor in tests of the network child: reads its configuration from standard input, one word list
 * a line, starts the child at "start", serves its broker, and ends it at end of file.
 *
 *   net PATH · dns ADDRESS PORT · upstream ADDRESS PORT · resolvers FILE · network NAME DIRECTORY
 *   publish tcp|udp ADDRESS PORT TARGET PORT · start · drain (close the broker)
 *
 * Prints "ready PID" or "error ERRNO STEP", and "ended STATUS" when the child ended.
 */
#include "../src/network-child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 64 };

static struct network_child_upstream upstreams[MOST];
static struct network_child_network networks[MOST];
static struct network_child_endpoint endpoints[MOST];
static struct network_child child = {
    .container_net = -1, .upstreams = upstreams, .networks = networks, .endpoints = endpoints};

__attribute__((noreturn)) static void fail(const char *what) {
  printf("error %d %s\n", errno, what);
  exit(1);
}

static socklen_t parse_address(const char *host, const char *port, struct sockaddr_storage *address) {
  struct sockaddr_in *v4 = (void *)address;
  struct sockaddr_in6 *v6 = (void *)address;
  if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)atoi(port));
    return sizeof *v4;
  }
  if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
    fail(host);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons((uint16_t)atoi(port));
  return sizeof *v6;
}

static void publish(char **words) {
  static const int one = 1;
  struct sockaddr_storage address = {0};
  struct network_child_endpoint *endpoint = &endpoints[child.endpoint_count++];
  bool udp = strcmp(words[1], "udp") == 0;
  endpoint->protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
  socklen_t size = parse_address(words[2], words[3], &address);
  parse_address(words[4], words[5], &endpoint->target);
  endpoint->fd = socket(address.ss_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
  setsockopt(endpoint->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(endpoint->fd, (struct sockaddr *)&address, size) != 0 || (!udp && listen(endpoint->fd, 512) != 0))
    fail("publish");
}

/* One line of configuration; true: it was "start". */
static bool configure(char *line) {
  char *words[8] = {0};
  size_t count = 0;
  for (char *word = strtok(line, " \n"); word != NULL && count < 8; word = strtok(NULL, " \n"))
    words[count++] = word;
  if (count == 2 && strcmp(words[0], "net") == 0)
    child.container_net = open(words[1], O_RDONLY | O_CLOEXEC);
  else if (count == 3 && strcmp(words[0], "dns") == 0)
    parse_address(words[1], words[2], &child.dns);
  else if (count == 3 && strcmp(words[0], "upstream") == 0)
    parse_address(words[1], words[2], &upstreams[child.upstream_count++].address);
  else if (count == 2 && strcmp(words[0], "resolvers") == 0)
    child.resolvers.file = strdup(words[1]);
  else if (count == 3 && strcmp(words[0], "network") == 0)
    networks[child.network_count++] = (struct network_child_network){.name = strdup(words[1]), .directory = strdup(words[2])};
  else if (count == 6 && strcmp(words[0], "publish") == 0)
    publish(words);
  else if (count == 1 && strcmp(words[0], "start") == 0)
    return true;
  else
    fail(count > 0 ? words[0] : "empty line");
  return false;
}

int main(void) {
  char line[4096];
  int broker = -1;
  struct network_child_error error;
  setvbuf(stdout, NULL, _IOLBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0);
  while (fgets(line, sizeof line, stdin) != NULL && !configure(line))
    ;
  pid_t pid = network_child_start(&child, &broker, &error);
  if (pid < 0) {
    printf("error %d %s\n", error.number, error.step);
    return 1;
  }
  printf("ready %d\n", pid);
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  for (;;) {
    struct pollfd polled[3] = {{broker, POLLIN, 0}, {0, POLLIN, 0}, {pidfd, POLLIN, 0}};
    if (poll(polled, 3, -1) < 0)
      continue;
    if (polled[2].revents != 0) {
      int status = 0;
      waitpid(pid, &status, 0);
      printf("ended %d\n", status);
      return 0;
    }
    if (polled[0].revents != 0 && !network_child_broker(broker, &child)) {
      close(broker);
      broker = -1;
    }
    if (polled[1].revents != 0) {
      if (fgets(line, sizeof line, stdin) == NULL)
        break;
      if (strcmp(line, "drain\n") == 0 && broker >= 0) {
        close(broker);
        broker = -1;
      }
    }
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return 0;
}
