/* Locks: flock(2) on a file. The kernel frees them when the coprocess ends, however it ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve.h"

struct lock {
  uint64_t request; /* of the request that took it; also its number */
  int fd;
  int operation;
  bool waits;
  bool held;
  char *path;
  struct lock *next;
};

static struct lock *locks;

static struct lock *find_lock(uint64_t number) {
  for (struct lock *lock = locks; lock != NULL; lock = lock->next)
    if (lock->request == number) return lock;
  return NULL;
}

/*
 * Explicitly, since children that still run share the open file: also where a child got it and nobody was told, as of a file
 * that was replaced. Another child may be waiting for just that one.
 */
static void release(struct lock *lock) {
  if (lock->fd >= 0) flock(lock->fd, LOCK_UN);
  close_quietly(lock->fd);
  lock->fd = -1;
}

static void drop(struct lock *lock) {
  struct lock **link = &locks;
  while (*link != lock) link = &(*link)->next;
  *link = lock->next;
  release(lock);
  free(lock->path);
  free(lock);
}

static int open_lock(struct lock *lock) {
  struct stat status;
  lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
  if (lock->fd < 0) return -1;
  if (fstat(lock->fd, &status) != 0) return -1;
  if (S_ISREG(status.st_mode)) return 0;
  errno = EINVAL;
  return -1;
}

/* Whoever held the lock may have removed the file: then what we hold is not what the next one takes. */
static bool is_current(const struct lock *lock) {
  struct stat ours, named;
  if (fstat(lock->fd, &ours) != 0 || stat(lock->path, &named) != 0) return false;
  return ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static void give_up(struct lock *lock, int error) {
  struct failure failure;
  uint64_t request = lock->request;
  fail_errno(&failure, error, "lock %s", lock->path);
  /* First: a child that was ended may have got it at the last moment, and whoever hears of this may ask for it at once. */
  drop(lock);
  serve_reply_failure(request, &failure);
}

static void grant(struct lock *lock) {
  struct json json;
  lock->held = true;
  serve_reply_begin(&json, lock->request);
  json_key(&json, "lock");
  json_unsigned(&json, lock->request);
  serve_reply_end(&json);
}

static void refuse_held(struct lock *lock) {
  struct json json;
  uint64_t request = lock->request;
  drop(lock);
  serve_reply_begin(&json, request);
  json_member_bool(&json, "held", true);
  serve_reply_end(&json);
}

/* In a child: the open file is shared, so a lock taken here is the parent's too. */
static void wait_for_lock(int status, void *context) {
  struct lock *lock = context;
  int result;
  do result = flock(lock->fd, lock->operation);
  while (result != 0 && errno == EINTR);
  if (result == 0) write_all(status, "{}\n", 3);
}

static void take(struct lock *lock, bool announced);

static void waited(void *context, const char *reply) {
  struct lock *lock = context;
  if (reply == NULL) give_up(lock, EIO);
  else take(lock, true);
}

static void wait_in_child(struct lock *lock, bool announced) {
  struct job_options options = {
      .request = lock->request, .step = "lock", .run = wait_for_lock, .done = waited, .context = lock};
  if (serve_job(&options) < 0) {
    drop(lock);
    return;
  }
  if (announced) return;
  struct json json = {0};
  json_open(&json, '{');
  json_key(&json, "request");
  json_unsigned(&json, lock->request);
  json_member_bool(&json, "waiting", true);
  serve_reply_end(&json);
}

/* Called again once a child has the lock: then it succeeds at once, unless the file was replaced. */
static void take(struct lock *lock, bool announced) {
  for (;;) {
    if (lock->fd < 0 && open_lock(lock) != 0) {
      give_up(lock, errno);
      return;
    }
    if (flock(lock->fd, lock->operation | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK && lock->waits) wait_in_child(lock, announced);
      else if (errno == EWOULDBLOCK) refuse_held(lock);
      else give_up(lock, errno);
      return;
    }
    if (is_current(lock)) {
      grant(lock);
      return;
    }
    release(lock);
  }
}

static void begin(uint64_t request, const struct record *record, bool waits) {
  struct failure failure;
  int operation = 0;
  if (record_texts(record, &failure) != 0) {
    serve_reply_failure(request, &failure);
    return;
  }
  if (strcmp(record->argv[2], "shared") == 0) operation = LOCK_SH;
  if (strcmp(record->argv[2], "exclusive") == 0) operation = LOCK_EX;
  if (operation == 0 || find_lock(request) != NULL) {
    const char *reason = operation == 0 ? "mode is neither shared nor exclusive" : "request number is in use";
    fail_kind(&failure, KIND_INVALID, reason, "lock %s", record->argv[1]);
    serve_reply_failure(request, &failure);
    return;
  }
  struct lock *lock = xcalloc(1, sizeof *lock);
  lock->request = request;
  lock->fd = -1;
  lock->operation = operation;
  lock->waits = waits;
  lock->path = xstrdup(record->argv[1]);
  lock->next = locks;
  locks = lock;
  take(lock, false);
}

void lock_request(uint64_t request, const struct record *record) {
  begin(request, record, true);
}

/* Without a child: one that waits, however short, would get the lock of a holder that goes just now, and keep it from others. */
void try_lock_request(uint64_t request, const struct record *record) {
  begin(request, record, false);
}

static void reply_done(uint64_t request) {
  struct json json;
  serve_reply_begin(&json, request);
  serve_reply_end(&json);
}

void unlock_request(uint64_t request, const struct record *record) {
  struct failure failure;
  uint64_t number = 0;
  if (record_unsigned(record, 1, INT64_MAX, &number, &failure) != 0) {
    serve_reply_failure(request, &failure);
    return;
  }
  struct lock *lock = find_lock(number);
  if (lock == NULL || !lock->held) {
    fail_kind(&failure, KIND_NOT_FOUND, "no such lock", "unlock %s", record->argv[1]);
    serve_reply_failure(request, &failure);
    return;
  }
  drop(lock);
  reply_done(request);
}

/* A lock that was granted meanwhile is given back: either way the caller does not have it. */
void cancel_request(uint64_t request, const struct record *record) {
  struct failure failure;
  uint64_t number = 0;
  if (record_unsigned(record, 1, INT64_MAX, &number, &failure) != 0) {
    serve_reply_failure(request, &failure);
    return;
  }
  struct lock *lock = find_lock(number);
  if (lock != NULL && !lock->held) {
    serve_job_cancel(number);
    give_up(lock, ECANCELED);
  } else if (lock != NULL) {
    drop(lock);
  }
  reply_done(request);
}
