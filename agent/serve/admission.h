/*
 * Who may ask: by token, by the Unix socket's peer, or from this machine by a name of this machine. Pure functions.
 */
#ifndef GAPSCOPE_SERVE_ADMISSION_H
#define GAPSCOPE_SERVE_ADMISSION_H

#include <stdbool.h>
#include <sys/types.h>

struct admission {
	const char *token;                         /* the daemon's, or NULL */
	bool local;                                /* over the Unix socket */
	uid_t uid;                                 /* then: of who connected */
	const char *authorization, *host, *origin; /* headers, or NULL */
};

/* NULL if the request may be answered, else why not; *ret_status is then the answer's. `open`: it holds nothing of any service. */
const char *admission_refuses(const struct admission *a, bool open, unsigned int *ret_status);

#endif
