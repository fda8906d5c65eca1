#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_NS 10000000000
/* An attached client that is this far behind holds the container back, as in Docker. */
#define BEHIND (256u << 10)
/* The output of a container that has ended is in pipes, which hold less; whoever is behind further is dropped. */
#define BACKLOG_MAX (4u << 20)

static void update_events(struct client *client) {
  short events = client->out.size > 0 ? POLLOUT : 0;
  /* Closed from the loop, by the next turn: the callers of this still use the client. */
  if (client->mode == CLIENT_CLOSING) events |= POLLOUT;
  else if (client->mode == CLIENT_LINGERING) events |= POLLIN;
  else if (!client->input_ended && !client->input_blocked) events |= POLLIN;
  /* Never without any event: that it hangs up altogether must be seen. */
  else events |= POLLPRI;
  client->watch.events = events;
}

void client_release(struct client *client) {
  struct monitor *monitor = client->monitor;
  for (struct client **link = &monitor->clients; *link != NULL; link = &(*link)->next) {
    if (*link != client) continue;
    *link = client->next;
    break;
  }
  loop_remove(&monitor->loop, &client->watch);
  loop_timer_forget(&monitor->loop, &client->timer);
  close_quietly(client->watch.fd);
  stream_free(&client->stream);
  buffer_free(&client->out);
  buffer_free(&client->in);
  free(client);
}

/* With the input that it was for. A terminal has no end of input: somebody else may type into it later. */
static bool is_only_input(const struct client *client) {
  const struct plan *plan = &client->monitor->plan;
  return client->mode == CLIENT_ATTACH && client->input && plan->stdin_once && !plan->terminal;
}

void client_close(struct client *client) {
  struct monitor *monitor = client->monitor;
  bool ends_input = is_only_input(client);
  client_release(client);
  if (ends_input) output_end_input(monitor);
  output_resume(monitor);
}

void client_flush(struct client *client) {
  while (client->out.size > 0) {
    ssize_t count = send(client->watch.fd, client->out.data, client->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      buffer_consume(&client->out, (size_t)count);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      /* Gone; seen again as a hang-up when the loop comes round. */
      if (is_only_input(client)) output_end_input(client->monitor);
      client->out.size = 0;
      client->mode = CLIENT_CLOSING;
      break;
    }
  }
  if (client->out.size == 0) buffer_free(&client->out);
  if (client->behind && client->out.size < BEHIND) {
    client->behind = false;
    output_resume(client->monitor);
  }
  update_events(client);
}

void client_send_json(struct client *client, struct json *json) {
  buffer_append(&json->buffer, "\n", 1);
  buffer_append(&client->out, json->buffer.data, json->buffer.size);
  json_free(json);
  client_flush(client);
}

void client_reply_ok(struct client *client) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_close(&json, '}');
  client->mode = CLIENT_CLOSING;
  client_send_json(client, &json);
}

void client_reply_failure(struct client *client, const struct failure *failure) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_failure(&json, failure);
  json_close(&json, '}');
  client->mode = CLIENT_CLOSING;
  client_send_json(client, &json);
}

/* --- attached clients --- */

void client_broadcast(struct monitor *monitor, unsigned stream, const char *data, size_t size) {
  for (struct client *client = monitor->clients, *next; client != NULL; client = next) {
    next = client->next;
    if (client->mode != CLIENT_ATTACH || !(stream == 1 ? client->output : client->error)) continue;
    if (client->out.size > BACKLOG_MAX) {
      client_close(client);
      continue;
    }
    frame_append(&client->out, stream == 1 ? FRAME_OUTPUT : FRAME_ERROR, data, size);
    client->behind = client->out.size >= BEHIND;
    client_flush(client);
  }
}

bool client_is_behind(const struct monitor *monitor) {
  for (const struct client *client = monitor->clients; client != NULL; client = client->next)
    if (client->behind) return true;
  return false;
}

void client_run_ended(struct monitor *monitor) {
  for (struct client *client = monitor->clients; client != NULL; client = client->next) {
    if (client->mode != CLIENT_ATTACH) continue;
    frame_append_exit(&client->out, monitor->exit_code);
    client->mode = CLIENT_CLOSING;
    client->lingers = true;
    client->behind = false;
    client_flush(client);
  }
}

/* Writes one frame of input, as much as the process takes. False: it has to wait. */
static bool write_input(struct client *client, const char *payload, uint32_t size) {
  struct monitor *monitor = client->monitor;
  /* A terminal is made while the process is set up. */
  if (client->input && monitor->phase == PHASE_STARTING && monitor->input.fd < 0 && monitor->plan.open_stdin) return false;
  while (client->input_written < size && monitor->input.fd >= 0 && client->input) {
    ssize_t count = write(monitor->input.fd, payload + client->input_written, size - client->input_written);
    if (count >= 0) {
      client->input_written += (size_t)count;
    } else if (errno == EAGAIN) {
      monitor->input.events = POLLOUT;
      return false;
    } else if (errno != EINTR) {
      break; /* the process has closed its side: input is thrown away, as a shell's `| true` does */
    }
  }
  client->input_written = 0;
  return true;
}

/* False: the frame stays where it is until the process takes more. */
static bool handle_frame(struct client *client, unsigned type, const char *payload, uint32_t size) {
  struct monitor *monitor = client->monitor;
  unsigned rows, columns;
  if (type == FRAME_INPUT) return write_input(client, payload, size);
  if (type == FRAME_RESIZE && monitor->plan.terminal && frame_size(payload, size, &rows, &columns))
    terminal_resize(monitor->outputs[0].watch.fd, rows, columns);
  if (type == FRAME_END_OF_INPUT && is_only_input(client)) output_end_input(monitor);
  return true;
}

/* False: the client is gone. */
static bool take_frames(struct client *client) {
  size_t position = 0, taken = 0;
  unsigned type;
  const char *payload;
  uint32_t size;
  int result;
  client->input_blocked = false;
  while ((result = frame_next(&client->in, &position, &type, &payload, &size)) > 0) {
    if (!handle_frame(client, type, payload, size)) {
      client->input_blocked = true;
      break;
    }
    taken = position;
  }
  if (result < 0) {
    client_close(client);
    return false;
  }
  buffer_consume(&client->in, taken);
  if (client->in.size == 0) buffer_free(&client->in);
  update_events(client);
  return true;
}

void client_input_ready(struct monitor *monitor) {
  for (struct client *client = monitor->clients, *next; client != NULL; client = next) {
    next = client->next;
    if (client->mode == CLIENT_ATTACH) take_frames(client);
  }
}

static bool expects_clients(const struct monitor *monitor) {
  uint64_t count = 0;
  for (const struct client *client = monitor->clients; client != NULL; client = client->next)
    if (client->mode == CLIENT_EXPECTED) count++;
  return count < monitor->plan.expected_clients;
}

void client_expect(struct client *client) {
  struct monitor *monitor = client->monitor;
  client->mode = CLIENT_EXPECTED;
  update_events(client);
  if (!expects_clients(monitor)) monitor_begin_first_run(monitor);
}

void client_run_begins(struct monitor *monitor) {
  for (struct client *client = monitor->clients, *next; client != NULL; client = next) {
    next = client->next;
    if (client->mode == CLIENT_EXPECTED) client_attach(client);
  }
}

void client_attach(struct client *client) {
  struct json json = {0};
  client->mode = CLIENT_ATTACH;
  json_open(&json, '{');
  json_member_bool(&json, "ok", true);
  json_close(&json, '}');
  client_send_json(client, &json);
  buffer_append(&client->in, client->stream.buffer.data + client->stream.position,
                client->stream.buffer.size - client->stream.position);
  take_frames(client);
}

static void read_frames(struct client *client) {
  char block[16384];
  ssize_t count = recv(client->watch.fd, block, sizeof block, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    /* Its side of the input has ended; output may still be wanted. A lost client is seen when something is sent. */
    client->input_ended = true;
    if (is_only_input(client) && client->in.size == 0) output_end_input(client->monitor);
    update_events(client);
    return;
  }
  buffer_append(&client->in, block, (size_t)count);
  take_frames(client);
}

/* --- requests --- */

static void read_request(struct client *client) {
  struct record record;
  struct failure failure;
  char block[16384];
  ssize_t count = recv(client->watch.fd, block, sizeof block, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    client_close(client);
    return;
  }
  stream_feed(&client->stream, block, (size_t)count);
  switch (stream_next(&client->stream, &record, &failure)) {
    case STREAM_MORE:
      return;
    case STREAM_RECORD:
      loop_timer_clear(&client->timer);
      control_request(client, &record);
      return;
    default:
      client_reply_failure(client, &failure);
  }
}

/*
 * A connection closed with input on its way would be reset, and the client, in the middle of a write, would lose what it has
 * not read yet. So it closes first; it does so at the exit frame.
 */
static void linger(struct client *client) {
  client->mode = CLIENT_LINGERING;
  shutdown(client->watch.fd, SHUT_WR);
  loop_timer_set(&client->monitor->loop, &client->timer, now_ns() + REQUEST_NS);
  update_events(client);
}

/* Whoever watches or waits sends nothing more; end of file means that it is gone. */
static void notice_end(struct client *client) {
  char block[4096];
  ssize_t count = recv(client->watch.fd, block, sizeof block, MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) client_close(client);
}

static void client_ready(void *data, short events) {
  struct client *client = data;
  if (events & POLLOUT) client_flush(client);
  if (events & POLLHUP || events & POLLERR) {
    /* Both directions are closed. What it has sent before is still input. */
    if (client->mode == CLIENT_ATTACH && events & POLLIN && !client->input_ended) {
      read_frames(client);
      return;
    }
    client_close(client);
    return;
  }
  if (client->mode == CLIENT_CLOSING) {
    if (client->out.size > 0) return;
    if (client->lingers) linger(client);
    else client_close(client);
    return;
  }
  if (!(events & POLLIN)) return;
  if (client->mode == CLIENT_REQUEST) read_request(client);
  else if (client->mode == CLIENT_ATTACH) read_frames(client);
  else notice_end(client);
}

static void request_late(void *data) {
  client_close(data);
}

void client_accept(struct monitor *monitor, int fd) {
  struct client *client = xcalloc(1, sizeof *client);
  client->monitor = monitor;
  client->next = monitor->clients;
  monitor->clients = client;
  stream_init(&client->stream, STREAM_ANY_BUILD);
  client->watch = (struct watch){.fd = fd, .events = POLLIN, .ready = client_ready, .data = client};
  client->timer = (struct timer){.expired = request_late, .data = client};
  loop_timer_set(&monitor->loop, &client->timer, now_ns() + REQUEST_NS);
  loop_add(&monitor->loop, &client->watch);
}

void client_state_changed(struct monitor *monitor) {
  for (struct client *client = monitor->clients, *next; client != NULL; client = next) {
    struct json json = {0};
    next = client->next;
    if (client->mode != CLIENT_WATCH) continue;
    if (client->out.size > BACKLOG_MAX) {
      client_close(client);
      continue;
    }
    state_append(monitor, &json);
    client_send_json(client, &json);
  }
}

bool client_all_flushed(struct monitor *monitor) {
  for (const struct client *client = monitor->clients; client != NULL; client = client->next)
    if (client->out.size > 0 || client->lingers) return false;
  return true;
}

void client_answer_stops(struct monitor *monitor) {
  static const char answer[] = "{\"ok\":true}\n";
  for (struct client *client = monitor->clients; client != NULL; client = client->next)
    if (client->mode == CLIENT_STOP)
      if (send(client->watch.fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) continue;
}
