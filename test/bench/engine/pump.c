// What runs in the containers that are measured, on every engine the same: pump VERB ARGUMENT...
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char block[256 * 1024];

static void fail(const char *what) {
  perror(what);
  _exit(1);
}

static void leave(int number) {
  (void)number;
  _exit(0);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_in address_of(const char *host, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail(host);
  return address;
}

// The first byte of a connection says what the client does: 'p' puts bytes until it ends its side, then reads how many
// came; 'g' gets bytes until it closes.
static void answer(int client) {
  char wish = 0;
  if (read(client, &wish, 1) != 1) return;
  if (wish == 'g') {
    while (write(client, block, sizeof block) > 0) continue;
    return;
  }
  unsigned long long total = 0;
  for (ssize_t got; (got = read(client, block, sizeof block)) > 0;) total += (unsigned long long)got;
  dprintf(client, "%llu\n", total);
}

static int serve(const char *port) {
  struct sockaddr_in address = address_of("0.0.0.0", port);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0) fail("listen");
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    if (fork() == 0) {
      close(listener);
      answer(client);
      _exit(0);
    }
    close(client);
  }
}

// Prints bytes and seconds, of what has arrived at the other end.
static int stream(char wish, const char *host, const char *port, double seconds) {
  struct sockaddr_in address = address_of(host, port);
  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(server, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  if (write(server, &wish, 1) != 1) fail("write");
  double start = now();
  unsigned long long total = 0;
  while (now() - start < seconds) {
    ssize_t moved = wish == 'p' ? write(server, block, sizeof block) : read(server, block, sizeof block);
    if (moved <= 0) fail("stream");
    total += (unsigned long long)moved;
  }
  if (wish == 'p') {
    char text[32] = "";
    shutdown(server, SHUT_WR);
    ssize_t got = read(server, text, sizeof text - 1);
    if (got <= 0 || strtoull(text, NULL, 10) != total) fail("bytes were lost");
  }
  printf("%llu %f\n", total, now() - start);
  return 0;
}

static size_t question(unsigned char *packet, const char *name) {
  static const unsigned char header[12] = {0, 0, 1, 0, 0, 1};
  memcpy(packet, header, sizeof header);
  size_t at = sizeof header;
  while (*name != 0) {
    size_t length = strcspn(name, ".");
    packet[at++] = (unsigned char)length;
    memcpy(packet + at, name, length);
    at += length;
    name += length + (name[length] == '.');
  }
  memcpy(packet + at, "\0\0\1\0\1", 5);
  return at + 5;
}

// Asks for the address of a name, one question after another; prints answers and seconds.
static int ask(const char *server, const char *name, double seconds) {
  struct sockaddr_in address = address_of(server, "53");
  int client = socket(AF_INET, SOCK_DGRAM, 0);
  struct timeval patience = {.tv_sec = 2};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(client, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  unsigned char packet[512];
  size_t length = question(packet, name);
  double start = now();
  unsigned long answers = 0;
  while (now() - start < seconds) {
    packet[0] = (unsigned char)(answers >> 8);
    packet[1] = (unsigned char)answers;
    unsigned char reply[512];
    if (write(client, packet, length) != (ssize_t)length) fail("ask");
    ssize_t got = read(client, reply, sizeof reply);
    // An answer of ours, without an error, with at least one record.
    if (got < 12 || reply[0] != packet[0] || reply[1] != packet[1] || (reply[3] & 15) != 0 || reply[7] == 0)
      fail("no answer");
    answers += 1;
  }
  printf("%lu %f\n", answers, now() - start);
  return 0;
}

// Numbered lines of 100 bytes, each written by itself as programs do.
static int lines(long count) {
  char line[128];
  for (long number = 0; number < count; number += 1) {
    int length = snprintf(line, sizeof line, "%-98ld.\n", number);
    if (write(1, line, (size_t)length) != length) fail("write");
  }
  return 0;
}

int main(int count, char **words) {
  const char *verb = count > 1 ? words[1] : "";
  signal(SIGTERM, leave);
  if (strcmp(verb, "true") == 0) return 0;
  if (strcmp(verb, "serve") == 0 && count == 3) return serve(words[2]);
  if (strcmp(verb, "put") == 0 && count == 5) return stream('p', words[2], words[3], atof(words[4]));
  if (strcmp(verb, "get") == 0 && count == 5) return stream('g', words[2], words[3], atof(words[4]));
  if (strcmp(verb, "ask") == 0 && count == 5) return ask(words[2], words[3], atof(words[4]));
  if (strcmp(verb, "lines") == 0 && count == 3) return lines(atol(words[2]));
  if (strcmp(verb, "idle") == 0)
    for (;;) pause();
  fprintf(stderr, "usage: pump true|idle|serve PORT|put|get HOST PORT SECONDS|ask SERVER NAME SECONDS|lines COUNT\n");
  return 64;
}
