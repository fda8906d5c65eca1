/*
 * The small init: process 1 of a container that was asked for one. It reaps what its children leave behind, passes
 * signals on to the container's process, and ends as that one does. As with tini, the process has a group of its own.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

/* Signals that say something about init itself are not for the child. */
static bool is_passed_on(int number) {
  return number != SIGCHLD && number != SIGTTIN && number != SIGTTOU && number != SIGSEGV && number != SIGBUS &&
         number != SIGFPE && number != SIGILL && number != SIGTRAP && number != SIGSYS && number != SIGABRT;
}

static int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void init_run(pid_t child, volatile int *alone) {
  sigset_t signals;
  sigfillset(&signals);
  prctl(PR_SET_NAME, "init", 0, 0, 0);
  /* Where it shares the processes of another container or of the machine it is not process 1. */
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  /* The streams are the child's alone: they end with it. */
  for (int fd = 0; fd < 3; fd++) close(fd);
  close_from(3);
  *alone = 1;
  for (;;) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
      if (pid == child) _exit(exit_code(status));
    if (pid < 0 && errno == ECHILD) _exit(125);
    siginfo_t info;
    int number = sigwaitinfo(&signals, &info);
    if (number > 0 && is_passed_on(number)) kill(child, number);
    if (number > 0 || errno == EINTR || errno == EAGAIN) continue;
    /* A filter may deny the call: then signals cannot be passed on, but the end can be waited for. */
    pid = waitpid(-1, &status, 0);
    if (pid == child) _exit(exit_code(status));
    if (pid < 0 && errno != EINTR) _exit(125);
  }
}
