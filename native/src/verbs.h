/* What argv[1] selects; each answers the exit status. */
#ifndef VERBS_H
#define VERBS_H

int serve_main(void);
int unpack_main(void);
int files_main(void);
/* Holds the namespaces of a user (keeper.h): descriptor 3 is a socket to the command that starts it. */
int keeper_main(void);
/* Started by serve: descriptor 3 is the launch plan (header and records), descriptor 4 takes one status line. */
int monitor_main(void);
/* Started by the terminal UI: descriptor 3 is a socket to it, 4 and 5 are its terminal. */
int guard_main(void);

#endif
