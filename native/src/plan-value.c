#include "plan-value.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

int plan_read_address(const char *host, const char *port, struct sockaddr_storage *out) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)out;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
  uint64_t number;
  memset(out, 0, sizeof *out);
  if (!parse_unsigned(port, 65535, &number)) return -1;
  if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)number);
    return 0;
  }
  if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1) return -1;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons((uint16_t)number);
  return 0;
}

int plan_bad_value(const struct record *record, struct failure *failure, const char *value) {
  return fail_kind(failure, KIND_INVALID, "not a valid value", "%s %s", record->name, value);
}
