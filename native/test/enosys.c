/*
 * Runs a program as on a kernel 5.15: every system call that came later is answered with ENOSYS.
 *
 *   enosys PROGRAM ARGUMENT…
 *   enosys -n FIRST PROGRAM …   calls from this number on are missing (the last of 5.15 is process_mrelease, 448)
 *   enosys -n FIRST-LAST …      only these are; for several ranges it runs itself again
 *   enosys -t NUMBER…           makes the calls with senseless arguments and prints the errno of each
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#else
#error "unknown architecture"
#endif

/* Since 5.1 every architecture gives new calls the same numbers. */
enum { FIRST_AFTER_5_15 = 449 };

int main(int count, char **words) {
  unsigned first = FIRST_AFTER_5_15, last = ~0u;
  if (count > 3 && strcmp(words[1], "-n") == 0) {
    char *end;
    first = (unsigned)strtoul(words[2], &end, 10);
    if (*end == '-') last = (unsigned)strtoul(end + 1, NULL, 10);
    words += 2;
    count -= 2;
  }
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_AUDIT_ARCH, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (count < 2) {
    fprintf(stderr, "usage: enosys [-n FIRST] PROGRAM ARGUMENT...\n");
    return 125;
  }
  /* Without no_new_privs where possible (root): the program's own setup is to be tested, not changed. */
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0 &&
      (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)) {
    fprintf(stderr, "enosys: load the filter: %s\n", strerror(errno));
    return 125;
  }
  if (strcmp(words[1], "-t") == 0) {
    for (int i = 2; i < count; i++)
      printf("%s %d\n", words[i], syscall(atoi(words[i]), -1, -1, -1, -1, -1, -1) == -1 ? errno : 0);
    return 0;
  }
  execvp(words[1], words + 1);
  fprintf(stderr, "enosys: %s: %s\n", words[1], strerror(errno));
  return 127;
}
