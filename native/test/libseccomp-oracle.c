/*
 * What libseccomp makes of a profile: reads one from standard input and writes its program (array of struct sock_filter)
 * to standard output. Names that the library does not know are written to standard error, one a line.
 *
 *   arch NAME                  x86_64, x86, x32, aarch64, arm: the first is the default's, all are added
 *   allow CALL [ARGUMENT OPERATOR VALUE MASK]…
 *   error ERRNO CALL [ARGUMENT OPERATOR VALUE MASK]…
 *
 * Whatever no line names is EPERM. Numbers are decimal; MASK counts for "==" only, 18446744073709551615 for all bits.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 64, MOST_CONDITIONS = 6 };

static void check(int result, const char *what, const char *name) {
  if (result >= 0)
    return;
  fprintf(stderr, "libseccomp: %s %s: %s\n", what, name, strerror(-result));
  exit(1);
}

static enum scmp_compare compare(const char *operator, int masked) {
  static const struct {
    const char *text;
    enum scmp_compare compare;
  } known[] = {{"!=", SCMP_CMP_NE}, {"<", SCMP_CMP_LT},  {"<=", SCMP_CMP_LE},
               {"==", SCMP_CMP_EQ}, {">=", SCMP_CMP_GE}, {">", SCMP_CMP_GT}};
  if (masked)
    return SCMP_CMP_MASKED_EQ;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(operator, known[i].text) == 0)
      return known[i].compare;
  fprintf(stderr, "libseccomp: operator %s\n", operator);
  exit(1);
}

static void add_rule(scmp_filter_ctx filter, uint32_t action, char **words, int count) {
  struct scmp_arg_cmp conditions[MOST_CONDITIONS];
  unsigned length = 0;
  int number = seccomp_syscall_resolve_name(words[0]);
  if (number == __NR_SCMP_ERROR) {
    fprintf(stderr, "%s\n", words[0]);
    return;
  }
  for (int i = 1; i + 3 < count && length < MOST_CONDITIONS; i += 4, length++) {
    unsigned argument = (unsigned)atoi(words[i]);
    uint64_t value = strtoull(words[i + 2], NULL, 10), mask = strtoull(words[i + 3], NULL, 10);
    if (mask != UINT64_MAX)
      conditions[length] = SCMP_CMP64(argument, compare(words[i + 1], 1), mask, value);
    else
      conditions[length] = SCMP_CMP64(argument, compare(words[i + 1], 0), value);
  }
  /* Not "exact": a name that one of the architectures lacks is left out there. */
  check(seccomp_rule_add_array(filter, action, number, length, conditions), "rule for", words[0]);
}

int main(void) {
  static char line[65536];
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  check(filter == NULL ? -ENOMEM : 0, "filter", "");
  /* The machine's own is there from the start: it stays only if it is named. */
  check(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), "remove", "the native architecture");
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *words[WORDS];
    int count = 0;
    for (char *word = strtok(line, " \n"); word != NULL && count < WORDS; word = strtok(NULL, " \n"))
      words[count++] = word;
    if (count == 2 && strcmp(words[0], "arch") == 0)
      check(seccomp_arch_add(filter, seccomp_arch_resolve_name(words[1])), "architecture", words[1]);
    else if (count >= 2 && strcmp(words[0], "allow") == 0)
      add_rule(filter, SCMP_ACT_ALLOW, words + 1, count - 1);
    else if (count >= 3 && strcmp(words[0], "error") == 0)
      add_rule(filter, SCMP_ACT_ERRNO((uint32_t)atoi(words[1])), words + 2, count - 2);
    else {
      fprintf(stderr, "libseccomp: line %s\n", count > 0 ? words[0] : "");
      return 1;
    }
  }
  check(seccomp_export_bpf(filter, STDOUT_FILENO), "export", "");
  seccomp_release(filter);
  return 0;
}
