/* Requests on the control socket, one a connection. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "share.h"

static void reply_bad(struct client *client, const struct record *record, const char *kind, const char *reason) {
  struct failure failure;
  fail_kind(&failure, kind, reason, "%s", record->name);
  client_reply_failure(client, &failure);
}

static void hello(struct client *client) {
  struct json json = {0};
  json_open(&json, '{');
  json_member_number(&json, "version", 1);
  json_member_string(&json, "build", build_id);
  json_key(&json, "features");
  json_open(&json, '[');
  json_string(&json, "update");
  json_string(&json, "networks");
  json_close(&json, ']');
  json_close(&json, '}');
  client->mode = CLIENT_CLOSING;
  client_send_json(client, &json);
}

static void send_state(struct client *client, enum client_mode next) {
  struct json json = {0};
  state_append(client->monitor, &json);
  client->mode = next;
  client_send_json(client, &json);
}

static void event_with_signal(struct monitor *monitor, int signal) {
  char extra[48];
  snprintf(extra, sizeof extra, ",\"signal\":\"%d\"", signal);
  journal_event(monitor, "kill", extra);
}

static void stop_container(struct client *client, const struct record *record) {
  struct monitor *monitor = client->monitor;
  int signal = monitor->plan.stop_signal;
  uint64_t grace = monitor->plan.grace_ms;
  int64_t given;
  if (record->argv[0][0] != '\0' && (signal = signal_number(record->argv[0])) == 0) {
    reply_bad(client, record, KIND_INVALID, "no such signal");
    return;
  }
  if (record->argv[1][0] != '\0') {
    if (!parse_signed(record->argv[1], -1, GRACE_MAX_MS, &given)) {
      reply_bad(client, record, KIND_INVALID, "not a number of milliseconds");
      return;
    }
    grace = given < 0 ? UINT64_MAX : (uint64_t)given;
  }
  client->mode = CLIENT_STOP;
  monitor->stopped_by_user = true;
  monitor->stop_requested = true;
  if (monitor->phase == PHASE_RUNNING) event_with_signal(monitor, signal);
  monitor_stop(monitor, signal, grace);
}

/* A signal that is sent to end the container is a wish that it stays ended. */
static bool is_meant_to_end(const struct monitor *monitor, int signal) {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGABRT ||
         signal == monitor->plan.stop_signal;
}

/* There is no process that a signal could be for: none any more, or none yet. It would run again. */
static bool is_restarting(const struct monitor *monitor) {
  if (monitor->phase == PHASE_DRAINING) return monitor->plan.restart != RESTART_NO;
  return monitor->phase == PHASE_WAITING || (monitor->phase == PHASE_STARTING && monitor->restart_count > 0);
}

static void kill_container(struct client *client, const struct record *record) {
  struct monitor *monitor = client->monitor;
  int signal = signal_number(record->argv[0]);
  if (signal == 0) {
    reply_bad(client, record, KIND_INVALID, "no such signal");
    return;
  }
  if (is_restarting(monitor) && is_meant_to_end(monitor, signal)) {
    client->mode = CLIENT_STOP;
    monitor->stopped_by_user = true;
    monitor_stop(monitor, signal, UINT64_MAX);
    return;
  }
  if (monitor->phase != PHASE_RUNNING) {
    reply_bad(client, record, KIND_CONFLICT, "the container is not running");
    return;
  }
  if (is_meant_to_end(monitor, signal)) monitor->stopped_by_user = true;
  monitor_send_signal(monitor, signal);
  event_with_signal(monitor, signal);
  client_reply_ok(client);
}

static void attach(struct client *client, const struct record *record) {
  struct monitor *monitor = client->monitor;
  struct failure failure;
  if (record_flag(record, 0, &client->input, &failure) != 0 || record_flag(record, 1, &client->output, &failure) != 0 ||
      record_flag(record, 2, &client->error, &failure) != 0) {
    client_reply_failure(client, &failure);
    return;
  }
  if (monitor->phase == PHASE_HELD) {
    client_expect(client);
    return;
  }
  if (monitor->phase != PHASE_RUNNING && monitor->phase != PHASE_STARTING) {
    reply_bad(client, record, KIND_CONFLICT, "the container is not running");
    return;
  }
  if (monitor->pause.state != PAUSE_NONE) {
    reply_bad(client, record, KIND_CONFLICT, "the container is paused");
    return;
  }
  client_attach(client);
}

static void resize(struct client *client, const struct record *record) {
  struct monitor *monitor = client->monitor;
  struct failure failure;
  uint64_t rows, columns;
  if (record_unsigned(record, 0, 65535, &rows, &failure) != 0 ||
      record_unsigned(record, 1, 65535, &columns, &failure) != 0) {
    client_reply_failure(client, &failure);
    return;
  }
  if (monitor->phase != PHASE_RUNNING) {
    reply_bad(client, record, KIND_CONFLICT, "the container is not running");
    return;
  }
  /* Without a terminal there is nothing to do, and Docker says nothing. */
  if (monitor->plan.terminal && terminal_resize(monitor->outputs[0].watch.fd, (unsigned)rows, (unsigned)columns) != 0) {
    fail_errno(&failure, errno, "resize");
    client_reply_failure(client, &failure);
    return;
  }
  client_reply_ok(client);
}

/*
 * A descriptor cannot go to another process meanwhile, as a number can: whoever joins the namespaces of this process joins
 * those, or none.
 */
static void lend_process(struct client *client, const struct record *record) {
  static const char answer[] = "{\"ok\":true}\n";
  struct monitor *monitor = client->monitor;
  struct failure failure;
  if (monitor->phase != PHASE_RUNNING) {
    reply_bad(client, record, KIND_CONFLICT, "the container is not running");
    return;
  }
  client->mode = CLIENT_CLOSING;
  if (send_with_descriptor(client->watch.fd, answer, sizeof answer - 1, monitor->process.pidfd) == 0) {
    client_flush(client);
    return;
  }
  fail_errno(&failure, errno, "%s", record->name);
  client_reply_failure(client, &failure);
}

/* The plan's own text stays: it is part of what was read. */
static void describe(struct client *client, const struct record *record) {
  struct monitor *monitor = client->monitor;
  free(monitor->described);
  monitor->described = xstrdup(record->argv[0]);
  monitor->plan.attributes = monitor->described;
  client_reply_ok(client);
}

void control_request(struct client *client, const struct record *record) {
  struct failure failure;
  if (record->code != OP_EXEC && record->code != OP_UPDATE && record_texts(record, &failure) != 0) {
    client_reply_failure(client, &failure);
    return;
  }
  switch (record->code) {
    case OP_MONITOR_HELLO:
      hello(client);
      return;
    case OP_STATE:
      send_state(client, CLIENT_CLOSING);
      return;
    case OP_WATCH:
      send_state(client, CLIENT_WATCH);
      return;
    case OP_STOP_CONTAINER:
      stop_container(client, record);
      return;
    case OP_KILL:
      kill_container(client, record);
      return;
    case OP_ATTACH:
      attach(client, record);
      return;
    case OP_RESIZE:
      resize(client, record);
      return;
    case OP_EXEC:
      session_start(client, record);
      return;
    case OP_UPDATE:
      update_container(client, record);
      return;
    case OP_PAUSE:
      pause_container(client);
      return;
    case OP_UNPAUSE:
      unpause_container(client);
      return;
    case OP_DESCRIBE:
      describe(client, record);
      return;
    case OP_LEND_PROCESS:
      lend_process(client, record);
      return;
    default:
      reply_bad(client, record, KIND_INVALID, "not a control operation");
  }
}
