/* The coprocess's loop, as its requests see it. */
#ifndef SERVE_H
#define SERVE_H

#include <sys/types.h>

#include "stream.h"

/* `{"request":N,"ok":true` is written; the caller adds members, then calls serve_reply_end. */
void serve_reply_begin(struct json *json, uint64_t request);
void serve_reply_end(struct json *json);
void serve_reply_failure(uint64_t request, const struct failure *failure);

/*
 * A request answered by a process of its own, so that the loop never blocks: the child writes one JSON line without the
 * member `request` to the descriptor it is given and exits; the loop adds the request number and passes it on. A child
 * that ends without a line is an internal error with its wait status.
 */
typedef void (*job_run)(int status, void *context);
/* Called in the loop's process when the child has answered or ended; `reply` is the line or NULL. */
typedef void (*job_done)(void *context, const char *reply);

struct job_options {
  uint64_t request;
  const char *step; /* names the work in an error */
  job_run run;      /* in the child: does not return to the loop */
  job_done done;    /* instead of passing the reply on; may be NULL */
  void *context;
  bool survives; /* the child outlives the coprocess */
};
/* Answers the child's pid; a failure to fork is replied and answers -1. */
pid_t serve_job(const struct job_options *options);
/* Kills the child of a request and forgets it; no reply is sent. False when there is none. */
bool serve_job_cancel(uint64_t request);

/* Requests, one file each. */
void lock_request(uint64_t request, const struct record *record);
void try_lock_request(uint64_t request, const struct record *record);
void unlock_request(uint64_t request, const struct record *record);
void cancel_request(uint64_t request, const struct record *record);
void netlink_request(uint64_t request, const struct record *record);
void launch_request(uint64_t request, const struct record *record);
void remove_tree_request(uint64_t request, const struct record *record);
void top_directory_request(uint64_t request, const struct record *record);
void measure_tree_request(uint64_t request, const struct record *record);
void volume_mount_request(uint64_t request, const struct record *record);
void volume_unmount_request(uint64_t request, const struct record *record);
void copy_up_request(uint64_t request, const struct record *record);
void sync_request(uint64_t request, const struct record *record);
void sync_undo_request(uint64_t request, const struct record *record);

#endif
