#include "dns-message.h"

#include <string.h>

enum { FLAG_RESPONSE = 0x8000, FLAG_OPCODE = 0x7800, FLAG_TRUNCATED = 0x0200, FLAG_RD = 0x0100, FLAG_RA = 0x0080 };
enum { EDNS_RECORD = 11, MAX_NAME = 255 };

uint16_t dns_get16(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

void dns_put16(uint8_t *bytes, uint16_t value) {
  bytes[0] = (uint8_t)(value >> 8);
  bytes[1] = (uint8_t)value;
}

static uint8_t lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* The question's name: no compression is possible there, nothing comes before it. Returns the offset behind it or 0. */
static size_t read_question_name(const uint8_t *message, size_t size, struct dns_query *query) {
  size_t offset = DNS_HEADER, length = 0;
  query->plain = true;
  while (offset < size) {
    size_t label = message[offset++];
    if (label == 0) {
      query->name[length > 0 ? length - 1 : 0] = '\0';
      return offset;
    }
    /* On the wire a name has at most 255 bytes: each label and its length, and the last zero. */
    if (label > 63 || offset + label > size || offset + label - DNS_HEADER >= MAX_NAME)
      return 0;
    for (size_t i = 0; i < label; i++) {
      uint8_t c = lower(message[offset + i]);
      if (c <= ' ' || c == '.' || c >= 0x7f)
        query->plain = false;
      query->name[length++] = (char)c;
    }
    query->name[length++] = '.';
    offset += label;
  }
  return 0;
}

/* Offset behind a name that may end in a compression pointer; 0: malformed. */
static size_t skip_name(const uint8_t *message, size_t size, size_t offset) {
  while (offset < size) {
    size_t label = message[offset];
    if (label == 0)
      return offset + 1;
    if ((label & 0xc0) == 0xc0)
      return offset + 2 <= size ? offset + 2 : 0;
    if (label > 63)
      return 0;
    offset += 1 + label;
  }
  return 0;
}

/* Walks the records behind the question for an EDNS record. False: malformed. */
static bool read_records(const uint8_t *message, size_t size, unsigned before, unsigned additional,
                         struct dns_query *query) {
  size_t offset = query->question_end;
  for (unsigned i = 0; i < before + additional; i++) {
    size_t fixed = skip_name(message, size, offset);
    if (fixed == 0 || fixed + 10 > size)
      return false;
    if (dns_get16(message + fixed) == DNS_TYPE_OPT && i >= before) {
      if (query->edns || fixed != offset + 1)
        return false;
      uint16_t room = dns_get16(message + fixed + 2);
      query->edns = true;
      query->edns_version = message[fixed + 5];
      query->udp_size = room < DNS_PLAIN_UDP ? DNS_PLAIN_UDP : room > DNS_LARGEST_UDP ? DNS_LARGEST_UDP : room;
    }
    offset = fixed + 10 + dns_get16(message + fixed + 8);
    if (offset > size)
      return false;
  }
  return true;
}

enum dns_verdict dns_read_query(const uint8_t *message, size_t size, struct dns_query *query) {
  *query = (struct dns_query){.question_end = DNS_HEADER, .udp_size = DNS_PLAIN_UDP};
  if (size < DNS_HEADER)
    return DNS_IGNORE;
  query->id = dns_get16(message);
  query->flags = dns_get16(message + 2);
  if (query->flags & FLAG_RESPONSE)
    return DNS_IGNORE;
  if (query->flags & FLAG_OPCODE)
    return DNS_REJECT_NOTIMP;
  if (dns_get16(message + 4) != 1)
    return DNS_REJECT_FORMERR;
  size_t offset = read_question_name(message, size, query);
  if (offset == 0 || offset + 4 > size)
    return DNS_REJECT_FORMERR;
  query->type = dns_get16(message + offset);
  query->class = dns_get16(message + offset + 2);
  query->question_end = offset + 4;
  if (!read_records(message, size, dns_get16(message + 6) + dns_get16(message + 8), dns_get16(message + 10), query)) {
    query->edns = false;
    return DNS_REJECT_FORMERR;
  }
  return query->edns && query->edns_version > 0 ? DNS_REJECT_BADVERS : DNS_QUERY;
}

void dns_reply_begin(struct dns_reply *reply, uint8_t *bytes, size_t limit, const uint8_t *message,
                     const struct dns_query *query, unsigned rcode) {
  memset(bytes, 0, DNS_HEADER);
  dns_put16(bytes, query->id);
  dns_put16(bytes + 2, (uint16_t)(FLAG_RESPONSE | (query->flags & (FLAG_OPCODE | FLAG_RD)) | FLAG_RA | (rcode & 15)));
  if (query->question_end > DNS_HEADER) {
    memcpy(bytes + DNS_HEADER, message + DNS_HEADER, query->question_end - DNS_HEADER);
    dns_put16(bytes + 4, 1);
  }
  /* Room for the EDNS record is kept from the start, so that truncated replies have one too. */
  *reply = (struct dns_reply){bytes, query->question_end, limit - (query->edns ? EDNS_RECORD : 0)};
}

/* A record for the question's name (a pointer to offset 12) with `data_size` bytes to be filled in; NULL: no room. */
static uint8_t *add_record(struct dns_reply *reply, uint16_t type, uint32_t ttl, size_t data_size) {
  if (reply->size + 12 + data_size > reply->limit) {
    reply->bytes[2] |= FLAG_TRUNCATED >> 8;
    return NULL;
  }
  uint8_t *record = reply->bytes + reply->size;
  dns_put16(record, 0xc000 | DNS_HEADER);
  dns_put16(record + 2, type);
  dns_put16(record + 4, DNS_CLASS_IN);
  dns_put16(record + 6, (uint16_t)(ttl >> 16));
  dns_put16(record + 8, (uint16_t)ttl);
  dns_put16(record + 10, (uint16_t)data_size);
  reply->size += 12 + data_size;
  dns_put16(reply->bytes + 6, (uint16_t)(dns_get16(reply->bytes + 6) + 1));
  return record + 12;
}

bool dns_reply_address(struct dns_reply *reply, const uint8_t *address, size_t address_size, uint32_t ttl) {
  uint8_t *data = add_record(reply, address_size == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA, ttl, address_size);
  if (data != NULL)
    memcpy(data, address, address_size);
  return data != NULL;
}

/* Appends the labels of a dotted name at `wire + size`. Returns the new size; 0: not a name. */
static size_t put_labels(uint8_t *wire, size_t size, const char *name) {
  for (;;) {
    size_t label = strcspn(name, ".");
    if (label == 0 || label > 63 || size + 1 + label >= MAX_NAME)
      return 0;
    wire[size++] = (uint8_t)label;
    memcpy(wire + size, name, label);
    size += label;
    if (name[label] == '\0')
      return size;
    name += label + 1;
  }
}

bool dns_reply_pointer(struct dns_reply *reply, const char *prefix, const char *suffix, uint32_t ttl) {
  uint8_t wire[MAX_NAME + 1];
  size_t size = put_labels(wire, 0, prefix);
  if (size > 0)
    size = put_labels(wire, size, suffix);
  if (size == 0)
    return false;
  wire[size++] = 0;
  uint8_t *data = add_record(reply, DNS_TYPE_PTR, ttl, size);
  if (data != NULL)
    memcpy(data, wire, size);
  return data != NULL;
}

void dns_reply_end(struct dns_reply *reply, const struct dns_query *query, unsigned rcode) {
  if (!query->edns)
    return;
  uint8_t *record = reply->bytes + reply->size;
  memset(record, 0, EDNS_RECORD);
  dns_put16(record + 1, DNS_TYPE_OPT);
  dns_put16(record + 3, DNS_LARGEST_UDP);
  record[5] = (uint8_t)(rcode >> 4);
  reply->size += EDNS_RECORD;
  dns_put16(reply->bytes + 10, 1);
}

bool dns_answers(const uint8_t *answer, size_t size, uint16_t id, const uint8_t *query, size_t question_end) {
  if (size < question_end || size < DNS_HEADER || dns_get16(answer) != id)
    return false;
  uint16_t flags = dns_get16(answer + 2);
  if (!(flags & FLAG_RESPONSE) || (flags & FLAG_OPCODE) || dns_get16(answer + 4) != 1)
    return false;
  /* Length bytes are below 64 and thus no letters: one case-insensitive comparison covers names and numbers … */
  for (size_t i = DNS_HEADER; i < question_end - 4; i++)
    if (lower(answer[i]) != lower(query[i]))
      return false;
  /* … except type and class, where a byte may look like a letter. */
  return memcmp(answer + question_end - 4, query + question_end - 4, 4) == 0;
}

unsigned dns_rcode(const uint8_t *message) {
  return message[3] & 15;
}

static int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t reverse_v6(const char *name, uint8_t address[16]) {
  if (strlen(name) != 64 + strlen("ip6.arpa") || strcmp(name + 64, "ip6.arpa") != 0)
    return 0;
  for (size_t i = 0; i < 32; i++) {
    int digit = hex_digit(name[2 * i]);
    if (digit < 0 || name[2 * i + 1] != '.')
      return 0;
    uint8_t *byte = &address[15 - i / 2];
    *byte = (uint8_t)(i % 2 == 0 ? digit : *byte | digit << 4);
  }
  return 16;
}

size_t dns_reverse_address(const char *name, uint8_t address[16]) {
  const char *rest = name;
  for (int i = 3; i >= 0; i--) {
    unsigned value = 0, digits = 0;
    for (; *rest >= '0' && *rest <= '9' && digits < 4; rest++, digits++)
      value = value * 10 + (unsigned)(*rest - '0');
    if (digits == 0 || digits > 3 || value > 255 || *rest != '.')
      return reverse_v6(name, address);
    address[i] = (uint8_t)value;
    rest++;
  }
  return strcmp(rest, "in-addr.arpa") == 0 ? 4 : reverse_v6(name, address);
}
