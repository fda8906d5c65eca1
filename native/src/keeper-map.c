/* Ids inside the keeper's user namespace, and whom they are outside (user_namespaces(7)). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"

#define LINES_MAX 300
#define WORDS_MAX (LINES_MAX * 3 + 3)

/* A single id of one's own needs nobody's help; without a helper the kernel wants setgroups to be given up first. */
static int write_own(pid_t pid, const char *file, const char *map, struct failure *failure) {
  char *deny = xasprintf("/proc/%d/setgroups", (int)pid);
  char *path = xasprintf("/proc/%d/%s", (int)pid, file);
  int result = strcmp(file, "gid_map") == 0 ? write_file_at(AT_FDCWD, deny, "deny") : 0;
  if (result == 0) result = write_file_at(AT_FDCWD, path, map);
  if (result != 0) fail_errno(failure, errno, "user namespace: %s", file);
  free(deny);
  free(path);
  return result;
}

static int run_helper(const char *program, pid_t pid, const char *map, struct failure *failure) {
  char *words[WORDS_MAX], number[16], *copy = xstrdup(map);
  static char *const environment[] = {NULL};
  size_t count = 0;
  int status = 0;
  snprintf(number, sizeof number, "%d", (int)pid);
  words[count++] = (char *)(uintptr_t)program;
  words[count++] = number;
  for (char *word = strtok(copy, " \n"); word != NULL && count < WORDS_MAX - 1; word = strtok(NULL, " \n"))
    words[count++] = word;
  words[count] = NULL;
  pid_t child = fork();
  if (child == 0) {
    execve(program, words, environment);
    _exit(127);
  }
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  free(copy);
  if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  return fail_kind(failure, KIND_UNAVAILABLE, "it refused the user's subordinate ids", "%s", program);
}

static int write_map(const struct record *record, pid_t pid, int map, int program, struct failure *failure) {
  if (record->argv[program][0] != '\0') return run_helper(record->argv[program], pid, record->argv[map], failure);
  return write_own(pid, map == KEEPER_GID_MAP ? "gid_map" : "uid_map", record->argv[map], failure);
}

int keeper_write_maps(const struct record *record, pid_t pid, struct failure *failure) {
  if (write_map(record, pid, KEEPER_GID_MAP, KEEPER_NEWGIDMAP, failure) != 0) return -1;
  return write_map(record, pid, KEEPER_UID_MAP, KEEPER_NEWUIDMAP, failure);
}
