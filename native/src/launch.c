/* Starts a monitor: this very program from a sealed memory file, with the launch plan in another. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "enter.h"
#include "serve.h"

#define PLAN 3
#define STATUS 4
#define USE_LOCK 5

/* Dispositions survive an execution: what we ignore, a container would ignore. */
static void reset_signals(void) {
  sigset_t none;
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static int execute_monitor(int program, int plan, int status) {
  static char *const arguments[] = {"tscompose-helper", "monitor", NULL};
  static char *const environment[] = {NULL};
  /* Out of the way first, since any of them may sit on a number that another is to get. */
  int high_program = duplicate_above(program, 10);
  int high_plan = duplicate_above(plan, 10);
  int high_status = duplicate_above(status, 10);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (high_program < 0 || high_plan < 0 || high_status < 0 || null < 0) return -1;
  for (int fd = 0; fd <= 2; fd++)
    if (dup2(null, fd) < 0) return -1;
  /* A monitor needs the namespaces that we entered for as long as it lives. */
  int use = enter_use_lock() < 0 ? -1 : duplicate_above(enter_use_lock(), 10);
  if (dup2(high_plan, PLAN) < 0 || dup2(high_status, STATUS) < 0) return -1;
  if (use >= 0 && dup2(use, USE_LOCK) < 0) return -1;
  cloexec_from(use >= 0 ? USE_LOCK + 1 : STATUS + 1);
  setsid();
  if (chdir("/") != 0) return -1;
  reset_signals();
  syscall(SYS_execveat, high_program, "", arguments, environment, AT_EMPTY_PATH);
  return -1;
}

struct launch {
  int program;
  int plan;
};

static void run_launch(int status, void *context) {
  const struct launch *launch = context;
  struct failure failure;
  execute_monitor(launch->program, launch->plan, status);
  fail_errno(&failure, errno, "launch: execute the monitor");
  failure.exit_code = 125;
  send_failure(STATUS, &failure);
  _exit(125);
}

static int plan_file(const struct record *record) {
  struct buffer plan = {0};
  char header[STREAM_HEADER_SIZE];
  stream_header(header);
  buffer_append(&plan, header, sizeof header);
  buffer_append(&plan, record->argv[1], record->sizes[1]);
  int fd = sealed_memfd("tscompose-plan", plan.data, plan.size);
  int error = errno;
  buffer_free(&plan);
  errno = error;
  return fd;
}

void launch_request(uint64_t request, const struct record *record) {
  struct failure failure;
  struct launch launch = {.program = self_memfd(), .plan = -1};
  if (launch.program >= 0) launch.plan = plan_file(record);
  if (launch.plan < 0) {
    fail_errno(&failure, errno, "launch: memory file");
    serve_reply_failure(request, &failure);
    return;
  }
  struct job_options options = {
      .request = request, .step = "launch", .run = run_launch, .context = &launch, .survives = true};
  serve_job(&options);
  close(launch.plan);
}
