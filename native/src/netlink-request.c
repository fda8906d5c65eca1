/* The coprocess's request `netlink`: a batch, in the machine's network namespace or in that of a file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"
#include "serve.h"

/* Sockets belong to the namespace they were made in; the way back must not fail. */
static int batch_inside(const char *path, int family, const void *batch, size_t size, struct netlink_result *result) {
  int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  int there = open(path, O_RDONLY | O_CLOEXEC);
  int outcome = -1;
  if (home >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
    outcome = netlink_batch(family, batch, size, result);
    int error = errno;
    if (setns(home, CLONE_NEWNET) != 0) _exit(70);
    errno = error;
  }
  close_quietly(home);
  close_quietly(there);
  return outcome;
}

/*
 * In the machine's namespace the socket of nftables is kept: the kernel lets nobody close one before everything that a
 * transaction took away has been freed (nft_rcv_nl_event), which takes it tens of milliseconds.
 */
static int batch_here(int family, const void *batch, size_t size, struct netlink_result *result) {
  static int netfilter = -1;
  if (family == NETLINK_NETFILTER) return netlink_batch_on(&netfilter, family, batch, size, result);
  return netlink_batch(family, batch, size, result);
}

static void reply(uint64_t request, const struct netlink_result *result) {
  struct json json;
  serve_reply_begin(&json, request);
  json_key(&json, "messages");
  json_base64(&json, result->messages.data, result->messages.size);
  json_key(&json, "errors");
  json_open(&json, '[');
  for (size_t i = 0; i < result->error_count; i++) {
    const struct netlink_error *error = &result->errors[i];
    json_open(&json, '{');
    json_member_number(&json, "index", error->index);
    json_member_string(&json, "errno", errno_name(error->code));
    json_member_number(&json, "code", error->code);
    if (error->text != NULL) json_member_string(&json, "message", error->text);
    json_close(&json, '}');
  }
  json_close(&json, ']');
  serve_reply_end(&json);
}

void netlink_request(uint64_t request, const struct record *record) {
  struct failure failure;
  struct netlink_result result = {0};
  uint64_t family = 0;
  const char *net = record_text(record, 1, &failure);
  if (net == NULL || record_unsigned(record, 2, 31, &family, &failure) != 0) {
    serve_reply_failure(request, &failure);
    return;
  }
  int outcome = *net == '\0' ? batch_here((int)family, record->argv[3], record->sizes[3], &result)
                             : batch_inside(net, (int)family, record->argv[3], record->sizes[3], &result);
  if (outcome == 0) {
    reply(request, &result);
  } else {
    fail_errno(&failure, errno, *net == '\0' ? "netlink" : "netlink in %s", net);
    serve_reply_failure(request, &failure);
  }
  netlink_result_free(&result);
}
