/*
 * Sockets outside. What runs without root lives in a network namespace of its user's, and nothing leads from there back to
 * the machine's: so the keeper, which stays outside, makes the sockets and hands them over.
 */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include <stdbool.h>
#include <sys/socket.h>

/* A socket connected by path, however long that is. -1 with errno. */
int connect_path(int fd, const char *path);

/* A socket of the keeper at `path`, of an IPPROTO_*: bound to the address (all but UDP: listening too). Waits for seconds at most. -1 with errno. */
int outside_bind(const char *path, const struct sockaddr_storage *address, int protocol);
/* The same, on its way to the address. */
int outside_connect(const char *path, const struct sockaddr_storage *address, int protocol);

/* Here, in this process's own network namespace. -1 with errno. */
int bind_here(const struct sockaddr_storage *address, int protocol);
int connect_here(const struct sockaddr_storage *address, int protocol);

/* The keeper's side: accepts one connection and answers it. Waits for its request for a second at most. */
void outside_answer(int listener);

#endif
