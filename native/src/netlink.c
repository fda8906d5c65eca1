#include "netlink.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Acknowledgements of one send must fit the receive buffer; a transaction of nftables is never split. */
#define ROUTE_CHUNK 128
#define DUMP_ATTEMPTS 16
#define RECEIVE_BUFFER (8 * 1024 * 1024)

struct conversation {
  int fd;
  int family;
  struct netlink_result *result;
};

static int open_socket(int family) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
  int one = 1;
  int receive = RECEIVE_BUFFER;
  if (fd < 0) return -1;
  /* Best effort: without the capability the limits of the system hold. */
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof receive) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
  /* Errors carry the kernel's text, and not the whole message that they are about. */
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof one);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
  return fd;
}

/* Opens the socket where there is none yet, and makes room for sending so much at once. */
static int prepare_socket(int *fd, int family, size_t size) {
  int send = size > 65536 ? (int)size + 4096 : 65536;
  if (*fd < 0) *fd = open_socket(family);
  if (*fd < 0) return -1;
  if (setsockopt(*fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof send) != 0)
    setsockopt(*fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
  return 0;
}

static void add_error(struct netlink_result *result, unsigned index, int code, char *text) {
  result->errors = xrealloc(result->errors, (result->error_count + 1) * sizeof *result->errors);
  result->errors[result->error_count++] = (struct netlink_error){.index = index, .code = code, .text = text};
}

/* Text of NLMSGERR_ATTR_MSG after the error and the header that it is about; NULL where there is none. */
static char *error_text(const struct nlmsghdr *header) {
  size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nlmsgerr));
  const char *start = (const char *)header;
  if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) return NULL;
  while (offset + NLA_HDRLEN <= header->nlmsg_len) {
    struct nlattr attribute;
    memcpy(&attribute, start + offset, sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > header->nlmsg_len - offset) return NULL;
    if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG)
      return xmemdup0(start + offset + NLA_HDRLEN, strnlen(start + offset + NLA_HDRLEN, attribute.nla_len - NLA_HDRLEN));
    offset += NLA_ALIGN(attribute.nla_len);
  }
  return NULL;
}

struct answer {
  bool done;        /* the dump's end was seen */
  bool interrupted; /* the dump is not consistent */
};

static int take_messages(struct conversation *talk, char *data, size_t size, struct answer *answer) {
  while (size >= NLMSG_HDRLEN) {
    struct nlmsghdr *header = (struct nlmsghdr *)data;
    size_t length = header->nlmsg_len;
    if (length < NLMSG_HDRLEN || length > size) {
      errno = EPROTO;
      return -1;
    }
    unsigned index = header->nlmsg_seq - 1;
    if (header->nlmsg_flags & NLM_F_DUMP_INTR) answer->interrupted = true;
    if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) {
      int code = 0;
      if (length >= NLMSG_HDRLEN + sizeof code) memcpy(&code, data + NLMSG_HDRLEN, sizeof code);
      if (code < 0) add_error(talk->result, index, -code, header->nlmsg_type == NLMSG_ERROR ? error_text(header) : NULL);
      answer->done = true;
    } else if (header->nlmsg_type >= NLMSG_MIN_TYPE) {
      buffer_append(&talk->result->messages, data, NLMSG_ALIGN(length) <= size ? NLMSG_ALIGN(length) : length);
    }
    if (NLMSG_ALIGN(length) >= size) return 0;
    data += NLMSG_ALIGN(length);
    size -= NLMSG_ALIGN(length);
  }
  return 0;
}

/* One datagram from the kernel. 1: taken, 0: nothing is there, -1. */
static int receive(struct conversation *talk, int flags, struct answer *answer) {
  struct sockaddr_nl sender = {0};
  ssize_t expected;
  do expected = recv(talk->fd, NULL, 0, MSG_PEEK | MSG_TRUNC | flags);
  while (expected < 0 && errno == EINTR);
  if (expected < 0) return errno == EAGAIN ? 0 : -1;
  char *data = xmalloc((size_t)expected);
  struct iovec vector = {.iov_base = data, .iov_len = (size_t)expected};
  struct msghdr message = {.msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &vector, .msg_iovlen = 1};
  ssize_t count;
  do count = recvmsg(talk->fd, &message, flags);
  while (count < 0 && errno == EINTR);
  int result = -1;
  /* Another process may send to us: only the kernel (port 0) is heard. */
  if (count >= 0) result = sender.nl_pid != 0 || take_messages(talk, data, (size_t)count, answer) == 0 ? 1 : -1;
  int error = errno;
  free(data);
  errno = error;
  return result;
}

static int send_messages(const struct conversation *talk, const void *data, size_t size) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  ssize_t count;
  do count = sendto(talk->fd, data, size, 0, (struct sockaddr *)&kernel, sizeof kernel);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -1 : 0;
}

/* The kernel works while we send: when the call returns, everything it has to say waits to be read. */
static int run_messages(struct conversation *talk, const char *data, size_t size) {
  struct answer answer = {0};
  int received;
  if (send_messages(talk, data, size) != 0) return -1;
  do received = receive(talk, MSG_DONTWAIT, &answer);
  while (received > 0);
  return received;
}

static int run_dump(struct conversation *talk, const char *data, size_t size, unsigned index) {
  for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
    struct answer answer = {0};
    size_t before = talk->result->messages.size;
    if (send_messages(talk, data, size) != 0) return -1;
    while (!answer.done)
      if (receive(talk, 0, &answer) < 0) return -1;
    if (!answer.interrupted) return 0;
    talk->result->messages.size = before;
  }
  add_error(talk->result, index, EINTR, xstrdup("changed while it was read, again and again"));
  return 0;
}

static bool is_dump(const struct nlmsghdr *header, int family) {
  /* NLM_F_DUMP is two bits that mean something else in requests that make or delete: only GET requests dump. */
  if ((header->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) return false;
  return family != NETLINK_ROUTE || (header->nlmsg_type - NLMSG_MIN_TYPE) % 4 == 2;
}

/* Checks the lengths and gives every message its place as sequence number. -1 when malformed. */
static int number_messages(char *data, size_t size) {
  uint32_t number = 0;
  for (size_t offset = 0; offset < size;) {
    struct nlmsghdr *header = (struct nlmsghdr *)(data + offset);
    if (size - offset < NLMSG_HDRLEN || header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > size - offset) return -1;
    header->nlmsg_seq = ++number;
    header->nlmsg_pid = 0;
    offset += NLMSG_ALIGN(header->nlmsg_len);
  }
  return 0;
}

struct run {
  size_t size;
  unsigned count;
  bool dump;
};

/* The messages from `offset` on that are sent together: a dump alone, a transaction of nftables as a whole. */
static struct run next_run(const char *data, size_t size, size_t offset, int family) {
  struct run run = {0};
  bool transaction = false;
  size_t end = offset;
  while (end < size && !run.dump) {
    const struct nlmsghdr *header = (const struct nlmsghdr *)(data + end);
    bool netfilter = family == NETLINK_NETFILTER;
    if (netfilter && header->nlmsg_type == NFNL_MSG_BATCH_BEGIN) transaction = true;
    if (netfilter && header->nlmsg_type == NFNL_MSG_BATCH_END) transaction = false;
    bool dump = !transaction && is_dump(header, family);
    if (dump && run.count > 0) break;
    if (!netfilter && run.count == ROUTE_CHUNK) break;
    run.dump = dump;
    run.count++;
    end += NLMSG_ALIGN(header->nlmsg_len);
  }
  run.size = (end > size ? size : end) - offset;
  return run;
}

static int run_batch(struct conversation *talk, const char *data, size_t size) {
  unsigned index = 0;
  for (size_t offset = 0; offset < size;) {
    struct run run = next_run(data, size, offset, talk->family);
    int result = run.dump ? run_dump(talk, data + offset, run.size, index) : run_messages(talk, data + offset, run.size);
    if (result != 0) return -1;
    offset += run.size;
    index += run.count;
  }
  return 0;
}

int netlink_batch_on(int *kept, int family, const void *batch, size_t size, struct netlink_result *result) {
  /* A copy: it is changed, and aligned. */
  char *data = xmemdup0(batch, size);
  int outcome = -1;
  memset(result, 0, sizeof *result);
  if (number_messages(data, size) != 0) {
    errno = EBADMSG;
  } else if (prepare_socket(kept, family, size) == 0) {
    struct conversation talk = {.fd = *kept, .family = family, .result = result};
    outcome = run_batch(&talk, data, size);
  }
  int error = errno;
  if (outcome != 0) {
    /* Answers that were not read would be taken for those of the next batch. */
    close_quietly(*kept);
    *kept = -1;
  }
  free(data);
  errno = error;
  return outcome;
}

int netlink_batch(int family, const void *batch, size_t size, struct netlink_result *result) {
  int fd = -1;
  int outcome = netlink_batch_on(&fd, family, batch, size, result);
  int error = errno;
  close_quietly(fd);
  errno = error;
  return outcome;
}

bool netlink_links_gone(const void *batch, size_t size) {
  char *data = xmemdup0(batch, size);
  struct netlink_result result = {0};
  unsigned count = 0, missing = 0;
  bool valid = number_messages(data, size) == 0;
  for (size_t offset = 0; valid && offset < size; count++) {
    struct nlmsghdr *header = (struct nlmsghdr *)(data + offset);
    header->nlmsg_type = RTM_GETLINK;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    offset += NLMSG_ALIGN(header->nlmsg_len);
  }
  bool asked = valid && netlink_batch(NETLINK_ROUTE, data, size, &result) == 0;
  for (size_t i = 0; i < result.error_count; i++) missing += result.errors[i].code == ENODEV;
  netlink_result_free(&result);
  free(data);
  /* Where it cannot be asked, waiting would not help. */
  return !asked || missing == count;
}

void netlink_result_free(struct netlink_result *result) {
  for (size_t i = 0; i < result->error_count; i++) free(result->errors[i].text);
  free(result->errors);
  buffer_free(&result->messages);
  memset(result, 0, sizeof *result);
}
