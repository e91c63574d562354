/* Coroutines on 32 KiB heap stacks that end at an unreadable page: a look at the stack must not run off its end. */
#include <poll.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "claim.h"

#define COROUTINES 8
#define STACK 32768
#define TURNS 200

static ucontext_t back, contexts[COROUTINES];
static int pair[2];

static void body(int me)
{
	for (int i = 0; i < TURNS; i++) {
		ping(pair, 2);
		CHECK(poll(&(struct pollfd){.fd = pair[1], .events = POLLIN}, 1, 0) == 0);
		CHECK(swapcontext(&contexts[me], &back) == 0);
	}
}

int main(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int i = 0; i < COROUTINES; i++) {
		char *stack = mmap(NULL, STACK + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(stack != MAP_FAILED && mprotect(stack + STACK, 4096, PROT_NONE) == 0);
		CHECK(getcontext(&contexts[i]) == 0);
		contexts[i].uc_stack.ss_sp = stack;
		contexts[i].uc_stack.ss_size = STACK;
		contexts[i].uc_link = &back;
		makecontext(&contexts[i], (void (*)(void))body, 1, i);
	}
	for (int turn = 0; turn < TURNS; turn++)
		for (int i = 0; i < COROUTINES; i++)
			CHECK(swapcontext(&back, &contexts[i]) == 0);
	claim("WRITE", COROUTINES * TURNS * 2);
	claim("POLL", COROUTINES * TURNS);
	puts("done");
	return 0;
}
