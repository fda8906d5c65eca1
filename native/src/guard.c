/*
 * Puts a terminal right when the program that draws on it ends without doing so: a crash, kill -9. It waits beside that
 * program until the socket between them closes. Descriptor 3 is the socket, 4 the terminal that is typed on, 5 the one that
 * is drawn on. The program sends one byte, and draws only after it was sent back:
 *   S  from now on the other screen may be on: the settings of the terminal, as they are now, are to be restored
 *   T  the same, for a program that changes the settings alone
 *   I  everything is as it was before: nothing is to be done
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "util.h"
#include "verbs.h"

#define CONTROL 3
#define TYPED 4
#define DRAWN 5
/* A terminal that takes nothing, as behind a line that was cut, must not keep us for ever. */
#define WRITE_WAIT_MS 2000
#define ANCESTORS_MAX 32

/* End of a synchronized update; attributes, mouse, focus reports and bracketed paste off; wrapping on; the cursor shown. */
#define PLAIN "\x1b[?2026l\x1b[0m\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[?25h"
#define MAIN_SCREEN "\x1b[?1049l"
/* Leaves the other screen without moving the cursor: it is on the main one already, but for a program in a container. */
#define MAIN_SCREEN_HERE "\x1b[?1047l"

static struct {
  char state;
  bool saved;
  struct termios settings;
  pid_t group;
  /* Process groups of those who started the program: one of them is the shell that gets the terminal back. */
  pid_t ancestors[ANCESTORS_MAX];
  size_t ancestor_count;
} guard = {.state = 'I'};

static pid_t parent_of(pid_t pid) {
  char path[32];
  struct buffer stat = {0};
  int parent = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (read_file_at(-1, path, 4096, &stat) == 0) {
    buffer_append(&stat, "", 1);
    /* The name may hold anything, also brackets. */
    char *after = strrchr(stat.data, ')');
    if (after == NULL || sscanf(after + 1, " %*c %d", &parent) != 1) parent = 0;
  }
  buffer_free(&stat);
  return parent;
}

static void learn_ancestors(pid_t program) {
  guard.group = getpgid(program);
  for (pid_t pid = parent_of(program); pid > 1 && guard.ancestor_count < ANCESTORS_MAX; pid = parent_of(pid)) {
    pid_t group = getpgid(pid);
    if (group > 0) guard.ancestors[guard.ancestor_count++] = group;
  }
}

/*
 * Whether the terminal is with the program's own group still, or back with a shell above it. With neither, another job
 * has it by now, and nothing that we know of it holds. Unknown (not our controlling terminal): nobody else can have it.
 */
static bool is_ours(void) {
  pid_t front = tcgetpgrp(TYPED);
  if (front < 0 || front == guard.group) return true;
  for (size_t i = 0; i < guard.ancestor_count; i++)
    if (guard.ancestors[i] == front) return true;
  return false;
}

/* What the program had set: neither lines nor signals by keys. A shell that was quicker has its own settings in force. */
static bool settings_are_the_programs(void) {
  struct termios now;
  return tcgetattr(TYPED, &now) == 0 && (now.c_lflag & (ICANON | ISIG)) == 0;
}

static void draw(const char *text) {
  size_t size = strlen(text);
  while (size > 0) {
    struct pollfd ready = {.fd = DRAWN, .events = POLLOUT};
    if (poll(&ready, 1, WRITE_WAIT_MS) <= 0) return;
    ssize_t count = write(DRAWN, text, size);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return;
    if (count > 0) {
      text += count;
      size -= (size_t)count;
    }
  }
}

static void restore(void) {
  if (guard.state == 'I' || !is_ours()) return;
  if (guard.saved && settings_are_the_programs()) tcsetattr(TYPED, TCSANOW, &guard.settings);
  draw(PLAIN);
  draw(guard.state == 'S' ? MAIN_SCREEN : MAIN_SCREEN_HERE);
}

static void take(char state) {
  /* Armed already: what is set now is the program's. */
  if (guard.state == 'I' && state != 'I') guard.saved = tcgetattr(TYPED, &guard.settings) == 0;
  guard.state = state;
  while (write(CONTROL, &state, 1) < 0 && errno == EINTR) continue;
}

int guard_main(void) {
  pid_t program = getppid();
  sigset_t every;
  /* Keys and hangups are sent to groups; a terminal may be set by a group behind only where it blocks the signal for that. */
  sigfillset(&every);
  sigprocmask(SIG_BLOCK, &every, NULL);
  setpgid(0, 0);
  close_from(DRAWN + 1);
  if (chdir("/") != 0) return 1;
  learn_ancestors(program);
  for (;;) {
    char byte = 0;
    ssize_t count = read(CONTROL, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      struct pollfd ready = {.fd = CONTROL, .events = POLLIN};
      poll(&ready, 1, -1);
      continue;
    }
    if (count <= 0) break;
    if (byte == 'S' || byte == 'T' || byte == 'I') take(byte);
  }
  restore();
  return 0;
}
