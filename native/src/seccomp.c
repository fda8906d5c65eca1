/* Operation `seccomp`: a filter program that was compiled elsewhere. */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "setup.h"

int setup_seccomp(struct setup *setup) {
  if (setup->seccomp == NULL) return 0;
  /* The argument lies at any address in its list: the kernel copies it, but the compiler may assume alignment. */
  struct sock_filter *filter = (struct sock_filter *)(void *)xmemdup0(setup->seccomp, setup->seccomp_size);
  struct sock_fprog program = {
      .len = (unsigned short)(setup->seccomp_size / sizeof(struct sock_filter)),
      .filter = filter,
  };
  long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, setup->seccomp_flags, &program);
  if (result != 0 && errno == ENOSYS && setup->seccomp_flags == 0)
    result = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
  return result == 0 ? 0 : fail_errno(setup->failure, errno, "seccomp");
}
