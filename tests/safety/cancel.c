/* Threads are cancelled inside hooked waits: their cleanup runs, and the library goes on in every other thread. */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "claim.h"

#define ROUNDS 25

enum { IN_READ, IN_RECV, IN_POLL, IN_SELECT, IN_EPOLL, IN_SLEEP, IN_ACCEPT, IN_COND, KINDS };

static _Atomic int cleaned;
static _Atomic int ready;

struct wait_args {
	int kind;
	int pair[2];
	int listener;
};

static void on_cancel(void *arg)
{
	struct wait_args *w = arg;

	cleaned++;
	/* Hooked calls in a cleanup handler. */
	CHECK(write(w->pair[0], "c", 1) == 1);
	close(w->pair[0]);
	close(w->pair[1]);
}

static void unlock(void *lock)
{
	pthread_mutex_unlock(lock);
}

static void wait_on(struct wait_args *w)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct epoll_event event = {.events = EPOLLIN};
	struct pollfd one = {.fd = w->pair[1], .events = POLLIN};
	fd_set set;
	char byte;
	int epoll;

	switch (w->kind) {
	case IN_READ:
		read(w->pair[1], &byte, 1);
		break;
	case IN_RECV:
		recv(w->pair[1], &byte, 1, 0);
		break;
	case IN_POLL:
		poll(&one, 1, -1);
		break;
	case IN_SELECT:
		FD_ZERO(&set);
		FD_SET(w->pair[1], &set);
		select(w->pair[1] + 1, &set, NULL, NULL, NULL);
		break;
	case IN_EPOLL:
		epoll = epoll_create1(0);
		epoll_ctl(epoll, EPOLL_CTL_ADD, w->pair[1], &event);
		epoll_wait(epoll, &event, 1, -1);
		break;
	case IN_SLEEP:
		nanosleep(&(struct timespec){.tv_sec = 1000}, NULL);
		break;
	case IN_ACCEPT:
		accept(w->listener, NULL, NULL);
		break;
	default:
		pthread_mutex_lock(&lock);
		pthread_cleanup_push(unlock, &lock);
		pthread_cond_wait(&never, &lock);
		pthread_cleanup_pop(1);
	}
}

static void *waiter(void *arg)
{
	struct wait_args *w = arg;

	pthread_cleanup_push(on_cancel, w);
	ready = 1;
	for (;;)
		wait_on(w);
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	int own[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, own) == 0);
	for (int round = 0; round < ROUNDS; round++)
		for (int kind = 0; kind < KINDS; kind++) {
			struct wait_args w = {.kind = kind, .listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
			pthread_t thread;
			void *result;

			/* Autobind: an address of the kernel's choosing, no file. */
			CHECK(bind(w.listener, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t)) == 0);
			CHECK(listen(w.listener, 1) == 0);
			CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, w.pair) == 0);
			ready = 0;
			CHECK(pthread_create(&thread, NULL, waiter, &w) == 0);
			while (!ready)
				sched_yield();
			/* Half of the rounds let the thread reach its wait; the others hit it on the way in. */
			if (round % 2 == 0)
				nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
			CHECK(pthread_cancel(thread) == 0);
			CHECK(pthread_join(thread, &result) == 0);
			CHECK(result == PTHREAD_CANCELED);
			close(w.listener);
			ping(own, 3);
		}
	CHECK(cleaned == ROUNDS * KINDS);
	claim("WRITE", ROUNDS * KINDS * 4);
	puts("done");
	return 0;
}
