/* posix_spawn with file actions and an environment of its own; children stay watched and behave the same. */
#include <spawn.h>
#include <sys/wait.h>

#include "claim.h"

extern char **environ;

static int finish(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int main(void)
{
	char *const argv[] = {(char *)"sh", (char *)"-c", (char *)"echo hello; read x; echo \"got $x\"; exit 9", NULL};
	char *const bare_env[] = {(char *)"PATH=/usr/bin:/bin", (char *)"A=b", NULL};
	char *const show[] = {(char *)"sh", (char *)"-c", (char *)"test \"$A\" = b && exit 4", NULL};
	int in[2], out[2];

	for (int i = 0; i < 20; i++) {
		posix_spawn_file_actions_t actions;
		char text[64] = {0};
		size_t have = 0;
		ssize_t n;
		pid_t child;

		CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
		CHECK(posix_spawn_file_actions_init(&actions) == 0);
		CHECK(posix_spawn_file_actions_adddup2(&actions, in[0], 0) == 0);
		CHECK(posix_spawn_file_actions_adddup2(&actions, out[1], 1) == 0);
		CHECK(posix_spawn(&child, "/bin/sh", &actions, NULL, argv, environ) == 0);
		close(in[0]);
		close(out[1]);
		CHECK(write(in[1], "abc\n", 4) == 4);
		while ((n = read(out[0], text + have, sizeof text - 1 - have)) > 0)
			have += (size_t)n;
		CHECK(strcmp(text, "hello\ngot abc\n") == 0);
		CHECK(finish(child) == 9);
		close(in[1]);
		close(out[0]);
		posix_spawn_file_actions_destroy(&actions);

		CHECK(posix_spawnp(&child, "sh", NULL, NULL, show, bare_env) == 0);
		CHECK(finish(child) == 4);
		CHECK(posix_spawnp(&child, "no-such-program-here", NULL, NULL, show, environ) == ENOENT);
	}
	puts("done");
	return 0;
}
