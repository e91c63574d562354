/* What becomes of a process's TLS, for `doctor` and for the report: are requests inside of it seen, and if not, why? Reads /proc and files; any thread. */
#ifndef GAPSCOPE_COMMANDS_TLS_INSIDE_H
#define GAPSCOPE_COMMANDS_TLS_INSIDE_H

#include <sys/types.h>

enum tls_way {
	TLS_WAY_NONE,   /* no library that one knows of */
	TLS_WAY_SHARED, /* by hooks */
	TLS_WAY_GO,     /* by probes */
	TLS_WAY_PART,   /* of the program: by probes */
	TLS_WAY_UNSEEN, /* it speaks TLS, or may, and that cannot be seen */
};

/* One sentence in *ret_text, which is static. -errno: the process cannot be looked at. */
int tls_inside(pid_t pid, enum tls_way *ret, const char **ret_text);

#endif
