/*
 * For the self-checking programs of tests/safety: CHECK leaves with status 1 and says where; claim() tells watch.c how many calls
 * of an event were made, to be balanced against the records. Single file, any thread.
 */
#ifndef GAPSCOPE_TESTS_SAFETY_CLAIM_H
#define GAPSCOPE_TESTS_SAFETY_CLAIM_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(what) \
	do { \
		const int check_errno = errno; \
\
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #what, check_errno); \
			_exit(1); \
		} \
	} while (0)

/* A regular file that is not a log: its own writes are not watched. */
__attribute__((unused)) static void claim(const char *event, unsigned long calls)
{
	const char *path = getenv("GS_CLAIMS");
	char line[64];
	int fd, length;

	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	length = snprintf(line, sizeof line, "%s %lu\n", event, calls);
	lseek(fd, 0, SEEK_END);
	if (write(fd, line, (size_t)length) != length)
		abort();
	close(fd);
}

/* `times` messages through a socketpair and back out; checks each byte. */
__attribute__((unused)) static void ping(const int pair[2], unsigned int times)
{
	char out[64], in[64];

	for (unsigned int i = 0; i < times; i++) {
		memset(out, (int)('a' + i % 26), sizeof out);
		CHECK(write(pair[0], out, sizeof out) == (ssize_t)sizeof out);
		CHECK(read(pair[1], in, sizeof in) == (ssize_t)sizeof in);
		CHECK(memcmp(in, out, sizeof in) == 0);
	}
}

#endif
