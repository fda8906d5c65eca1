/*
 * Joining the namespaces of another container. Its monitor is asked for a pid descriptor of its first process: it alone
 * knows which process that is, as it has not reaped it, and a descriptor never names another one later.
 */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "outside.h"

/* A monitor answers at once; one that was stopped from outside must not hold this one up for long. */
#define ANSWER_SECONDS 5

int send_with_descriptor(int socket, const void *data, size_t size, int fd) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

static int send_request(int fd) {
  char request[STREAM_HEADER_SIZE + 8];
  uint32_t length = 4;
  uint16_t words[] = {OP_LEND_PROCESS, 0};
  stream_header(request);
  memcpy(request + STREAM_HEADER_SIZE, &length, sizeof length);
  memcpy(request + STREAM_HEADER_SIZE + sizeof length, words, sizeof words);
  return send(fd, request, sizeof request, MSG_NOSIGNAL) == (ssize_t)sizeof request ? 0 : -1;
}

/* The descriptor that came with the answer, -1 without one; the answer's text is in `text`. */
static int receive(int fd, char *text, size_t size) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {.iov_base = text, .iov_len = size - 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t count;
  /* With a time limit the call is not taken up again by itself where the machine or the process was stopped (signal(7)). */
  do count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  text[count > 0 ? count : 0] = '\0';
  struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  int lent = -1;
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
    memcpy(&lent, CMSG_DATA(header), sizeof lent);
  return lent;
}

static int ask(const char *control, struct failure *failure) {
  char text[1024] = "";
  struct timeval patience = {.tv_sec = ANSWER_SECONDS};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno(failure, errno, "join");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  int lent = connect_path(fd, control) == 0 && send_request(fd) == 0 ? receive(fd, text, sizeof text) : -1;
  close_quietly(fd);
  if (lent >= 0) return lent;
  /* Monitors outlive an upgrade of the package, and an old one knows nothing of this. */
  if (strstr(text, "\"" KIND_INVALID "\"") != NULL)
    return fail_kind(failure, KIND_CONFLICT, "the other container was started by an older version, restart it", "join");
  return fail_kind(failure, KIND_CONFLICT, "the container whose namespace is shared is not running", "join");
}

int share_open(const struct plan *plan, struct share *share, struct failure *failure) {
  *share = (struct share){-1, -1, -1};
  for (size_t i = 0; i < plan->join_count; i++) {
    const struct join *join = &plan->joins[i];
    int *wanted[] = {join->namespaces & CLONE_NEWPID ? &share->pid : NULL,
                     join->namespaces & CLONE_NEWIPC ? &share->ipc : NULL,
                     join->namespaces & CLONE_NEWNET ? &share->network : NULL};
    int lent = ask(join->control, failure);
    for (unsigned kind = 0; lent >= 0 && kind < ARRAY_SIZE(wanted); kind++)
      if (wanted[kind] != NULL) {
        close_quietly(*wanted[kind]);
        *wanted[kind] = duplicate_above(lent, 0);
      }
    close_quietly(lent);
    if (lent >= 0) continue;
    share_close(share);
    return -1;
  }
  return 0;
}

void share_close(struct share *share) {
  close_quietly(share->pid);
  close_quietly(share->ipc);
  close_quietly(share->network);
  *share = (struct share){-1, -1, -1};
}
