/* Requests over a real socket: who is refused, what is bounded. */
#include "serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sample.h"

static char err[256], refused_line[512];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(refused_line, sizeof(refused_line), format, args);
	va_end(args);
}

static int connect_to(const struct http *h)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(h)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Send, and read what comes until the connection ends or `until` was read. */
static void talk(struct http *h, const char *request, size_t len, char *answer, size_t size, const char *until)
{
	const int fd = connect_to(h);
	size_t sent = 0, got = 0;

	answer[0] = '\0';
	for (;;) {
		struct pollfd p[2] = {{.fd = http_fd(h), .events = POLLIN},
				      {.fd = fd, .events = (short)(POLLIN | (sent < len ? POLLOUT : 0))}};
		const int wait = http_wait_ms(h);

		assert_true(poll(p, 2, wait >= 0 && wait < 1000 ? wait : 1000) >= 0);
		http_run(h);
		if (p[1].revents & POLLOUT) {
			const ssize_t n = send(fd, request + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
			sent = n > 0 ? sent + (size_t)n : n < 0 && errno != EAGAIN ? len : sent;
		}
		if (!(p[1].revents & (POLLIN | POLLHUP | POLLERR)))
			continue;
		const ssize_t n = recv(fd, answer + got, size - 1 - got, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0 || got + (size_t)n >= size - 1)
			break;
		got += (size_t)n;
		answer[got] = '\0';
		if (until && strstr(answer, until))
			break;
	}
	close(fd);
	for (int i = 0; i < 4; i++)
		http_run(h); /* it notices the end */
}

static unsigned int status_of(struct http *h, const char *request, const char *until)
{
	static char answer[65536];
	unsigned int status = 0;

	talk(h, request, strlen(request), answer, sizeof(answer), until);
	sscanf(answer, "HTTP/1.1 %u", &status);
	return status;
}

static struct http *open_http(struct board *b, const char *token)
{
	const struct http_options o = {.listen = "127.0.0.1:0", .token = token, .board = b, .log = note};
	struct http *h = NULL;

	assert_int_equal(http_open(&o, &h, err, sizeof(err)), 0);
	return h;
}

#define CLOSE "Connection: close\r\n\r\n"

static void answers(void **state)
{
	struct board *b = sample_board();
	struct http *h = open_http(b, NULL);
	(void)state;

	assert_int_equal(status_of(h, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" CLOSE, NULL), 200);
	assert_int_equal(status_of(h, "GET /gate/argo?service=shop HTTP/1.1\r\nHost: localhost\r\n" CLOSE, NULL), 200);
	assert_int_equal(
		status_of(h, "POST /gate/flagger HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n" CLOSE "{\"name\":\"web\"}",
			  NULL),
		200);
	assert_int_equal(status_of(h, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n" CLOSE, NULL), 404);
	assert_int_equal(status_of(h, "DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n" CLOSE, NULL), 405);
	assert_int_equal(status_of(h, "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n" CLOSE, NULL), 404);
	http_close(h);
	sample_done(b);
}

static void refuses(void **state)
{
	struct board *b = sample_board();
	struct http *h = open_http(b, "0123456789abcdef");
	(void)state;

	assert_int_equal(status_of(h, "GET /metrics HTTP/1.1\r\nHost: x\r\n" CLOSE, NULL), 401);
	assert_non_null(strstr(refused_line, "refused GET /metrics: no token"));
	assert_int_equal(status_of(h, "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 0123456789abcdeX\r\n" CLOSE, NULL),
			 401);
	assert_int_equal(status_of(h, "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 0123456789abcdef\r\n" CLOSE, NULL),
			 200);
	assert_int_equal(status_of(h, "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n" CLOSE, NULL), 401);
	assert_int_equal(status_of(h, "GET /x%0Agapscope:%20fine HTTP/1.1\r\nHost: x\r\n" CLOSE, NULL), 401);
	assert_non_null(strstr(refused_line, "refused GET /x?gapscope: fine: no token"));
	http_close(h);
	const struct http_options open = {.listen = "0.0.0.0:0", .board = b, .log = note};
	assert_int_equal(http_open(&open, &h, err, sizeof(err)), -EPERM);
	assert_non_null(strstr(err, "set token_file"));
	sample_done(b);
}

static void is_bounded(void **state)
{
	struct board *b = sample_board();
	struct http *h = open_http(b, NULL);
	const size_t large = 10U << 20;
	char *request = malloc(large + 256), answer[4096];
	(void)state;

	assert_non_null(request);
	int head = snprintf(request, 256, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ");
	memset(request + head, 'a', large);
	talk(h, request, (size_t)head + large, answer, sizeof(answer), "\r\n\r\n");
	assert_int_equal(strncmp(answer, "HTTP/1.1 431", 12), 0);
	head = snprintf(request, 256, "POST /gate/flagger HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", large);
	memset(request + head, ' ', large);
	talk(h, request, (size_t)head + large, answer, sizeof(answer), "\r\n\r\n");
	assert_int_equal(strncmp(answer, "HTTP/1.1 413", 12), 0);
	/* it still answers */
	assert_int_equal(status_of(h, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" CLOSE, NULL), 200);
	free(request);
	http_close(h);
	sample_done(b);
}

/* Two lengths of one body: what is the next request to us may be the body to who stands between. */
static void takes_no_two_lengths(void **state)
{
	static const char *const lengths[] = {"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
					      "Content-Length: 2\r\nContent-Length: 40\r\n"};
	struct board *b = sample_board();
	struct http *h = open_http(b, NULL);
	char request[512], answer[4096];
	(void)state;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		const int len = snprintf(request, sizeof(request),
					 "POST /gate/flagger HTTP/1.1\r\nHost: localhost\r\n%s\r\n0\r\n\r\n"
					 "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" CLOSE,
					 lengths[i]);

		talk(h, request, (size_t)len, answer, sizeof(answer), NULL);
		assert_int_equal(strncmp(answer, "HTTP/1.1 400", 12), 0);
		assert_null(strstr(answer + 12, "HTTP/1.1")); /* what follows is not answered */
	}
	http_close(h);
	sample_done(b);
}

static void streams_changes(void **state)
{
	struct board *b = sample_board();
	struct http *h = open_http(b, NULL);
	static const char request[] = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
	const int fd = connect_to(h);
	char answer[4096] = "";
	size_t got = 0, changes = 0;
	(void)state;

	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	while (changes < 2) {
		struct pollfd p[2] = {{.fd = http_fd(h), .events = POLLIN}, {.fd = fd, .events = POLLIN}};

		assert_true(poll(p, 2, 20) >= 0);
		http_run(h);
		const ssize_t n = recv(fd, answer + got, sizeof(answer) - 1 - got, MSG_DONTWAIT);
		if (n <= 0)
			continue;
		got += (size_t)n;
		answer[got] = '\0';
		if (strstr(answer, "event: change")) {
			changes++;
			answer[got = 0] = '\0';
			board_update(b, board_find(b, "shop"), BOARD_ENDED, NULL, 9); /* the next one tells this */
		}
	}
	close(fd);
	http_close(h); /* with a stream that sleeps */
	sample_done(b);
}

TEST_MAIN(cmocka_unit_test(answers), cmocka_unit_test(refuses), cmocka_unit_test(is_bounded),
	  cmocka_unit_test(takes_no_two_lengths), cmocka_unit_test(streams_changes))
