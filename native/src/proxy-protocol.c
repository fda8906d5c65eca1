#include "proxy-protocol.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

static const struct {
  const char *name;
  int number;
} protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}};

int protocol_by_name(const char *name) {
  for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
    if (strcmp(name, protocols[i].name) == 0)
      return protocols[i].number;
  return -1;
}

const char *protocol_name(int protocol) {
  for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
    if (protocol == protocols[i].number)
      return protocols[i].name;
  return "?";
}
