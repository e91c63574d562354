/* Made into a shared object whose constructor and destructor call hooked functions: for dlopen.c and, linked in, for order.c. */
#include "claim.h"

static void exchange(const char *when)
{
	int pair[2];
	char byte = 0;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(send(pair[0], "p", 1, 0) == 1);
	CHECK(recv(pair[1], &byte, 1, 0) == 1 && byte == 'p');
	CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
	if (getenv("GS_PLUGIN_SPEAKS") != NULL)
		printf("plugin %s\n", when);
}

__attribute__((constructor)) static void loaded(void)
{
	exchange("loaded");
}

__attribute__((destructor)) static void unloaded(void)
{
	exchange("unloaded");
}

int plugin_answer(void);
int plugin_answer(void)
{
	exchange("called");
	return 42;
}
