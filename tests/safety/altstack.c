/* Signal handlers on an alternate stack of 16 KiB that ends at an unreadable page call hooked functions, in several threads. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "claim.h"

#define SIZE 16384
#define THREADS 4
#define SIGNALS 300

static __thread int pair[2];
static __thread volatile sig_atomic_t handled;

static void on_signal(int signal)
{
	char byte = 's';

	(void)signal;
	handled++;
	if (write(pair[0], &byte, 1) != 1 || read(pair[1], &byte, 1) != 1 || byte != 's')
		_exit(2);
	if (poll(&(struct pollfd){.fd = pair[1], .events = POLLIN}, 1, 0) != 0)
		_exit(3);
}

static void *work(void *unused)
{
	char *memory = mmap(NULL, SIZE + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	CHECK(memory != MAP_FAILED && mprotect(memory + SIZE, 4096, PROT_NONE) == 0);
	CHECK(sigaltstack(&(stack_t){.ss_sp = memory, .ss_size = SIZE}, NULL) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int i = 0; i < SIGNALS; i++)
		CHECK(raise(SIGUSR1) == 0);
	CHECK(handled == SIGNALS);
	return NULL;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	pthread_t threads[THREADS];

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	claim("WRITE", THREADS * SIGNALS);
	puts("done");
	return 0;
}
