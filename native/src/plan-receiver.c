#include <string.h>

#include "plan-value.h"

int plan_read_receiver(struct receiver *receiver, const struct record *record, struct failure *failure) {
  static const char *const protocols[] = {"", "tcp", "udp", "unix", "unixgram", "local"};
  receiver->protocol = RECEIVER_NONE;
  for (unsigned i = RECEIVER_TCP; i < ARRAY_SIZE(protocols); i++)
    if (strcmp(record->argv[0], protocols[i]) == 0) receiver->protocol = i;
  if (receiver->protocol == RECEIVER_NONE) return plan_bad_value(record, failure, record->argv[0]);
  receiver->name = record->argv[3];
  receiver->path = record->argv[1];
  if (receiver->protocol <= RECEIVER_UDP && plan_read_address(record->argv[1], record->argv[2], &receiver->address) != 0)
    return plan_bad_value(record, failure, record->argv[1]);
  return record_unsigned(record, 4, INT64_MAX, &receiver->buffer, failure);
}

int plan_read_syslog(struct receiver *receiver, const struct record *record, struct failure *failure) {
  static const char *const forms[] = {"unix", "rfc3164", "rfc5424", "rfc5424micro"};
  unsigned form = 0;
  while (form < ARRAY_SIZE(forms) && strcmp(record->argv[0], forms[form]) != 0) form++;
  if (form == ARRAY_SIZE(forms)) return plan_bad_value(record, failure, record->argv[0]);
  receiver->form = form;
  receiver->tag = record->argv[2];
  receiver->host = record->argv[3];
  return record_unsigned(record, 1, 23, &receiver->facility, failure);
}
