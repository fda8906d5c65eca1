/* Runs a fuzz target over the files of its corpus, with any compiler. What was found once stays found. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
  CHECK(argc == 2);
  DIR *directory = opendir(argv[1]);
  unsigned count = 0;
  CHECK(directory != NULL);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    struct buffer content = {0};
    if (entry->d_name[0] == '.') continue;
    CHECK(read_file_at(dirfd(directory), entry->d_name, 1 << 24, &content) == 0);
    LLVMFuzzerTestOneInput((const uint8_t *)content.data, content.size);
    buffer_free(&content);
    count++;
  }
  closedir(directory);
  CHECK(count > 0);
  printf("%u files of %s\n", count, argv[1]);
  return 0;
}
