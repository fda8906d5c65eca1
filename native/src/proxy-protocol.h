/* What ports can be published of, by their names in operations. */
#ifndef PROXY_PROTOCOL_H
#define PROXY_PROTOCOL_H

/** IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP; -1: another name. */
int protocol_by_name(const char *name);
const char *protocol_name(int protocol);

#endif
