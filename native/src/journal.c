/* Events of the container, of its networks and its volumes, for the journal that all containers share. */
#include <stdlib.h>
#include <string.h>

#include "monitor.h"
#include "text.h"

/* Longer lines could be torn by other writers of the same file. */
#define LINE_MAX_BYTES 4096

struct subject {
  const char *type, *id;
};

static void build(struct buffer *line, struct subject subject, const char *action, const char *attributes,
                  const char *extra) {
  struct timespec now = time_now();
  bool first = attributes[0] == '\0' && extra[0] == ',';
  line->size = 0;
  buffer_printf(line, "{\"v\":1,\"seq\":%lld,\"boot\":\"%s\",\"time\":%lld%09ld,", (long long)now_ns(), boot_id(),
                (long long)now.tv_sec, now.tv_nsec);
  buffer_printf(line, "\"type\":\"%s\",\"action\":\"%s\",\"id\":\"%s\",\"attributes\":{%s%s}}\n", subject.type, action,
                subject.id, attributes, first ? extra + 1 : extra);
}

static void append(struct monitor *monitor, struct subject subject, const char *action, const char *attributes,
                   const char *extra) {
  struct buffer line = {0};
  if (monitor->plan.journal == NULL) return;
  build(&line, subject, action, attributes, extra);
  if (line.size > LINE_MAX_BYTES) build(&line, subject, action, "", extra);
  writer_send(&monitor->writer, WRITE_JOURNAL, line.data, line.size);
  buffer_free(&line);
}

void journal_event(struct monitor *monitor, const char *action, const char *extra) {
  append(monitor, (struct subject){"container", monitor->plan.id}, action, monitor->plan.attributes, extra);
}

static bool has_member(const struct plan *plan, const char *id) {
  for (size_t i = 0; plan != NULL && i < plan->member_count; i++)
    if (strcmp(plan->members[i].id, id) == 0) return true;
  return false;
}

static void tell_of_others(struct monitor *monitor, const struct plan *plan, const struct plan *but, const char *action) {
  for (size_t i = 0; plan != NULL && i < plan->member_count; i++) {
    const struct network_member *member = &plan->members[i];
    if (!has_member(but, member->id))
      append(monitor, (struct subject){"network", member->id}, action, member->attributes, "");
  }
}

void journal_networks(struct monitor *monitor, const struct plan *before, const struct plan *after) {
  if (!monitor->is_placed) return;
  tell_of_others(monitor, before, after, "disconnect");
  tell_of_others(monitor, after, before, "connect");
}

static void tell_of_volumes(struct monitor *monitor) {
  for (size_t i = 0; i < monitor->plan.mount_count; i++) {
    const struct volume_member *mount = &monitor->plan.mounts[i];
    append(monitor, (struct subject){"volume", mount->name}, monitor->is_placed ? "mount" : "unmount",
           monitor->is_placed ? mount->mounted : mount->unmounted, "");
  }
}

void journal_place(struct monitor *monitor) {
  if (monitor->is_placed) return;
  monitor->is_placed = true;
  tell_of_volumes(monitor);
  journal_networks(monitor, NULL, monitor->network.plan);
}

void journal_leave(struct monitor *monitor) {
  if (!monitor->is_placed) return;
  journal_networks(monitor, monitor->network.plan, NULL);
  monitor->is_placed = false;
  tell_of_volumes(monitor);
}
