/*
 * Attaches a device program (array of struct bpf_insn, read from a file) to a cgroup v2 directory, joins the directory
 * and opens devices: device-program-load FILE CGROUP [r|w|rw|m]:[c|b]:MAJOR:MINOR…
 * Prints the errno of each, 0 where it was allowed. Devices are made under the name `node` in the working directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char verifier_log[65536];

static int attach(const char *file, const char *cgroup) {
  static uint64_t instructions[4096];
  int fd = open(file, O_RDONLY | O_CLOEXEC), directory = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ssize_t size = read(fd, instructions, sizeof instructions);
  union bpf_attr load = {
      .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
      .insn_cnt = (uint32_t)(size / 8),
      .insns = (uintptr_t)instructions,
      .license = (uintptr_t) "Apache-2.0",
      .log_level = 1,
      .log_size = sizeof verifier_log,
      .log_buf = (uintptr_t)verifier_log,
  };
  int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
  if (program < 0) {
    fprintf(stderr, "load: %s\n%s", strerror(errno), verifier_log);
    return -1;
  }
  union bpf_attr attachment = {
      .target_fd = (uint32_t)directory, .attach_bpf_fd = (uint32_t)program, .attach_type = BPF_CGROUP_DEVICE};
  return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attachment, sizeof attachment);
}

static int join(const char *cgroup) {
  char path[4096];
  snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd < 0 || write(fd, "0", 1) != 1 ? -1 : 0;
}

static int try(const char *word) {
  char access[8], type;
  unsigned major, minor;
  if (sscanf(word, "%7[rwm]:%c:%u:%u", access, &type, &major, &minor) != 4)
    return EINVAL;
  mode_t mode = 0600 | (type == 'b' ? S_IFBLK : S_IFCHR);
  unlink("node");
  if (mknod("node", mode, makedev(major, minor)) != 0 || strcmp(access, "m") == 0)
    return access[0] == 'm' && access[1] == '\0' && errno == 0 ? 0 : errno;
  int fd = open("node", (strcmp(access, "r") == 0   ? O_RDONLY
                         : strcmp(access, "w") == 0 ? O_WRONLY
                                                    : O_RDWR) |
                            O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  int error = fd < 0 ? errno : 0;
  close(fd);
  return error;
}

int main(int count, char **words) {
  if (count < 3 || attach(words[1], words[2]) < 0 || join(words[2]) != 0) {
    perror("device-program-load");
    return 1;
  }
  for (int i = 3; i < count; i++) {
    errno = 0;
    printf("%d\n", try(words[i]));
  }
  unlink("node");
  return 0;
}
