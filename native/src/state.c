/* The state and exit files: one JSON object, see docs/native.md. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "monitor.h"
#include "text.h"

static void append_time(struct json *json, const char *key, bool known, struct timespec time) {
  char text[TIME_TEXT_SIZE] = "";
  if (known) time_text(text, time);
  json_member_string(json, key, text);
}

static void append_health(const struct health *health, struct json *json) {
  json_key(json, "health");
  json_open(json, '{');
  json_member_string(json, "status", health->status);
  json_member_number(json, "failingStreak", health->failing_streak);
  json_key(json, "log");
  json_open(json, '[');
  for (unsigned i = 0; i < health->result_count; i++) {
    const struct probe_result *result = &health->results[i];
    json_open(json, '{');
    append_time(json, "start", true, result->start);
    append_time(json, "end", true, result->end);
    json_member_number(json, "exitCode", result->exit_code);
    json_key(json, "output");
    json_bytes(json, result->output, result->output_size);
    json_close(json, '}');
  }
  json_close(json, ']');
  json_close(json, '}');
}

static void append_members(const struct monitor *monitor, struct json *json) {
  json_member_number(json, "v", 1);
  json_member_string(json, "id", monitor->plan.id);
  json_member_string(json, "status", monitor->status);
  json_member_number(json, "pid", monitor->shown_pid);
  json_member_number(json, "monitor", getpid());
  json_member_string(json, "boot", boot_id());
  append_time(json, "startedAt", monitor->has_started, monitor->started);
  append_time(json, "finishedAt", monitor->has_finished, monitor->finished);
  json_member_number(json, "exitCode", monitor->exit_code);
  json_member_bool(json, "oomKilled", monitor->oom_killed);
  json_member_bool(json, "paused", monitor->pause.state == PAUSE_FROZEN);
  json_member_string(json, "error", monitor->failure.kind != NULL ? monitor->failure.message : "");
  json_member_number(json, "restartCount", monitor->restart_count);
  json_member_bool(json, "stoppedByUser", monitor->stopped_by_user);
  if (monitor->health.status != NULL) append_health(&monitor->health, json);
}

void state_append(const struct monitor *monitor, struct json *json) {
  json_open(json, '{');
  append_members(monitor, json);
  if (monitor->logged) json_member_bool(json, "logged", true);
  json_close(json, '}');
}

static int write_state(const struct monitor *monitor, const char *path) {
  struct json json = {0};
  json_open(&json, '{');
  append_members(monitor, &json);
  json_close(&json, '}');
  buffer_append(&json.buffer, "\n", 1);
  int result = write_file_atomic(path, json.buffer.data, json.buffer.size, 0600, false);
  json_free(&json);
  return result;
}

int state_changed(struct monitor *monitor) {
  int result = write_state(monitor, monitor->plan.state);
  int error = errno;
  client_state_changed(monitor);
  errno = error;
  return result;
}

int state_write_exit(struct monitor *monitor) {
  return write_state(monitor, monitor->plan.exit);
}
