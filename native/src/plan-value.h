#ifndef PLAN_VALUE_H
#define PLAN_VALUE_H

#include "plan.h"

/* Values of records that more than one operation of a plan has. 0 or -1. */

/* An address of IPv4 or IPv6 and a port. */
int plan_read_address(const char *host, const char *port, struct sockaddr_storage *out);
/* Says that the record cannot have this value; -1. */
int plan_bad_value(const struct record *record, struct failure *failure, const char *value);

/* Who gets a container's log beside its file, and in which form. */
int plan_read_receiver(struct receiver *receiver, const struct record *record, struct failure *failure);
int plan_read_syslog(struct receiver *receiver, const struct record *record, struct failure *failure);

#endif
