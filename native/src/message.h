/* A line as a receiver of logs takes it: a message of syslog, or an entry of journald. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "lines.h"
#include "plan.h"

#define RANDOM_ID_SIZE 65

struct messages {
  const struct receiver *receiver;
  char epoch[RANDOM_ID_SIZE]; /* of this run of the container; empty: not yet chosen */
  uint64_t ordinal;
  struct {
    char id[RANDOM_ID_SIZE];
    uint64_t ordinal;
  } partial[2]; /* the line that is cut at the moment, of each stream */
};

/* Nothing is appended for a line without text where syslog gets it, as Docker does. */
void message_encode(struct messages *messages, struct buffer *out, const struct line_part *part);
/* The next line is of another run. */
void messages_end(struct messages *messages);

#endif
