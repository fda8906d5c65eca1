/*
 * Control operation `update`: limits, restart policy and networks of a running container, and the record. All of it or
 * nothing, also where whoever asked is killed meanwhile: nothing but the end of this process comes in between, and with
 * that the container ends, so its record still tells what held.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* What a file said before it was written; NULL: it was not. */
struct undo {
  const char *path;
  char *before;
};

/* The first line: what follows it in any file that is written here is of devices, and stays. */
static char *read_line(const char *path) {
  struct buffer text = {0};
  char *line = NULL;
  if (read_file_at(AT_FDCWD, path, 65536, &text) == 0) {
    buffer_append(&text, "", 1);
    text.data[strcspn(text.data, "\n")] = '\0';
    /* Nothing at all is no write: an empty cpuset is a line without words. */
    line = xstrdup(text.data[0] == '\0' ? "\n" : text.data);
  }
  int error = errno;
  buffer_free(&text);
  errno = error;
  return line;
}

static int write_one(const struct cgroup_write *write, struct undo *undo, struct failure *failure) {
  undo->path = write->path;
  undo->before = read_line(write->path);
  if (undo->before == NULL && write->optional && (errno == ENOENT || errno == EOPNOTSUPP)) return 0;
  if (undo->before != NULL && write_file_at(AT_FDCWD, write->path, write->value) == 0) return 0;
  int error = errno;
  /* It holds what it held. */
  free(undo->before);
  undo->before = NULL;
  return fail_errno(failure, error, "cgroup %s", write->path);
}

/* Backwards, since the kernel checks some of them against each other. */
static void take_back(struct undo *undos, size_t count) {
  while (count-- > 0)
    if (undos[count].before != NULL) write_file_at(AT_FDCWD, undos[count].path, undos[count].before);
}

static int apply(struct monitor *monitor, struct plan *wanted, const struct record *record, struct failure *failure) {
  const char *source = record->argv[1], *target = record->argv[2];
  struct undo *undos = xcalloc(wanted->write_count + 1, sizeof *undos);
  struct network_change *change = NULL;
  size_t done = 0;
  int result = 0;
  while (result == 0 && done < wanted->write_count) {
    result = write_one(&wanted->writes[done], &undos[done], failure);
    done++;
  }
  if (result == 0 && wanted->changes_networks) {
    change = network_change_begin(&monitor->network, wanted, failure);
    result = change != NULL ? 0 : -1;
  }
  if (result == 0 && rename(source, target) != 0) result = fail_errno(failure, errno, "rename %s", source);
  if (change != NULL && result == 0) {
    journal_networks(monitor, monitor->network.plan, wanted);
    network_change_commit(change);
  }
  if (change != NULL && result != 0) network_change_undo(change);
  if (result != 0) take_back(undos, done);
  for (size_t i = 0; i < done; i++) free(undos[i].before);
  free(undos);
  return result;
}

static void free_wanted(struct plan *wanted) {
  free(wanted->bytes);
  plan_free(wanted);
  free(wanted);
}

void update_container(struct client *client, const struct record *record) {
  struct monitor *monitor = client->monitor;
  struct failure failure;
  struct plan *wanted = xcalloc(1, sizeof *wanted);
  char *data = xmemdup0(record->argv[0], record->sizes[0]);
  int result = plan_read_update(wanted, data, record->sizes[0], &failure);
  bool ending = monitor->phase == PHASE_ENDING, networks = wanted->changes_networks;
  /* The networks are given up already: whoever asks is told that there is no monitor any more, and waits for its end. */
  if (result == 0 && ending && networks) {
    free_wanted(wanted);
    client_close(client);
    return;
  }
  /* At the end of a run its cgroups are being removed: what it is to have next is all that counts. */
  if (ending) wanted->write_count = 0;
  if (result == 0) result = apply(monitor, wanted, record, &failure);
  if (result == 0) {
    monitor->plan.restart = wanted->restart;
    monitor->plan.max_retries = wanted->max_retries;
  }
  if (result == 0 && networks) monitor_settle(monitor);
  else free_wanted(wanted);
  if (result == 0)
    client_reply_ok(client);
  else
    client_reply_failure(client, &failure);
}
