/*
 * A program of another libc (musl) that a watched one starts: its loader takes the preloaded library for one of its own. It runs as always, and
 * is not watched. Streams, descriptors, a thread, a child and a name are used, each through a name that we export.
 */
#include <netdb.h>
#include <pthread.h>
#include <sys/wait.h>

#include "claim.h"

static void *work(void *arg)
{
	ping(arg, 20);
	return NULL;
}

int main(int argc, char **argv)
{
	struct addrinfo *list, hints = {.ai_flags = AI_NUMERICHOST};
	pthread_t thread;
	int pair[2], status;
	FILE *out = tmpfile();
	pid_t child;
	char line[32];

	if (argc > 1)
		return puts("from the child") < 0;
	CHECK(out != NULL && fprintf(out, "%s %d\n", "line", 7) == 7 && fputs("more\n", out) >= 0 && fputc('x', out) == 'x');
	rewind(out);
	CHECK(fgets(line, sizeof(line), out) && strcmp(line, "line 7\n") == 0 && fclose(out) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(pthread_create(&thread, NULL, work, pair) == 0 && pthread_join(thread, NULL) == 0);
	CHECK(getaddrinfo("127.0.0.1", "80", &hints, &list) == 0);
	freeaddrinfo(list);
	CHECK(open("/proc/self/status", O_RDONLY) >= 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
	CHECK(read(pair[0], line, 1) == -1 && errno == EAGAIN);
	printf("before the child\n");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		execl("/proc/self/exe", argv[0], "child", (char *)NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	printf("status %d\n", WEXITSTATUS(status));
	return 0;
}
