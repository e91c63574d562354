/* handover.c: a descendant is given the memory, somebody else is not. */
#include "commands/handover.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/handover.h"
#include "test.h"
#include "wire/handover.h"

/* What a child finds in the memory that it is given: exit status 42, or 1 if it got none. */
static void ask_and_exit(const char *session)
{
	char word[4] = "";
	const int fd = handover_ask(session);

	_exit(fd >= 0 && pread(fd, word, 3, 0) == 3 && memcmp(word, "mem", 3) == 0 ? 42 : 1);
}

static int answer_until_exit(int listener, int memory, pid_t child, unsigned int *ret_given)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	int status = 0;

	while (waitpid(child, &status, WNOHANG) == 0)
		if (poll(&p, 1, 50) > 0)
			*ret_given += handover_answer(listener, memory);
	return WEXITSTATUS(status);
}

static void child_is_given_it(void **state)
{
	char session[64];
	unsigned int given = 0;
	const int memory = memfd_create("memory", MFD_CLOEXEC);
	int listener;
	pid_t child;

	(void)state;
	snprintf(session, sizeof(session), "/proc/%d/fd/%d", (int)getpid(), memory);
	assert_int_equal(write(memory, "mem", 3), 3);
	listener = handover_listen(session);
	assert_true(listener >= 0);
	child = fork();
	if (child == 0)
		ask_and_exit(session);
	assert_int_equal(answer_until_exit(listener, memory, child, &given), 42);
	assert_int_equal(given, 1);
	close(listener);
	close(memory);
}

/* The listener's process is a sibling of the one that asks: not its ancestor. */
static void others_are_not(void **state)
{
	char session[64];
	const int memory = memfd_create("memory", MFD_CLOEXEC);
	int ready[2], status = 0;
	pid_t agent, asker;
	char byte;

	(void)state;
	snprintf(session, sizeof(session), "/test/%d", (int)getpid());
	assert_int_equal(write(memory, "mem", 3), 3);
	assert_int_equal(pipe(ready), 0);
	agent = fork();
	if (agent == 0) {
		const int listener = handover_listen(session);
		struct pollfd p = {.fd = listener, .events = POLLIN};

		if (listener < 0 || write(ready[1], "r", 1) != 1 || poll(&p, 1, 10000) <= 0)
			_exit(9);
		_exit(handover_answer(listener, memory) == 0 ? 0 : 7);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	asker = fork();
	if (asker == 0)
		ask_and_exit(session);
	assert_int_equal(waitpid(asker, &status, 0), asker);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(waitpid(agent, &status, 0), agent);
	assert_int_equal(WEXITSTATUS(status), 0);
	close(ready[0]);
	close(ready[1]);
	close(memory);
}

static void bad_addresses(void **state)
{
	char longest[256];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(handover_listen(longest), -ENAMETOOLONG);
	assert_int_equal(handover_ask(longest), -ENAMETOOLONG);
	assert_int_equal(handover_ask("/nobody/listens"), -ECONNREFUSED);
}

TEST_MAIN(cmocka_unit_test(child_is_given_it), cmocka_unit_test(others_are_not), cmocka_unit_test(bad_addresses))
