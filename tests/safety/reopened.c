/*
 * Numbers of descriptors that were files and become something else: what is opened for reading only is not announced to the agent, and
 * must not make the next owner of its number invisible. Each way of getting a descriptor is tried on a number that a file had just before:
 * every byte through it is claimed.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "claim.h"

#define PINGS 50
#define WAYS 7

static unsigned long messages; /* through descriptors that must be seen */

static void talk(int a, int b)
{
	const int pair[2] = {a, b};

	ping(pair, PINGS);
	messages += PINGS;
}

static int made_file(void)
{
	char byte;
	const int fd = open("/proc/self/status", O_RDONLY);

	CHECK(fd >= 0 && read(fd, &byte, 1) == 1);
	return fd;
}

/* The file is closed by libc itself, where no hook sees it. */
static int used_by_a_folder(void)
{
	const int fd = open("/", O_RDONLY | O_DIRECTORY);
	DIR *const folder = fdopendir(fd);

	CHECK(folder != NULL && readdir(folder) != NULL && closedir(folder) == 0);
	return fd;
}

static void send_fd(int over, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	char byte = 'f';
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	CHECK(sendmsg(over, &m, 0) == 1);
	messages++; /* as a WRITE; receive_fd is the READ */
}

static int receive_fd(int over)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int fd;

	CHECK(recvmsg(over, &m, MSG_CMSG_CLOEXEC) == 1 && control.head.cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}

/* A descriptor for the same end as `fd`, got in another way each time. */
static int again(int way, int fd, const int over[2])
{
	const int pidfd = way == 3 ? (int)syscall(SYS_pidfd_open, getpid(), 0) : -1;
	int file, got = -1;

	if (way == 0 || way == 1)
		send_fd(over[0], fd);
	file = way == 1 ? used_by_a_folder() : made_file();
	if (way == 5)
		CHECK(dup2(file, file + 1) == file + 1 && close(file + 1) == 0);
	if (way != 1 && way != 4 && way != 6)
		CHECK(close(file) == 0);
	switch (way) {
	case 0:
	case 1:
		got = receive_fd(over[1]);
		break;
	case 2:
	case 5:
		got = dup(fd);
		break;
	case 3:
		got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		if (got < 0)
			got = dup(fd); /* an old kernel, or not allowed */
		break;
	case 4:
		got = dup2(fd, file);
		break;
	case 6: /* closed past the library */
		CHECK(syscall(SYS_close, file) == 0);
		got = fcntl(fd, F_DUPFD, 0);
		break;
	default:
		break;
	}
	CHECK(got == file);
	if (pidfd >= 0)
		close(pidfd);
	return got;
}

/* A child on its parent's memory, with descriptors of its own, puts a file where its parent has a connection that was not used yet. */
static void in_a_vfork_child(const int over[2], const int pair[2])
{
	int got, status;
	pid_t child;

	send_fd(over[0], pair[0]);
	got = receive_fd(over[1]);
	child = vfork();
	if (child == 0) {
		close(got);
		_exit(open("/dev/null", O_RDONLY) == got ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	talk(got, pair[1]);
	close(got);
}

/* A fifo is opened for reading only as well, and may wait for ever. */
static void a_fifo(void)
{
	char path[] = "/tmp/gapscope-fifo-XXXXXX";
	int in, out;

	CHECK(mkdtemp(path) && rmdir(path) == 0 && mkfifo(path, 0600) == 0);
	in = open(path, O_RDONLY | O_NONBLOCK);
	out = open(path, O_WRONLY);
	CHECK(in >= 0 && out >= 0 && fcntl(in, F_SETFL, 0) == 0 && unlink(path) == 0);
	talk(out, in);
	close(in);
	close(out);
}

int main(void)
{
	int over[2], pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, over) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int way = 0; way < WAYS; way++) {
		const int got = again(way, pair[0], over);

		talk(got, pair[1]);
		talk(pair[1], got);
		CHECK(close(got) == 0);
		printf("way %d\n", way);
	}
	in_a_vfork_child(over, pair);
	a_fifo();
	claim("READ", messages);
	claim("WRITE", messages);
	return 0;
}
