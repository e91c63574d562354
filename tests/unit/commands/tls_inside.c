/* tls_inside.c: processes of each kind that a unit test can start. Go, Node, Java: tests/system/tls.py. */
#include "commands/tls_inside.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static void of_a_process(void **state)
{
	enum tls_way way = TLS_WAY_GO;
	const char *text = NULL;
	pid_t pid;
	int go[2];

	(void)state;
	void *library = dlopen("libssl.so.3", RTLD_NOW); /* libcurl's, which this is built with */
	assert_non_null(library);
	assert_int_equal(tls_inside(getpid(), &way, &text), 0);
	assert_int_equal(way, TLS_WAY_SHARED);
	assert_non_null(strstr(text, "shared library"));
	assert_int_equal(pipe2(go, 0), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(go[1], STDOUT_FILENO);
		execlp("sh", "sh", "-c", "echo on; read never", (char *)NULL);
		_exit(1);
	}
	assert_int_equal(read(go[0], &(char){0}, 1), 1);
	assert_int_equal(tls_inside(pid, &way, &text), 0);
	assert_int_equal(way, TLS_WAY_NONE);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	text = NULL;
	assert_true(tls_inside(pid, &way, &text) < 0);
	assert_null(text);
	dlclose(library);
	close(go[0]);
	close(go[1]);
}

TEST_MAIN(cmocka_unit_test(of_a_process))
