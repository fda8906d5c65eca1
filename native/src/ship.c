#include "ship.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "loop.h"
#include "memory.h"
#include "message.h"
#include "receiver-link.h"
#include "status.h"
#include "writer.h"

/* A container whose receiver takes nothing is held back when so much waits; Docker holds back less, a person sees no difference. */
#define BLOCKING_BYTES 65536
/* What waits for a receiver that is gone: then a container goes on, and lines are dropped. */
#define GONE_BYTES 1048576
#define RETRY_FIRST_NS 100000000
#define RETRY_LONGEST_NS 10000000000
/* After the container's end. */
#define FLUSH_NS 10000000000
#define IDLE_MS 1000

struct shipper {
  const struct receiver *receiver;
  struct receiver_link link;
  struct lines lines;
  struct messages messages;
  struct buffer queue; /* messages, each after its size */
  size_t head;         /* where the first one begins */
  size_t sent;         /* of the first one */
  int pipe;            /* -1: the container has ended */
  int64_t retry_ns, wait_ns; /* when to connect again; 0: at once */
  int64_t give_up_ns;        /* 0: not yet */
};

static size_t waiting(const struct shipper *shipper) {
  return shipper->queue.size - shipper->head;
}

static bool is_connected(const struct shipper *shipper) {
  return shipper->link.fd >= 0 && !shipper->link.connecting;
}

/* A stream that is held back loses nothing; all others lose what is newest, as Docker's ring does. */
static bool has_room(const struct shipper *shipper, size_t size) {
  size_t limit = shipper->receiver->buffer > 0 ? shipper->receiver->buffer : GONE_BYTES;
  if (shipper->receiver->buffer == 0 && is_connected(shipper)) return true;
  return waiting(shipper) == 0 || waiting(shipper) + size <= limit;
}

static void enqueue(void *data, const struct line_part *part) {
  struct shipper *shipper = data;
  struct buffer message = {0};
  message_encode(&shipper->messages, &message, part);
  uint32_t size = (uint32_t)message.size;
  if (size > 0 && has_room(shipper, size)) {
    buffer_append(&shipper->queue, &size, sizeof size);
    buffer_append(&shipper->queue, message.data, message.size);
  }
  buffer_free(&message);
}

static void drop_first(struct shipper *shipper, size_t size) {
  shipper->head += sizeof(uint32_t) + size;
  shipper->sent = 0;
  if (shipper->head == shipper->queue.size) {
    shipper->head = shipper->queue.size = 0;
    if (shipper->queue.capacity > BLOCKING_BYTES) buffer_free(&shipper->queue);
  } else if (shipper->head > shipper->queue.size / 2) {
    buffer_consume(&shipper->queue, shipper->head);
    shipper->head = 0;
  }
}

/* A message that was cut off is sent again as a whole. */
static void lost(struct shipper *shipper) {
  link_close(&shipper->link);
  shipper->sent = 0;
  shipper->retry_ns = shipper->wait_ns == 0 ? 0 : now_ns() + shipper->wait_ns;
  shipper->wait_ns = shipper->wait_ns == 0 ? RETRY_FIRST_NS : shipper->wait_ns * 2;
  if (shipper->wait_ns > RETRY_LONGEST_NS) shipper->wait_ns = RETRY_LONGEST_NS;
}

static void send_queue(struct shipper *shipper) {
  while (waiting(shipper) > 0 && is_connected(shipper)) {
    uint32_t size;
    memcpy(&size, shipper->queue.data + shipper->head, sizeof size);
    const char *message = shipper->queue.data + shipper->head + sizeof size;
    enum link_result result = link_send(&shipper->link, message, size, &shipper->sent);
    if (result == LINK_LATER) return;
    if (result == LINK_LOST) {
      lost(shipper);
      return;
    }
    shipper->wait_ns = 0;
    drop_first(shipper, size);
  }
}

static void connect_again(struct shipper *shipper) {
  if (waiting(shipper) == 0 || shipper->link.fd >= 0 || shipper->retry_ns > now_ns()) return;
  if (link_open(&shipper->link) != 0) lost(shipper);
}

static void read_pipe(struct shipper *shipper) {
  static char data[FRAME_MAX];
  struct frame_header header;
  if (writer_read_frame(shipper->pipe, &header, data) != 0) {
    lines_end(&shipper->lines);
    close_quietly(shipper->pipe);
    shipper->pipe = -1;
    shipper->give_up_ns = now_ns() + FLUSH_NS;
    return;
  }
  struct timespec time = {.tv_sec = header.seconds, .tv_nsec = header.nanoseconds};
  if (header.kind == WRITE_END) {
    lines_end(&shipper->lines);
    messages_end(&shipper->messages);
  } else if (header.kind != WRITE_JOURNAL) {
    lines_output(&shipper->lines, header.kind - 1, data, header.size, time);
  }
}

static bool takes_more(const struct shipper *shipper) {
  return shipper->pipe >= 0 &&
         (shipper->receiver->buffer > 0 || !is_connected(shipper) || waiting(shipper) < BLOCKING_BYTES);
}

/* Milliseconds until there is something to do by itself; -1: nothing. */
static int next_deadline(const struct shipper *shipper, bool idle) {
  int64_t now = now_ns(), next = INT64_MAX;
  if (waiting(shipper) > 0 && shipper->link.fd < 0) next = shipper->retry_ns;
  if (shipper->give_up_ns != 0 && shipper->give_up_ns < next) next = shipper->give_up_ns;
  if (next == INT64_MAX) return idle ? -1 : IDLE_MS;
  return next <= now ? 0 : (int)((next - now) / 1000000) + 1;
}

/* Nothing is left, or nobody to give it to: a receiver that cannot be reached is asked once more, one that hangs waited for. */
static bool is_over(const struct shipper *shipper) {
  if (shipper->pipe >= 0) return false;
  bool refused = shipper->link.fd < 0 && shipper->wait_ns > RETRY_FIRST_NS;
  return waiting(shipper) == 0 || refused || now_ns() >= shipper->give_up_ns;
}

static void handle(struct shipper *shipper, const struct pollfd *pipe, const struct pollfd *link) {
  if (link->fd >= 0 && link->revents != 0) {
    if (shipper->link.connecting && link_settle(&shipper->link) != 0) lost(shipper);
    else if ((link->revents & ~POLLOUT) != 0 && link_has_ended(&shipper->link)) lost(shipper);
  }
  if (pipe->revents != 0) read_pipe(shipper);
}

void ship_run(int pipe, int link, const struct plan *plan) {
  static struct shipper shipper;
  bool idle = false;
  prctl(PR_SET_NAME, "tscompose-ship", 0, 0, 0);
  shipper.receiver = shipper.link.receiver = shipper.messages.receiver = &plan->receiver;
  shipper.link.outside = plan->outside;
  shipper.link.fd = link;
  shipper.lines.emit = enqueue;
  shipper.lines.data = &shipper;
  shipper.pipe = pipe;
  while (!is_over(&shipper)) {
    connect_again(&shipper);
    send_queue(&shipper);
    bool busy = shipper.link.connecting || waiting(&shipper) > 0;
    struct pollfd ready[] = {
        {.fd = takes_more(&shipper) ? shipper.pipe : -1, .events = POLLIN},
        {.fd = shipper.link.fd, .events = (short)(POLLIN | (busy ? POLLOUT : 0))},
    };
    int count = poll(ready, ARRAY_SIZE(ready), next_deadline(&shipper, idle));
    if (count > 0) handle(&shipper, &ready[0], &ready[1]);
    if (count == 0 && !idle) memory_trim();
    idle = count == 0;
  }
  _exit(0);
}

int ship_connect(const struct plan *plan, int *link, struct failure *failure) {
  struct receiver_link opened = {.receiver = &plan->receiver, .outside = plan->outside, .fd = -1};
  char reason[128];
  *link = -1;
  if (plan->receiver.protocol == RECEIVER_NONE) return 0;
  if (link_open(&opened) == 0 && link_wait(&opened) == 0) {
    *link = opened.fd;
    return 0;
  }
  snprintf(reason, sizeof reason, "connect: %s", strerror(errno));
  reason[9] = (char)tolower((unsigned char)reason[9]);
  return fail_kind(failure, KIND_UNAVAILABLE, reason, "failed to initialize logging driver: %s", plan->receiver.name);
}
