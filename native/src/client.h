/* A connection to the control socket. */
#ifndef CLIENT_H
#define CLIENT_H

#include "frame.h"
#include "monitor.h"

/* At once; one more is turned away. */
#define CLIENTS_MAX 128

enum client_mode {
  CLIENT_REQUEST, /* header and one record are awaited */
  CLIENT_WATCH,   /* gets the state at every change */
  CLIENT_STOP,    /* gets its answer when everything is over */
  CLIENT_PAUSE,   /* gets its answer when every process is frozen */
  CLIENT_EXPECTED, /* attaches once the first run begins */
  CLIENT_ATTACH,
  CLIENT_CLOSING, /* goes when the rest was sent */
  CLIENT_LINGERING, /* was attached, and has everything: goes when it closes */
};

struct client {
  struct monitor *monitor;
  struct client *next;
  struct watch watch;
  struct timer timer;
  enum client_mode mode;
  struct stream stream;
  struct buffer out;
  struct buffer in; /* attach: frames that are not taken yet */
  size_t input_written; /* of the frame at the front of `in` */
  bool input, output, error;
  bool behind; /* holds the container's output back */
  bool lingers; /* was attached: it may be in the middle of a write */
  bool input_ended;
  bool input_blocked; /* the frame at the front waits until the process takes more */
};

/* control.c: carries out the one record of a connection. */
void control_request(struct client *client, const struct record *record);

/* Answers `{"ok":true}` or the failure, then closes. */
void client_reply_ok(struct client *client);
void client_reply_failure(struct client *client, const struct failure *failure);
/* Adds a line feed and sends; the text is freed. */
void client_send_json(struct client *client, struct json *json);
/* Takes a connection over. */
void client_accept(struct monitor *monitor, int fd);
void client_close(struct client *client);
/* The connection now belongs to somebody else. */
void client_release(struct client *client);
void client_flush(struct client *client);
/* Attaches once the first run begins; the last one that is expected has it begin. */
void client_expect(struct client *client);
/* Answers, and takes the frames that have arrived with the request already. */
void client_attach(struct client *client);
/* courier.c: a process of its own sends what slow clients have not taken; they are closed here. */
void courier_start(struct monitor *monitor);

/* update.c */
void update_container(struct client *client, const struct record *record);
/* pause.c */
void pause_container(struct client *client);
void unpause_container(struct client *client);
/* session.c */
void session_start(struct client *client, const struct record *record);

#endif
