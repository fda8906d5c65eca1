/*
 * Loads a filter (array of struct sock_filter, read from a file) and makes system calls under it, the way a container's
 * process is filtered: seccomp-load FILE [x86:]NUMBER[:ARGUMENT]…
 * Prints the errno of each call, 0 where there was none. `x86:` calls through the 32-bit gate of an x86-64 kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct sock_filter filter[BPF_MAXINSNS];

static int call(const char *word) {
  char *rest;
  int compat = strncmp(word, "x86:", 4) == 0;
  long number = strtol(word + (compat ? 4 : 0), &rest, 0);
  unsigned long argument = *rest == ':' ? strtoul(rest + 1, NULL, 0) : 0;
#ifdef __x86_64__
  if (compat) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(argument), "c"(0), "d"(0), "S"(0), "D"(0)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)result < 0 ? -(int)result : 0;
  }
#endif
  return syscall(number, argument, 0, 0, 0, 0, 0) == -1 ? errno : 0;
}

int main(int count, char **words) {
  if (count < 2)
    return 1;
  int fd = open(words[1], O_RDONLY | O_CLOEXEC);
  ssize_t size = read(fd, filter, sizeof filter);
  struct sock_fprog program = {(unsigned short)(size / (ssize_t)sizeof filter[0]), filter};
  if (size <= 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
    perror("seccomp-load");
    return 1;
  }
  for (int i = 2; i < count; i++) {
    printf("%s %d\n", words[i], call(words[i]));
    fflush(stdout);
  }
  return 0;
}
