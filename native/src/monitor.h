/*
 * The monitor of one container: what it holds, and what its parts offer each other. One process, one event loop, no
 * threads; docs/native.md says what it does and in which order.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include "cgroup.h"
#include "loop.h"
#include "network.h"
#include "plan.h"
#include "process.h"
#include "writer.h"

enum phase {
  PHASE_HELD,     /* the first run waits for clients that asked to attach before it */
  PHASE_STARTING, /* the first process is being set up */
  PHASE_RUNNING,
  PHASE_DRAINING, /* it has ended, its output is still being read */
  PHASE_WAITING,  /* between two runs */
  PHASE_ENDING,   /* cleaning up */
};

/* One of the container's output streams, as this side sees it. */
struct output {
  struct monitor *monitor;
  struct watch watch;
  unsigned stream; /* 1 standard output (and terminal), 2 standard error */
};

struct probe_result {
  struct timespec start, end;
  int exit_code;
  char *output;
  size_t output_size;
};

struct health {
  const char *status; /* starting, healthy, unhealthy; NULL without a probe */
  bool ended_run; /* the run was ended for it */
  unsigned failing_streak;
  struct probe_result results[5]; /* oldest first */
  unsigned result_count;
  struct timer timer;   /* next probe, or the end of the running one's time */
  int64_t started_ns;   /* of the container's run */
  struct process probe; /* pid 0: none under way */
  struct watch output;
  struct watch sync;
  struct buffer text;
  struct timespec probe_start;
  bool began_in_start_period;
  bool timed_out;
  bool dropped; /* killed because the container was paused: its result says nothing */
  struct failure failure; /* why the probe could not be executed */
};

enum pause_state { PAUSE_NONE, PAUSE_FREEZING, PAUSE_FROZEN };

struct pause {
  enum pause_state state;
  struct timer timer; /* looks whether everything is frozen */
  int64_t since_ns;
  int64_t wait_ms;
};

struct client;
struct session;

struct monitor {
  struct loop loop;
  struct plan plan;
  int lock;
  int report; /* takes one line: whether the launch worked; -1 afterwards */
  struct watch signals;
  enum phase phase;
  struct failure failure; /* why the launch, or a later run, did not work */

  struct network network;
  struct writer writer;
  struct writer shipper; /* with a receiver only */

  /* The run under way. */
  struct process process;
  struct watch sync;
  struct output outputs[2];
  struct watch input; /* to the process; events only while something waits for it to take more */
  bool input_over;    /* ended before the process was there */
  int terminal_peer;  /* keeps the terminal from hanging up while nobody has it open */
  struct timer drain;
  int64_t drain_began_ns;
  struct timer quiet;
  struct timer hold;
  struct timer stop;
  int asked_with; /* the signal of the stop under way */
  bool ended; /* reaped; wait_status is known */
  int wait_status;
  struct watch memory_events;
  uint64_t oom_kills;

  char *described; /* its events carry this since it has another name; NULL: what the plan says */

  /* The record. */
  const char *status;
  pid_t shown_pid;
  struct timespec started, finished;
  bool has_started, has_finished;
  bool is_placed; /* told to be on its networks, with its volumes */
  struct timespec spoke; /* when output came before it was noticed that the program runs */
  bool has_spoken;
  int exit_code;
  bool oom_killed;
  unsigned restart_count;
  bool stopped_by_user; /* no restart follows */
  bool stop_requested;
  bool leaving; /* the machine goes down: no restart, but the policy holds for the next boot */
  struct health health;
  struct pause pause;

  /* restart.c */
  struct timer restart_timer;
  int64_t backoff_ms;
  int64_t run_started_ns;

  struct watch control;
  struct client *clients;
  struct session *sessions;

  /* ending.c */
  struct timer ending_timer;
  int64_t ending_since_ns;
  unsigned ending_tries;
  bool logged; /* what the container wrote is in its log, and the journal tells of its end */
  bool left_networks;
};

/* --- monitor.c --- */
/* Whoever was waited for is there. */
void monitor_begin_first_run(struct monitor *monitor);
/* Gives memory back when nothing has happened for a moment. */
void monitor_settle(struct monitor *monitor);

/* --- run.c --- */
/* Clones the container's process; what becomes of it is seen later, in the loop. 0, or -1 with monitor->failure. */
int run_begin(struct monitor *monitor);
int not_started_code(const struct monitor *monitor);
/* The run's first process was reaped. */
void run_process_ended(struct monitor *monitor, int status);
/* All that the run wrote was read. */
void run_drained(struct monitor *monitor);

/* --- stop.c --- */
void monitor_send_signal(struct monitor *monitor, int signal);
/* Sends the stop signal, and SIGKILL after the grace period (UINT64_MAX: never). */
void monitor_stop(struct monitor *monitor, int signal, uint64_t grace_ms);

/* --- ending.c --- */
/* Cleans everything up and exits the process; takes several turns of the loop. */
void ending_begin(struct monitor *monitor);
/* While that goes on: something that was waited for has ended. */
void ending_look(struct monitor *monitor);

/* --- output.c --- */
int output_open(struct monitor *monitor, int standard[3]);
void output_watch_terminal(struct monitor *monitor, int master);
/* The process has ended: everything still unread is read, then run_drained is called. */
void output_drain(struct monitor *monitor);
void output_close(struct monitor *monitor);
void output_close_input(struct monitor *monitor);
/* The same where the process is only being set up: its input will have ended. */
void output_end_input(struct monitor *monitor);
/* Reads again what was held back while the writer or a client was behind. */
void output_resume(void *monitor);

/* --- client.c, control.c --- */
int client_listen(struct monitor *monitor, struct failure *failure);
void client_broadcast(struct monitor *monitor, unsigned stream, const char *data, size_t size);
/* Those who waited for the first run are attached. */
void client_run_begins(struct monitor *monitor);
/* Somebody attached is so far behind that no more output is read. */
bool client_is_behind(const struct monitor *monitor);
/* The run is over: attached clients get the exit code and are let go. */
void client_run_ended(struct monitor *monitor);
void client_state_changed(struct monitor *monitor);
/* The process takes more input: clients that wait for it are read again. */
void client_input_ready(struct monitor *monitor);
/* True when every client has received what it was sent, or is not worth waiting for. */
bool client_all_flushed(struct monitor *monitor);
/* The very last thing: answers those who asked for the stop. */
void client_answer_stops(struct monitor *monitor);

/* --- session.c --- */
void session_ended(struct monitor *monitor, pid_t pid, int status);
bool session_any(const struct monitor *monitor);
void session_kill_all(struct monitor *monitor);

/* --- health.c --- */
void health_start(struct monitor *monitor);
void health_stop(struct monitor *monitor);
/* True when the pid was a probe's. */
bool health_reaped(struct monitor *monitor, pid_t pid, int status);

/* No probe while the container is paused. */
void health_rest(struct monitor *monitor);
void health_resume(struct monitor *monitor);

/* --- pause.c --- */
/* Thaws a container that is paused, or about to be. True when it was paused; no event is written. */
bool pause_release(struct monitor *monitor);

/* --- restart.c --- */
/* Whether another run follows; sets the timer for it. */
bool restart_plan_next(struct monitor *monitor);
/* Whether a run that failed is tried again, as nothing but another container not running kept it from starting. */
bool restart_waits_for_other(struct monitor *monitor);
void restart_ran(struct monitor *monitor);

/* --- state.c --- */
/* As clients are told it. */
void state_append(const struct monitor *monitor, struct json *json);
/* Writes the state file and tells those who watch. 0, or -1 with errno: the file says what it said before. */
int state_changed(struct monitor *monitor);
int state_write_exit(struct monitor *monitor);

/* --- journal.c --- */
/* `extra`: members to add, as JSON text starting with a comma, or "". */
void journal_event(struct monitor *monitor, const char *action, const char *extra);
/* Networks that the container came to or left during a run; NULL: it is on none. */
void journal_networks(struct monitor *monitor, const struct plan *before, const struct plan *after);
/* A run begins with its volumes and networks, and ends without. They stay there between two runs: as Docker, events say so. */
void journal_place(struct monitor *monitor);
void journal_leave(struct monitor *monitor);

/* --- volume-use.c --- */
/* Takes part in the use of each volume that is mounted for it. */
int volume_use_begin(struct plan *plan, struct failure *failure);
/* Leaves; what nobody else uses is unmounted. */
void volume_use_end(struct plan *plan);

#endif
