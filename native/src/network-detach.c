/*
 * The end of a container's networks. What the kernel takes away is out of sight at once, but whoever asked for it is held up
 * until no processor can still be looking (rcu_barrier in netdev_run_todo, and nft_rcv_nl_event when the socket is closed):
 * some 15 ms. So a process that nobody waits for asks for the interfaces, and closes the socket of nftables last.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"
#include "network.h"

#define LOOK_NS 200000
#define FIRST 3

static void run_batches(const struct network *network, int family, int *kept) {
  for (size_t i = 0; i < network->plan->batch_count; i++) {
    const struct netlink_job *job = &network->plan->batches[i];
    struct netlink_result result;
    if (job->when != BATCH_DETACH || job->family != family) continue;
    /* What is missing already must not keep the rest. */
    netlink_batch_on(kept, family, job->batch, job->size, &result);
    netlink_result_free(&result);
  }
}

static bool any_links(const struct network *network) {
  for (size_t i = 0; i < network->plan->batch_count; i++) {
    const struct netlink_job *job = &network->plan->batches[i];
    if (job->when == BATCH_DETACH && job->family == NETLINK_ROUTE) return true;
  }
  return false;
}

static bool links_gone(const struct network *network) {
  for (size_t i = 0; i < network->plan->batch_count; i++) {
    const struct netlink_job *job = &network->plan->batches[i];
    if (job->when == BATCH_DETACH && job->family == NETLINK_ROUTE && !netlink_links_gone(job->batch, job->size))
      return false;
  }
  return true;
}

/* In a process of its own, which has nothing of the monitor's: its lock, and connections whose end others wait for. */
static _Noreturn void delete_links(const struct network *network, int rules) {
  int routes = -1;
  prctl(PR_SET_NAME, "tscompose-links", 0, 0, 0);
  if (rules >= 0 && rules != FIRST) dup2(rules, FIRST);
  close_from(rules >= 0 ? FIRST + 1 : FIRST);
  run_batches(network, NETLINK_ROUTE, &routes);
  _exit(0);
}

/* Without reaping it: the loop does, when there is one again. */
static bool has_ended(pid_t pid) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

/*
 * Waits for as long as it takes: the interfaces are named, not numbered, so one that asked late, as on a machine that is busy
 * with many others, would take away those of the next run.
 */
static void leave_links(const struct network *network, int rules) {
  struct timespec look = {.tv_nsec = LOOK_NS};
  int routes = -1;
  pid_t pid = fork();
  if (pid == 0) delete_links(network, rules);
  if (pid < 0) {
    run_batches(network, NETLINK_ROUTE, &routes);
    close_quietly(routes);
    return;
  }
  while (!has_ended(pid) && !links_gone(network)) nanosleep(&look, NULL);
}

/* Something else failed while it got ready. */
static void give_up_starting(struct network_child_starting *starting) {
  kill(starting->pid, SIGKILL);
  close_quietly(starting->broker);
  close_quietly(starting->ready);
  starting->pid = 0;
}

void network_detach(struct network *network) {
  int rules = -1;
  loop_timer_clear(&network->again);
  if (network->child_pid > 0) kill(network->child_pid, SIGKILL);
  if (network->starting.pid > 0) give_up_starting(&network->starting);
  network_drop_broker(network);
  for (size_t i = 0; i < network->endpoint_count; i++) close_quietly(network->endpoints[i].fd);
  network->endpoint_count = 0;
  run_batches(network, NETLINK_NETFILTER, &rules);
  /* Before the namespace goes: its interfaces are out of sight when this returns, not some time later. */
  if (any_links(network)) leave_links(network, rules);
  close_quietly(rules);
  close_quietly(network->namespace);
  network->namespace = -1;
}
