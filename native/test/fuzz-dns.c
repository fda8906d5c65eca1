/* libFuzzer target: what containers and upstreams send, and what name and resolver files hold. */
#include "../src/dns-message.h"
#include "../src/dns-names.h"
#include "../src/network-child.h"

#include <stdlib.h>
#include <string.h>

static void check(bool fine) {
  if (!fine)
    abort();
}

/* A question, answered in every way the server knows. */
static void try_query(const uint8_t *message, size_t size) {
  static uint8_t bytes[16384];
  static const uint8_t address[16] = {0xfd, 1};
  struct dns_query query;
  struct dns_reply reply;
  if (dns_read_query(message, size, &query) == DNS_IGNORE)
    return;
  check(query.question_end <= (size < DNS_HEADER ? DNS_HEADER : size) && query.udp_size >= DNS_PLAIN_UDP &&
        query.udp_size <= DNS_LARGEST_UDP);
  check(memchr(query.name, '\0', sizeof query.name) != NULL);
  uint8_t reversed[16];
  size_t reverse = dns_reverse_address(query.name, reversed);
  check(reverse == 0 || reverse == 4 || reverse == 16);
  /* A copy of exactly the size that the asker takes, so that a sanitizer sees a byte too many. */
  uint8_t *exact = malloc(query.udp_size);
  dns_reply_begin(&reply, exact, query.udp_size, message, &query, DNS_NOERROR);
  while (dns_reply_address(&reply, address, 4, 600))
    ;
  dns_reply_end(&reply, &query, DNS_NOERROR);
  check(reply.size <= query.udp_size && (exact[2] & 2) != 0);
  if (query.question_end > DNS_HEADER)
    check(dns_answers(exact, reply.size, query.id, message, query.question_end));
  free(exact);
  dns_reply_begin(&reply, bytes, sizeof bytes, message, &query, DNS_BADVERS);
  while (dns_reply_pointer(&reply, query.name, "network.example", 600))
    ;
  dns_reply_end(&reply, &query, DNS_BADVERS);
  check(reply.size <= sizeof bytes);
}

/* An answer of an upstream to a question of ours. */
static void try_answer(const uint8_t *message, size_t size) {
  static const uint8_t question[] = {0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'E', 'b', 0, 0, 1, 0, 1};
  if (dns_answers(message, size, 7, question, sizeof question))
    check(size >= sizeof question && dns_rcode(message) < 16);
}

static void try_names(const char *text, size_t size) {
  struct names names;
  struct names_addresses found;
  static const uint8_t address[16];
  names_open(&names, "Network", -1);
  for (int i = 0; i < 3; i++)
    names_parse(&names, text, size);
  check(names.size <= NAMES_TOTAL_MAX);
  names_lookup(&names, "web", 4, &found);
  names_lookup(&names, "web.network", 16, &found);
  const char *name = names_reverse(&names, address, 4);
  check(name == NULL || strlen(name) <= size);
  free(names.records);
}

static void try_resolvers(const char *bytes, size_t size) {
  struct network_child_upstream list[RESOLVERS_MAX];
  char *text = malloc(size + 1);
  memcpy(text, bytes, size);
  text[size] = '\0';
  size_t count = resolvers_parse(text, list, RESOLVERS_MAX);
  check(count <= RESOLVERS_MAX);
  for (size_t i = 0; i < count; i++)
    check(list[i].address.ss_family == AF_INET || list[i].address.ss_family == AF_INET6);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  switch (data[0] % 4) {
  case 0:
    try_query(data + 1, size - 1);
    break;
  case 1:
    try_answer(data + 1, size - 1);
    break;
  case 2:
    try_resolvers((const char *)data + 1, size - 1);
    break;
  default:
    try_names((const char *)data + 1, size - 1);
  }
  return 0;
}
