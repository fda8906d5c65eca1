#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLEAR_TRIES 2000 /* of 5 ms */

static bool is_blank(const struct buffer *text) {
  for (size_t i = 0; i < text->size; i++)
    if (text->data[i] != '\n' && text->data[i] != ' ') return false;
  return true;
}

/* A new version 1 cpuset has no processors and no memory: nothing could join it (cpusets.rst). */
static int inherit(const char *directory, const char *file) {
  struct buffer own = {0}, parents = {0};
  char *path = xasprintf("%s/%s", directory, file);
  char *parent = xasprintf("%s/../%s", directory, file);
  int result = 0;
  if (read_file_at(AT_FDCWD, path, 65536, &own) == 0 && is_blank(&own)) {
    result = read_file_at(AT_FDCWD, parent, 65536, &parents);
    if (result == 0 && !is_blank(&parents)) {
      buffer_append(&parents, "", 1);
      result = write_file_at(AT_FDCWD, path, parents.data);
    }
  }
  buffer_free(&own);
  buffer_free(&parents);
  free(path);
  free(parent);
  return result;
}

/* `each` is called for the directory's parents from the top, then for itself. */
static int for_each_level(const char *path, int (*each)(const char *directory)) {
  char *copy = xstrdup(path);
  int result = 0;
  for (char *slash = strchr(copy + 1, '/'); slash != NULL && result == 0; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    result = each(copy);
    *slash = '/';
  }
  if (result == 0) result = each(copy);
  int error = errno;
  free(copy);
  errno = error;
  return result;
}

static int make_one(const char *directory) {
  return mkdir(directory, 0755) == 0 || errno == EEXIST ? 0 : -1;
}

static int inherit_all(const char *directory) {
  return inherit(directory, "cpuset.cpus") != 0 || inherit(directory, "cpuset.mems") != 0 ? -1 : 0;
}

static bool needs_inheritance(const char *directory) {
  struct buffer text = {0};
  char *path = xasprintf("%s/cpuset.mems", directory);
  bool needs = read_file_at(AT_FDCWD, path, 65536, &text) == 0 && is_blank(&text);
  free(path);
  buffer_free(&text);
  return needs;
}

static int make_all(const struct cgroup_path *cgroup) {
  if (mkdir(cgroup->path, 0755) != 0 && errno != EEXIST &&
      (errno != ENOENT || for_each_level(cgroup->path, make_one) != 0))
    return -1;
  /* From the top, also where the parents were there: whoever made them may not have come to it yet. */
  if (cgroup->version == 1 && needs_inheritance(cgroup->path)) return for_each_level(cgroup->path, inherit_all);
  return 0;
}

/* A parent that another container's end just removed is made again. */
static int make_and_retry(const struct cgroup_path *cgroup) {
  for (int tries = 0; tries < 5; tries++) {
    if (make_all(cgroup) == 0) return 0;
    if (errno != ENOENT && errno != ENODEV) break;
  }
  return -1;
}

int cgroup_make(const struct cgroup_path *cgroup, struct failure *failure) {
  /* Whoever runs in the container reads its limits there, whatever the umask here. */
  mode_t mask = umask(022);
  int result = make_and_retry(cgroup);
  int error = errno;
  umask(mask);
  return result == 0 ? 0 : fail_errno(failure, error, "cgroup %s", cgroup->path);
}

int cgroup_write_all(const struct cgroup_write *writes, size_t count, struct failure *failure) {
  for (size_t i = 0; i < count; i++) {
    if (write_file_at(AT_FDCWD, writes[i].path, writes[i].value) == 0) continue;
    /* A hierarchy may be owned by somebody else, or lack the controller. */
    if (writes[i].optional && (errno == ENOENT || errno == EOPNOTSUPP || errno == EBUSY || errno == ENODEV)) continue;
    return fail_errno(failure, errno, "cgroup %s", writes[i].path);
  }
  return 0;
}

static int load_program(const struct cgroup_device_program *program) {
  char *instructions = xmemdup0(program->program, program->size);
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = (uint64_t)(uintptr_t)instructions;
  attributes.insn_cnt = (uint32_t)(program->size / sizeof(struct bpf_insn));
  attributes.license = (uint64_t)(uintptr_t)"Apache-2.0";
  int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
  int error = errno;
  free(instructions);
  errno = error;
  return fd;
}

static int attach_program(const char *path, int program) {
  union bpf_attr attributes;
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -1;
  memset(&attributes, 0, sizeof attributes);
  attributes.target_fd = (uint32_t)directory;
  attributes.attach_bpf_fd = (uint32_t)program;
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  int result = (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes);
  close_quietly(directory);
  return result;
}

int cgroup_attach_devices(const struct cgroup_device_program *programs, size_t count, struct failure *failure) {
  for (size_t i = 0; i < count; i++) {
    int fd = load_program(&programs[i]);
    int result = fd < 0 ? -1 : attach_program(programs[i].path, fd);
    if (result != 0) fail_errno(failure, errno, "device rules of cgroup %s", programs[i].path);
    /* The cgroup holds the program from here on. */
    close_quietly(fd);
    if (result != 0) return -1;
  }
  return 0;
}

int cgroup_join(const struct cgroup_path *cgroup, struct failure *failure) {
  char *path = xasprintf("%s/%s", cgroup->path, cgroup->version == 2 ? "cgroup.procs" : "tasks");
  int result = write_file_at(AT_FDCWD, path, "0");
  if (result != 0) fail_errno(failure, errno, "cgroup %s", cgroup->path);
  free(path);
  return result;
}

/* The container may make cgroups in its own, where it may write to them: none that is nested deeper is looked at. */
#define NESTED_MAX 64

/* `each` is called for the directory, then for what is below it. */
static void for_each_nested(const char *path, unsigned depth, void (*each)(const char *path, void *data), void *data) {
  each(path, data);
  DIR *directory = depth < NESTED_MAX ? opendir(path) : NULL;
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char *below = xasprintf("%s/%s", path, entry->d_name);
    for_each_nested(below, depth + 1, each, data);
    free(below);
  }
  closedir(directory);
}

struct each_pid {
  void (*call)(pid_t pid, void *data);
  void *data;
};

static void read_pids(const char *directory, void *data) {
  const struct each_pid *each = data;
  struct buffer list = {0};
  char *path = xasprintf("%s/cgroup.procs", directory);
  if (read_file_at(AT_FDCWD, path, 1 << 20, &list) == 0) {
    buffer_append(&list, "", 1);
    for (char *line = strtok(list.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
      uint64_t pid;
      if (parse_unsigned(line, INT32_MAX, &pid) && pid > 0) each->call((pid_t)pid, each->data);
    }
  }
  buffer_free(&list);
  free(path);
}

static void for_each_pid(const struct cgroup_path *cgroup, void (*call)(pid_t pid, void *data), void *data) {
  struct each_pid each = {call, data};
  for_each_nested(cgroup->path, 0, read_pids, &each);
}

static void thaw(const char *directory, void *data) {
  (void)data;
  char *path = xasprintf("%s/freezer.state", directory);
  write_file_at(AT_FDCWD, path, "THAWED");
  free(path);
}

static void look_for_self(pid_t pid, void *data) {
  if (pid == getpid()) *(bool *)data = true;
}

static void count_pid(pid_t pid, void *data) {
  (void)pid;
  ++*(size_t *)data;
}

static void kill_pid(pid_t pid, void *data) {
  (void)data;
  kill(pid, SIGKILL);
}

static bool is_hierarchy_top(const char *path) {
  struct stat own, parent;
  char *above = xasprintf("%s/..", path);
  bool top = stat(path, &own) == 0 && stat(above, &parent) == 0 && own.st_dev != parent.st_dev;
  free(above);
  return top;
}

void cgroup_thaw(const struct cgroup_path *cgroup) {
  if (cgroup->version == 1) for_each_nested(cgroup->path, 0, thaw, NULL);
}

bool cgroup_kill(struct cgroup_path *cgroup) {
  bool inside = false;
  for_each_pid(cgroup, look_for_self, &inside);
  if (inside || is_hierarchy_top(cgroup->path)) return false;
  if (cgroup->version == 2) {
    char *path = xasprintf("%s/cgroup.kill", cgroup->path);
    int result = write_file_at(AT_FDCWD, path, "1");
    free(path);
    if (result == 0) {
      cgroup->killed = true;
      return true;
    }
  }
  cgroup_thaw(cgroup);
  for_each_pid(cgroup, kill_pid, NULL);
  return true;
}

bool cgroup_is_empty(const struct cgroup_path *cgroup) {
  size_t count = 0;
  for_each_pid(cgroup, count_pid, &count);
  return count == 0;
}

void cgroup_kill_rest(struct cgroup_path *cgroups, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!cgroup_is_empty(&cgroups[i])) cgroup_kill(&cgroups[i]);
}

/* Depth first; the files of a cgroup vanish with it. */
static int remove_below(int parent, const char *name, unsigned depth) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  if (depth > NESTED_MAX) return -1;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (directory == NULL) {
    close_quietly(fd);
    return errno == ENOENT ? 0 : -1;
  }
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      remove_below(fd, entry->d_name, depth + 1);
  closedir(directory);
  return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

int cgroup_remove(const struct cgroup_path *cgroup) {
  return remove_below(AT_FDCWD, cgroup->path, 0);
}

static bool is_left(struct cgroup_path *cgroup) {
  int result = cgroup_remove(cgroup);
  if (result == 0) cgroup->killed = false;
  return result != 0 && errno == EBUSY && cgroup_kill(cgroup);
}

int cgroup_clear(struct cgroup_path *cgroups, size_t count, struct failure *failure) {
  for (int tries = 0; tries < CLEAR_TRIES; tries++) {
    bool left = false;
    for (size_t i = 0; i < count; i++) left = is_left(&cgroups[i]) || left;
    if (!left) return 0;
    usleep(5000);
  }
  return fail_kind(failure, KIND_CONFLICT, "processes of an earlier run of the container do not end", "launch");
}

static const char *memory_file(int version) {
  return version == 2 ? "memory.events" : "memory.oom_control";
}

uint64_t cgroup_oom_kills(const struct cgroup_path *cgroups, size_t count) {
  uint64_t total = 0;
  for (size_t i = 0; i < count; i++) {
    struct buffer text = {0};
    char *path = xasprintf("%s/%s", cgroups[i].path, memory_file(cgroups[i].version));
    if (read_file_at(AT_FDCWD, path, 65536, &text) == 0) {
      uint64_t kills;
      buffer_append(&text, "", 1);
      for (char *line = strtok(text.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strncmp(line, "oom_kill ", 9) == 0 && parse_unsigned(line + 9, UINT64_MAX, &kills)) total += kills;
    }
    buffer_free(&text);
    free(path);
  }
  return total;
}

int cgroup_oom_events(const struct cgroup_path *cgroups, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (cgroups[i].version != 2) continue;
    char *path = xasprintf("%s/memory.events", cgroups[i].path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (fd >= 0) return fd;
  }
  return -1;
}
