/* Events of the container, for the journal that all containers share. */
#include <stdlib.h>

#include "monitor.h"
#include "text.h"

/* Longer lines could be torn by other writers of the same file. */
#define LINE_MAX_BYTES 4096

static void build(struct monitor *monitor, struct buffer *line, const char *action, const char *attributes,
                  const char *extra) {
  struct timespec now = time_now();
  bool first = attributes[0] == '\0' && extra[0] == ',';
  line->size = 0;
  buffer_printf(line, "{\"v\":1,\"seq\":%lld,\"boot\":\"%s\",\"time\":%lld%09ld,", (long long)now_ns(), boot_id(),
                (long long)now.tv_sec, now.tv_nsec);
  buffer_printf(line, "\"type\":\"container\",\"action\":\"%s\",\"id\":\"%s\",\"attributes\":{%s%s}}\n", action,
                monitor->plan.id, attributes, first ? extra + 1 : extra);
}

void journal_event(struct monitor *monitor, const char *action, const char *extra) {
  struct buffer line = {0};
  if (monitor->plan.journal == NULL) return;
  build(monitor, &line, action, monitor->plan.attributes, extra);
  if (line.size > LINE_MAX_BYTES) build(monitor, &line, action, "", extra);
  writer_send(&monitor->writer, WRITE_JOURNAL, line.data, line.size);
  buffer_free(&line);
}
