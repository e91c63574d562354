/*
 * A program with many call sites, for sites.c: SITES calls of shutdown, each in a place of its own, each made once.
 */
#include <sys/socket.h>

#include "preload/many_sites.h"

#define SHUT failed += shutdown(fd, SHUT_RD) != 0;
#define TEN(x) x x x x x x x x x x

int main(void)
{
	int pair[2];
	int failed = 0;
	int fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return 2;
	fd = pair[0];
	TEN(TEN(SHUT) TEN(SHUT))
	return failed;
}
