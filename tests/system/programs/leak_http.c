/*
 * A service over HTTP that leaks by one of its routes: leak_http PORT. /leak keeps 8000 bytes for ever, /fine gives back what it takes,
 * /buffer?n=N takes N bytes at once, as it is told. Ends with SIGTERM, and says what it leaked.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define ORDER 8000

static volatile sig_atomic_t over;
static unsigned long leaked;

static void on_term(int signal)
{
	(void)signal;
	over = 1;
}

NOINLINE static void leak_order(void)
{
	char *order = malloc(ORDER);

	__asm__ volatile("" : : "r"(order) : "memory");
	leaked += ORDER;
}

NOINLINE static void give_back(size_t size)
{
	char *p = malloc(size);

	__asm__ volatile("" : : "r"(p) : "memory");
	free(p);
}

static void answer(int fd)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	char head[4096];
	ssize_t n;

	while ((n = recv(fd, head, sizeof head - 1, 0)) > 0) {
		head[n] = '\0';
		if (strncmp(head, "GET /leak", 9) == 0)
			leak_order();
		else if (strncmp(head, "GET /buffer?n=", 14) == 0)
			give_back(strtoul(head + 14, NULL, 10));
		else
			give_back(ORDER);
		if (send(fd, text, sizeof text - 1, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const struct sigaction term = {.sa_handler = on_term};
	const int listener = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_port = htons((in_port_t)(argc > 1 ? atoi(argv[1]) : 0));
	sigaction(SIGTERM, &term, NULL);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener, (const struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 16) != 0)
		return 1;
	while (!over) {
		const int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			answer(fd);
	}
	printf("leak_order %lu\n", leaked);
	return 0;
}
