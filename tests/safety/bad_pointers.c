/* A pointer that the kernel refuses with EFAULT is refused the same way under the shim: no hook may read it first. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "claim.h"

#define FAULTS(call) \
	do { \
		errno = 0; \
		CHECK((call) == -1 && errno == EFAULT); \
	} while (0)

static void sockets(void *bad)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const int none = -1;
	int pair[2];
	struct msghdr message = {.msg_iov = bad, .msg_iovlen = 1};

	CHECK(fd >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	FAULTS(connect(fd, bad, 16));
	FAULTS(connect(fd, bad, 28));
	FAULTS(bind(fd, bad, 16));
	FAULTS(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, bad, 16));
	FAULTS(send(pair[0], bad, 64, 0));
	FAULTS(write(pair[0], bad, 64));
	FAULTS(sendmsg(pair[0], &message, 0));
	FAULTS(sendmsg(pair[0], bad, 0));
	FAULTS(writev(pair[0], bad, 1));
	CHECK(write(pair[0], "x", 1) == 1);
	FAULTS(recv(pair[1], bad, 64, 0));
	FAULTS(readv(pair[1], bad, 1));
	CHECK(connect(none, bad, 16) == -1);
	close(pair[0]);
	close(pair[1]);
	close(fd);
}

static void waits(void *bad)
{
	const int set = epoll_create1(0);
	int pipes[2];
	struct timespec soon = {.tv_nsec = 1};

	CHECK(set >= 0 && pipe(pipes) == 0);
	FAULTS(poll(bad, 1, 0));
	FAULTS(poll(bad, 3, 0));
	FAULTS(ppoll(bad, 1, &soon, NULL));
	FAULTS(epoll_ctl(set, EPOLL_CTL_ADD, pipes[0], bad));
	FAULTS(nanosleep(bad, NULL));
	FAULTS(syscall(SYS_nanosleep, bad, NULL));
	FAULTS(open(bad, O_RDONLY));
	FAULTS(pipe(bad));
	close(set);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const long page = sysconf(_SC_PAGESIZE);
	char *hole = mmap(NULL, (size_t)page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *const low = (void *)8;
	void *const high = (void *)-64;

	CHECK(hole != MAP_FAILED);
	sockets(low);
	sockets(high);
	sockets(hole);
	waits(low);
	waits(high);
	FAULTS(select(4, low, NULL, NULL, NULL));
	puts("done");
	return 0;
}
