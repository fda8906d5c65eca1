/* pasta or slirp4netns: programs of the user's that carry packets between a network namespace and ordinary sockets. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"

#define TRIES 500 /* of 10 ms */

static const char placeholder[] = "%PID%";

static char *with_pid(const char *word, pid_t pid) {
  const char *found = strstr(word, placeholder);
  if (found == NULL) return xstrdup(word);
  return xasprintf("%.*s%d%s", (int)(found - word), word, (int)pid, found + sizeof placeholder - 1);
}

/* Descriptor 3 is at its end when the keeper has ended: who takes other credentials gets no signal of that. */
#define END 3

static void execute(char **words, unsigned count, pid_t inside, pid_t parent, int end) {
  char **own = xcalloc(count + 1, sizeof *own);
  static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  for (unsigned i = 0; i < count; i++) own[i] = with_pid(words[i], inside);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; fd++)
    if (null < 0 || dup2(null, fd) < 0) _exit(126);
  if (dup2(duplicate_above(end, 10), END) < 0) _exit(126);
  cloexec_from(END + 1);
  /* What we ignore it would ignore, and some take that for an error. */
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  if (!die_with_parent(parent)) _exit(1);
  execve(own[0], own, environment);
  _exit(127);
}

/* A line `Iface Destination Gateway …` whose destination is zero; or one of IPv6 that is no reject route of lo. */
static bool has_default_route(pid_t inside) {
  struct buffer text = {0};
  char *v4 = xasprintf("/proc/%d/net/route", (int)inside), *v6 = xasprintf("/proc/%d/net/ipv6_route", (int)inside);
  bool found = false;
  if (read_file_at(AT_FDCWD, v4, 1 << 20, &text) == 0) {
    buffer_append(&text, "", 1);
    found = strstr(text.data, "\t00000000\t") != NULL && strstr(text.data, "\t00000000\t00000000\t0001\t") == NULL;
  }
  buffer_free(&text);
  if (!found && read_file_at(AT_FDCWD, v6, 1 << 20, &text) == 0) {
    buffer_append(&text, "", 1);
    for (char *line = strtok(text.data, "\n"); line != NULL && !found; line = strtok(NULL, "\n"))
      found = strncmp(line, "00000000000000000000000000000000 00 ", 36) == 0 && strcmp(line + strlen(line) - 2, "lo") != 0;
  }
  buffer_free(&text);
  free(v4);
  free(v6);
  return found;
}

pid_t keeper_start_outbound(const struct record *record, pid_t inside) {
  static const struct timespec pause = {.tv_nsec = 10000000};
  unsigned count = record->argc - KEEPER_OUTBOUND;
  pid_t parent = getpid();
  int ends[2];
  if (count == 0 || pipe2(ends, O_CLOEXEC) != 0) return 0;
  pid_t pid = fork();
  if (pid == 0) execute(record->argv + KEEPER_OUTBOUND, count, inside, parent, ends[0]);
  /* The other end stays open for this process's life. */
  close(ends[0]);
  for (int tries = 0; pid > 0 && tries < TRIES; tries++) {
    if (has_default_route(inside)) return pid;
    if (waitpid(pid, NULL, WNOHANG) == pid) return 0;
    nanosleep(&pause, NULL);
  }
  if (pid > 0) {
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  return 0;
}
