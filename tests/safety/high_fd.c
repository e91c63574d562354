/*
 * Descriptors beyond the policy table (65,536; 1,024 in safety.fds_past_table) and beyond 100,000. Where the hard limit forbids such real
 * descriptors, their numbers are used all the same, and must give EBADF; safety.high_fd_below gives them a meaning (below.c).
 */
#include <limits.h>
#include <poll.h>
#include <sys/resource.h>

#include "claim.h"

static void use(const int pair[2], int high)
{
	struct pollfd one = {.fd = high, .events = POLLIN};
	char byte;

	CHECK(dup2(pair[1], high) == high);
	CHECK(send(pair[0], "q", 1, 0) == 1);
	CHECK(poll(&one, 1, 1000) == 1 && one.revents == POLLIN);
	CHECK(recv(high, &byte, 1, 0) == 1 && byte == 'q');
	CHECK(write(high, "r", 1) == 1);
	CHECK(read(pair[0], &byte, 1) == 1 && byte == 'r');
	CHECK(fcntl(high, F_SETFL, O_NONBLOCK) == 0);
	CHECK(read(high, &byte, 1) == -1 && errno == EAGAIN);
	CHECK(fcntl(high, F_SETFL, 0) == 0);
	CHECK(close(high) == 0);
}

static void use_closed(int high)
{
	char byte = 0;

	CHECK(read(high, &byte, 1) == -1 && errno == EBADF);
	CHECK(write(high, &byte, 1) == -1 && errno == EBADF);
	CHECK(recv(high, &byte, 1, 0) == -1 && errno == EBADF);
	CHECK(dup(high) == -1 && errno == EBADF);
	CHECK(close(high) == -1 && errno == EBADF);
}

int main(void)
{
	static const int numbers[] = {1023, 1024, 9999, 19999, 65535, 65536, 100000, 262143, 299999, INT_MAX, INT_MIN, -2};
	struct rlimit many = {.rlim_cur = 300000, .rlim_max = 300000};
	unsigned int real = 0;
	int pair[2];

	if (setrlimit(RLIMIT_NOFILE, &many) != 0) {
		CHECK(getrlimit(RLIMIT_NOFILE, &many) == 0);
		many.rlim_cur = many.rlim_max;
		CHECK(setrlimit(RLIMIT_NOFILE, &many) == 0);
	}
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (numbers[i] >= 0 && (rlim_t)numbers[i] < many.rlim_cur) {
			use(pair, numbers[i]);
			real++;
		}
		use_closed(numbers[i]);
	}
	printf("%u real descriptors below %lu\n", real, (unsigned long)many.rlim_cur);
	CHECK(close_range(3, ~0U, 0) == 0);
	CHECK(write(pair[0], "x", 1) == -1 && errno == EBADF);
	claim("READ", 3UL * real + 2 * (sizeof numbers / sizeof numbers[0]));
	claim("WRITE", 2UL * real + sizeof numbers / sizeof numbers[0] + 1);
	puts("done");
	return 0;
}
