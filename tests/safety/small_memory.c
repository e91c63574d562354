/* An address space too small for the session's memory, wholly or in part: the program runs all the same. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "claim.h"

int main(int argc, char **argv)
{
	static const unsigned long sizes_mb[] = {12, 24, 48, 96, 160, 400, 900};

	if (argc > 1) {
		char *block = malloc(100000);
		int pair[2];

		CHECK(block != NULL);
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		ping(pair, 1000);
		free(block);
		puts("small");
		return 0;
	}
	for (size_t i = 0; i < sizeof sizes_mb / sizeof sizes_mb[0]; i++) {
		pid_t child = fork();
		int status;

		CHECK(child >= 0);
		if (child == 0) {
			const struct rlimit limit = {.rlim_cur = sizes_mb[i] << 20, .rlim_max = sizes_mb[i] << 20};

			CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
			execl("/proc/self/exe", argv[0], "small", (char *)NULL);
			_exit(99);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	puts("done");
	return 0;
}
