/* A set-user-id copy of this program runs unharmed and unwatched (AT_SECURE: the loader drops what it must not trust). */
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "claim.h"

int main(int argc, char **argv)
{
	int pair[2];

	CHECK(argc == 1);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ping(pair, 100);
	if (getauxval(AT_SECURE) != 1) {
		puts("SKIP (cannot run here): no set-user-id programs on this file system");
		return 77;
	}
	CHECK(getenv("LD_PRELOAD") == NULL);
	(void)argv;
	puts("done");
	return 0;
}
