/* The name servers of a resolver file, read again whenever it changed. */
#include "network-child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST_FILE = 16384, DNS_PORT = 53 };

static bool read_address(const char *text, struct sockaddr_storage *address) {
  struct sockaddr_in *v4 = (void *)address;
  struct sockaddr_in6 *v6 = (void *)address;
  memset(address, 0, sizeof *address);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(DNS_PORT);
    return true;
  }
  /* One with a zone is left out, as when the plan was made. */
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
    return false;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(DNS_PORT);
  return true;
}

size_t resolvers_parse(char *text, struct network_child_upstream *list, size_t most) {
  static const char blanks[] = " \t\r";
  size_t count = 0;
  char *lines = NULL;
  for (char *line = strtok_r(text, "\n", &lines); line != NULL && count < most; line = strtok_r(NULL, "\n", &lines)) {
    char *words = NULL;
    line[strcspn(line, "#;")] = '\0';
    char *key = strtok_r(line, blanks, &words);
    char *value = key == NULL ? NULL : strtok_r(NULL, blanks, &words);
    if (value != NULL && strcmp(key, "nameserver") == 0 && read_address(value, &list[count].address))
      count++;
  }
  return count;
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A file that names nobody (it is being written, or was emptied) changes nothing. */
static void adopt(struct network_child_resolvers *resolvers, char *text) {
  struct network_child_upstream list[RESOLVERS_MAX];
  size_t count = resolvers_parse(text, list, RESOLVERS_MAX);
  if (count == 0)
    return;
  memcpy(resolvers->list, list, sizeof list);
  resolvers->count = count;
}

void resolvers_refresh(struct network_child_resolvers *resolvers) {
  char text[LARGEST_FILE + 1];
  struct stat status;
  if (stat(resolvers->file, &status) != 0 || !S_ISREG(status.st_mode) || same_file(&status, &resolvers->read))
    return;
  int fd = open(resolvers->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return;
  /* What the file was before it was read: a change in between is seen at the next question. */
  ssize_t size = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? read(fd, text, LARGEST_FILE) : -1;
  close(fd);
  if (size < 0)
    return;
  resolvers->read = status;
  text[size] = '\0';
  adopt(resolvers, text);
}
