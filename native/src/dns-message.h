/* DNS messages (RFC 1035, EDNS RFC 6891): reading queries, writing replies. Pure: bytes in, bytes out. */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_HEADER = 12, DNS_PLAIN_UDP = 512, DNS_LARGEST_UDP = 4096 };
enum { DNS_TYPE_A = 1, DNS_TYPE_PTR = 12, DNS_TYPE_AAAA = 28, DNS_TYPE_OPT = 41 };
enum { DNS_CLASS_IN = 1 };
enum {
  DNS_NOERROR = 0,
  DNS_FORMERR = 1,
  DNS_SERVFAIL = 2,
  DNS_NXDOMAIN = 3,
  DNS_NOTIMP = 4,
  DNS_REFUSED = 5,
  DNS_BADVERS = 16
};

struct dns_query {
  uint16_t id;
  uint16_t flags;
  uint16_t type;
  uint16_t class;
  size_t question_end; /* offset behind the question; DNS_HEADER where there is none */
  bool plain;          /* no label holds a dot or a byte that is not printable */
  char name[256];      /* lower-case, without the last dot; empty: the root */
  bool edns;
  uint8_t edns_version;
  uint16_t udp_size; /* largest reply over UDP: 512 without EDNS, else 512 to 4096 */
};

enum dns_verdict { DNS_QUERY, DNS_IGNORE, DNS_REJECT_FORMERR, DNS_REJECT_NOTIMP, DNS_REJECT_BADVERS };

/** Reads a query with exactly one question. For anything but DNS_IGNORE the reply functions may be used with it. */
enum dns_verdict dns_read_query(const uint8_t *message, size_t size, struct dns_query *query);

struct dns_reply {
  uint8_t *bytes;
  size_t size;
  size_t limit;
};

/** Starts a reply: header and question copied from the query. `capacity` must be at least 512 and hold the limit. */
void dns_reply_begin(struct dns_reply *reply, uint8_t *bytes, size_t limit, const uint8_t *message,
                     const struct dns_query *query, unsigned rcode);
/** Adds an address (4 or 16 bytes) for the question's name. False: no room, the reply is marked as truncated. */
bool dns_reply_address(struct dns_reply *reply, const uint8_t *address, size_t address_size, uint32_t ttl);
/** Adds `prefix.suffix` as answer to a PTR question. False: not a name, or no room. */
bool dns_reply_pointer(struct dns_reply *reply, const char *prefix, const char *suffix, uint32_t ttl);
/** Ends the reply with an EDNS record where the query had one. */
void dns_reply_end(struct dns_reply *reply, const struct dns_query *query, unsigned rcode);

/** True where `answer` answers the question of `query` (of `question_end` bytes up to the end of it) under `id`. */
bool dns_answers(const uint8_t *answer, size_t size, uint16_t id, const uint8_t *query, size_t question_end);
unsigned dns_rcode(const uint8_t *message);
uint16_t dns_get16(const uint8_t *bytes);
void dns_put16(uint8_t *bytes, uint16_t value);

/** Reads the address out of a name below in-addr.arpa or ip6.arpa. Returns its size (4 or 16) or 0. */
size_t dns_reverse_address(const char *name, uint8_t address[16]);

#endif
