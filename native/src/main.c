#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "stream.h"
#include "verbs.h"

static int print_version(void) {
  printf("{\"version\":1,\"build\":\"%s\"}\n", build_id);
  return fflush(stdout) == 0 ? 0 : 1;
}

static const struct {
  const char *name;
  int (*run)(void);
} verbs[] = {
    {"version", print_version},
    {"serve", serve_main},
    {"unpack", unpack_main},
    {"files", files_main},
    {"keeper", keeper_main},
    {"monitor", monitor_main},
    {"guard", guard_main},
};

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(verbs); i++)
    if (strcmp(argv[1], verbs[i].name) == 0) return verbs[i].run();
  fputs("usage: tscompose-helper version | serve | unpack | files | keeper | guard\n", stderr);
  return 64;
}
