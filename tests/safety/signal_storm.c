/* A timer's handler calls hooked functions inside hooked functions; data, results and errno of the main line stay right. */
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "claim.h"

#define PINGS 60000

static int handler_pair[2];
static volatile sig_atomic_t fired;

static void on_alarm(int signal)
{
	const int kept = errno;
	struct pollfd one = {.fd = handler_pair[1], .events = POLLIN};
	char byte = 'h';

	(void)signal;
	fired++;
	if (write(handler_pair[0], &byte, 1) != 1 || poll(&one, 1, 0) != 1 || read(handler_pair[1], &byte, 1) != 1 || byte != 'h')
		_exit(2);
	if (write(-1, &byte, 1) != -1 || errno != EBADF)
		_exit(3);
	errno = kept;
}

int main(void)
{
	const struct itimerval storm = {.it_interval = {.tv_usec = 2000}, .it_value = {.tv_usec = 100}};
	const struct itimerval calm = {.it_value = {.tv_usec = 0}};
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	int pair[2];
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, handler_pair) == 0);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &storm, NULL) == 0);
	for (int i = 0; i < PINGS || fired < 50; i++) {
		ping(pair, 1);
		errno = EXDEV;
		CHECK(recv(pair[1], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
		CHECK(read(-1, &byte, 1) == -1 && errno == EBADF);
		errno = EXDEV;
		CHECK(write(pair[0], "z", 1) == 1 && errno == EXDEV);
		CHECK(read(pair[1], &byte, 1) == 1 && byte == 'z' && errno == EXDEV);
	}
	/* Without SA_RESTART waits must see EINTR, as ever. */
	action.sa_flags = 0;
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	for (int i = 0; i < 30; i++) {
		CHECK(read(pair[1], &byte, 1) == -1 && errno == EINTR);
		CHECK(poll(&(struct pollfd){.fd = pair[1], .events = POLLIN}, 1, -1) == -1 && errno == EINTR);
		CHECK(nanosleep(&(struct timespec){.tv_sec = 5}, NULL) == -1 && errno == EINTR);
	}
	CHECK(setitimer(ITIMER_REAL, &calm, NULL) == 0);
	puts("done");
	return 0;
}
