/*
 * Where probes may stand in a program that OpenSSL, or one of its descendants, is a part of: at the beginning of the functions that plaintext goes
 * through, and at all of their returns. Reads the file only; any thread.
 */
#ifndef GAPSCOPE_COMMANDS_TLS_SITES_H
#define GAPSCOPE_COMMANDS_TLS_SITES_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/tls.h"

struct tls_site {
	uint64_t offset; /* in the file */
	uint64_t cookie; /* enum tls_probe, and where the random bytes are */
};

#define TLS_SITES_MAX 80U

/*
 * Where in a session the client's random bytes are, as the code of SSL_get_client_random says: the distance from its argument that it uses more
 * than once. 0: it does not say. A wrong one would do no harm: the bytes are compared with those of the connection.
 */
uint32_t tls_random_at(const uint8_t *code, size_t len);
/* How many places the program at `path` has, 0 if it has no such library in it; -ENOTSUP with the reason in *ret_why where none is safe. */
int tls_sites_find(const char *path, struct tls_site ret[TLS_SITES_MAX], const char **ret_why);

#endif
