/* Launch plans, their setup operations, and frames of a control connection, as they come from outside. */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "plan.h"
#include "setup.h"

static void try_plan(char *data, size_t size) {
  struct failure failure = {0};
  struct plan plan;
  if (plan_read(&plan, data, size, STREAM_NO_HEADER, &failure) == 0) {
    struct setup setup;
    setup_init(&setup, &failure);
    setup_read(&setup, plan.process, plan.process_size, false);
    setup_free(&setup);
  }
  plan_free(&plan);
  plan_read_update(&plan, data, size, &failure);
  plan_free(&plan);
}

static void try_setup(char *data, size_t size) {
  struct failure failure = {0};
  struct setup setup;
  setup_init(&setup, &failure);
  setup_read(&setup, data, size, size % 2 == 0);
  setup_free(&setup);
}

static void try_frames(char *data, size_t size) {
  struct buffer in = {.data = data, .size = size, .capacity = size};
  size_t position = 0;
  unsigned type, rows, columns;
  const char *payload;
  uint32_t length;
  while (frame_next(&in, &position, &type, &payload, &length) > 0) frame_size(payload, length, &rows, &columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size == 0) return 0;
  char *data = xmemdup0(bytes + 1, size - 1);
  if (bytes[0] % 3 == 0) try_plan(data, size - 1);
  else if (bytes[0] % 3 == 1) try_setup(data, size - 1);
  else try_frames(data, size - 1);
  free(data);
  return 0;
}
