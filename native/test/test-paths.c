/*
 * The walk by components must decide as openat2(2) does, on every path through a tree that is full of links: the same
 * file or the same refusal.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "syscalls.h"
#include "util.h"

static void shell(const char *command) {
  CHECK(system(command) == 0);
}

static const char *const names[] = {
    ".",        "..",     "dir",     "dir/sub", "file",     "missing", "to-dir", "to-file", "to-root", "to-up",
    "dangling", "loop-a", "to-self", "out",     "absolute", "dir/",    "file/",  "to-dir/", "//dir",   "dir//sub",
};

static int same_file(int a, int b) {
  struct stat first, second;
  CHECK(fstat(a, &first) == 0 && fstat(b, &second) == 0);
  return first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

typedef int (*opener)(int directory, const char *path, int flags, mode_t mode);

static unsigned refused, opened;

static void compare(int root, const char *path, int flags, opener real, opener walk) {
  int expected = real(root, path, flags, 0);
  int expected_errno = errno;
  int found = walk(root, path, flags, 0);
  int found_errno = errno;
  if (expected < 0 && found < 0) {
    /* Which of two reasons is named first may differ; that it is refused may not. */
    bool known = found_errno == expected_errno || expected_errno == ENOTDIR || expected_errno == ELOOP ||
                 expected_errno == EXDEV || expected_errno == ENOENT;
    if (!known) fprintf(stderr, "%s: errno %d, expected %d\n", path, found_errno, expected_errno);
    CHECK(known);
    refused++;
    return;
  }
  if ((expected < 0) != (found < 0)) fprintf(stderr, "%s flags %x: %d (%d), expected %d (%d)\n", path, flags, found, found_errno, expected, expected_errno);
  CHECK(expected >= 0 && found >= 0);
  CHECK(same_file(expected, found));
  opened++;
  close(expected);
  close(found);
}

static int within(int root, const char *path, int flags, mode_t mode) {
  (void)mode;
  return open_within(root, path, flags);
}

static int within_walk(int root, const char *path, int flags, mode_t mode) {
  (void)mode;
  return open_within_walk(root, path, flags);
}

/* Without openat2 there is nothing to compare with: the walk then is what both are. */
static void compare_all(int root) {
  static const int flags[] = {O_PATH, O_PATH | O_NOFOLLOW, O_RDONLY | O_NONBLOCK, O_RDONLY | O_DIRECTORY};
  char path[128];
  for (size_t a = 0; a < ARRAY_SIZE(names); a++)
    for (size_t b = 0; b < ARRAY_SIZE(names); b++)
      for (size_t c = 0; c <= ARRAY_SIZE(names); c++)
        for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
          snprintf(path, sizeof path, "%s/%s%s%s", names[a], names[b], c == 0 ? "" : "/", c == 0 ? "" : names[c - 1]);
          compare(root, path, flags[f], open_in_root, open_in_root_walk);
          compare(root, path, flags[f], open_beneath, open_beneath_walk);
          compare(root, path, flags[f], within, within_walk);
        }
}

static void test_within(int root, opener open_it) {
  int fd = open_it(root, "dir/back/../dir/inner", O_RDONLY, 0);
  CHECK(fd >= 0);
  close(fd);
  static const char *const leading_out[] = {"to-root", "to-up", "out", "absolute", "..", "/", "dir/../../secret", "to-up/secret"};
  for (size_t i = 0; i < ARRAY_SIZE(leading_out); i++) CHECK(open_it(root, leading_out[i], O_PATH, 0) < 0 && errno == EXDEV);
}

static void test_refusals(int root, opener beneath) {
  CHECK(beneath(root, "../secret", O_RDONLY, 0) < 0);
  CHECK(beneath(root, "dir/../file", O_RDONLY, 0) < 0 && errno == EXDEV);
  CHECK(beneath(root, "to-file", O_RDONLY, 0) < 0 && errno == ELOOP);
  CHECK(beneath(root, "to-dir/inner", O_RDONLY, 0) < 0 && errno == ELOOP);
  CHECK(beneath(root, "absolute", O_RDONLY, 0) < 0);
}

static void test_root(int root, opener in_root) {
  int inside = in_root(root, "to-up/../../../../secret", O_RDONLY, 0);
  int outside = in_root(root, "absolute", O_RDONLY, 0);
  CHECK(inside < 0 && outside < 0);
  int made = in_root(root, "to-dir/new", O_WRONLY | O_CREAT | O_EXCL, 0600);
  CHECK(made >= 0 && unlinkat(root, "dir/new", 0) == 0);
  close(made);
}

int main(void) {
  char base[] = "/tmp/tscompose-paths-XXXXXX";
  CHECK(mkdtemp(base) != NULL && chdir(base) == 0);
  shell("mkdir -p root/dir/sub && touch root/file root/dir/inner root/dir/sub/deep && echo secret > secret");
  shell("cd root && ln -s dir to-dir && ln -s file to-file && ln -s / to-root && ln -s .. to-up && ln -s nowhere dangling"
        " && ln -s loop-b loop-a && ln -s loop-a loop-b && ln -s . to-self && ln -s ../secret out"
        " && ln -s /etc/passwd absolute && ln -s ../to-dir dir/back && ln -s /dir/sub dir/sub/round");
  int root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK(root >= 0);
  compare_all(root);
  CHECK(opened > 1000 && refused > 1000);
  test_refusals(root, open_beneath);
  test_refusals(root, open_beneath_walk);
  test_within(root, within);
  test_within(root, within_walk);
  test_root(root, open_in_root);
  test_root(root, open_in_root_walk);
  close(root);
  CHECK(chdir("/") == 0);
  char *command = xasprintf("rm -rf %s", base);
  shell(command);
  free(command);
  return 0;
}
