/* What is done in one of the two network namespaces that a monitor knows: the machine's, and its container's. */
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "netlink.h"
#include "setup.h"

/* Where batches of the machine's namespace find the container's (IFLA_NET_NS_FD). */
#define NAMESPACE_NUMBER 100

int network_batch(int family, const char *batch, size_t size, const char *what, struct failure *failure) {
  struct netlink_result result = {0};
  int status = netlink_batch(family, batch, size, &result);
  if (status != 0) {
    fail_errno(failure, errno, "network: %s", what);
  } else if (result.error_count > 0) {
    const struct netlink_error *error = &result.errors[0];
    if (error->text != NULL) {
      fail_kind(failure, kind_of_errno(error->code), error->text, "network: %s, message %u", what, error->index);
      failure->error = error->code;
    } else {
      fail_errno(failure, error->code, "network: %s, message %u", what, error->index);
    }
    status = -1;
  }
  netlink_result_free(&result);
  return status;
}

int network_batch_machine(const struct network *network, int (*run)(void *data, struct failure *failure), void *data,
                          struct failure *failure) {
  if (network->namespace < 0) return run(data, failure);
  int numbered = dup3(network->namespace, NAMESPACE_NUMBER, O_CLOEXEC);
  /* EBADF: the number is beyond the limit of the shell, which only a privileged user raises. */
  if (numbered < 0)
    return fail_errno(failure, errno == EBADF ? EMFILE : errno, "network: descriptor %d (ulimit -n)", NAMESPACE_NUMBER);
  int result = run(data, failure);
  close_quietly(numbered);
  return result;
}

int network_inside(const struct network *network, int (*run)(void *data, struct failure *failure), void *data,
                   struct failure *failure) {
  int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0 || setns(network->namespace, CLONE_NEWNET) != 0) {
    fail_errno(failure, errno, "network: inside");
    close_quietly(own);
    return -1;
  }
  int result = run(data, failure);
  if (setns(own, CLONE_NEWNET) != 0) abort();
  close_quietly(own);
  return result;
}

int network_sysctl(const struct record *record, struct failure *failure) {
  int proc = sysctl_open();
  if (proc < 0) proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int result = proc >= 0 ? sysctl_write(proc, record->argv[0], record->argv[1]) : -1;
  if (result != 0) fail_errno(failure, errno, "sysctl %s", record->argv[0]);
  close_quietly(proc);
  return result;
}
