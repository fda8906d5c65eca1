/* The last step: the program is searched in the container's PATH and executed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup.h"

static const char *value_of(char **environment, const char *key) {
  size_t length = strlen(key);
  for (; environment != NULL && *environment != NULL; environment++)
    if (strncmp(*environment, key, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
  return NULL;
}

char **setup_environment(const struct setup *setup) {
  size_t count = 0, kept = 0;
  while (setup->environment != NULL && setup->environment[count] != NULL) count++;
  char **result = xmalloc((count + 2) * sizeof *result);
  const char *home = value_of(setup->environment, "HOME");
  bool has_home = home != NULL && home[0] != '\0';
  for (size_t i = 0; i < count; i++)
    if (has_home || strncmp(setup->environment[i], "HOME=", 5) != 0) result[kept++] = setup->environment[i];
  if (!has_home) result[kept++] = xasprintf("HOME=%s", setup->who.home);
  result[kept] = NULL;
  return result;
}

static bool is_program(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && !S_ISDIR(status.st_mode) && access(path, X_OK) == 0;
}

/* A path to execute, or NULL when nothing in PATH is a program of that name. */
static const char *search(const char *word, const char *path) {
  static char found[PATH_MAX];
  if (strchr(word, '/') != NULL) return word;
  while (path != NULL && *path != '\0') {
    size_t length = strcspn(path, ":");
    int written = snprintf(found, sizeof found, "%.*s%s%s", (int)length, path, length > 0 ? "/" : "./", word);
    if (written > 0 && (size_t)written < sizeof found && is_program(found)) return found;
    path += length;
    if (*path == ':') path++;
  }
  return NULL;
}

static int fail_execution(struct setup *setup, int error) {
  const char *word = setup->words[0];
  struct stat status;
  if (stat(word, &status) == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
  if (error == ENOENT && strchr(word, '/') != NULL && access(word, F_OK) == 0)
    fail_kind(setup->failure, KIND_NOT_FOUND, "the interpreter or loader that it asks for does not exist",
              "execute \"%s\"", word);
  else
    fail_errno(setup->failure, error, "execute \"%s\"", word);
  setup->failure->error = error;
  setup->failure->exit_code = error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG ? 127
                              : error == ENOMEM || error == E2BIG || error == EAGAIN       ? 125
                                                                                           : 126;
  return -1;
}

int setup_execute(struct setup *setup, char **environment) {
  const char *path = setup->words[0][0] == '\0' ? NULL : search(setup->words[0], value_of(environment, "PATH"));
  if (path == NULL) {
    fail_kind(setup->failure, KIND_NOT_FOUND, "executable file not found in $PATH", "execute \"%s\"", setup->words[0]);
    setup->failure->error = ENOENT;
    setup->failure->exit_code = 127;
    return -1;
  }
  if (setup->executing != NULL) *setup->executing = true;
  execve(path, setup->words, environment);
  return fail_execution(setup, errno);
}
