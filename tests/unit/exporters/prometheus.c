/* The Prometheus endpoint: what it answers to whom, and addresses that are none. */
#include "test.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporters/exporter.h"

static const struct resource about;
static char err[256], head[4096], text[65536];

static size_t keep(char *data, size_t size, size_t n, void *to)
{
	strncat(to, data, size * n);
	return size * n;
}

/* A free port: one that the kernel has just given, and taken back. */
static unsigned int free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	close(fd);
	return ntohs(in.sin_port);
}

static long get(unsigned int port, const char *path, const char *header, const char *method)
{
	CURL *c = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, header);
	char url[128];
	long status = 0;
	head[0] = text[0] = '\0';
	snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, text);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, head);
	assert_int_equal(curl_easy_perform(c), CURLE_OK);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	return status;
}

static void scraped(void **state)
{
	(void)state;
	const struct exporter *p = exporter_find("prometheus");
	unsigned int port = free_port();
	char target[64];
	void *x;
	snprintf(target, sizeof target, "127.0.0.1:%u", port);
	assert_int_equal(p->open(target, &about, &x, err, sizeof err), 0);
	assert_int_equal(get(port, "/metrics", "X: y", "GET"), 200); /* before there is any */
	const struct metric_point points[2] = {{.value = 1}, {.value = 2}};
	const struct metric m = {.name = "m", .kind = METRIC_SUM, .points = points, .points_n = 1};
	const struct metric later = {.name = "m", .kind = METRIC_SUM, .points = points + 1, .points_n = 1};
	p->metrics(x, &m, 1, 0);
	assert_int_equal(get(port, "/metrics", "Accept: text/plain", "GET"), 200);
	assert_non_null(strstr(head, "Content-Type: text/plain; version=0.0.4"));
	assert_non_null(strstr(head, "Content-Encoding: gzip"));
	assert_non_null(strstr(text, "m_total{otel_scope_name=\"gapscope\"} 1\n"));
	p->metrics(x, &later, 1, 0);
	assert_int_equal(get(port, "/metrics", "Accept: application/openmetrics-text", "GET"), 200);
	assert_non_null(strstr(head, "Content-Type: application/openmetrics-text; version=1.0.0"));
	assert_non_null(strstr(text, "m_total{otel_scope_name=\"gapscope\"} 2\n"));
	assert_null(strstr(text, "} 1\nm_total"));
	assert_int_equal(get(port, "/", "X: y", "GET"), 404);
	assert_int_equal(get(port, "/metrics", "X: y", "DELETE"), 405);
	struct export_counts c[EXPORT_SIGNALS];
	p->counts(x, c);
	assert_int_equal(c[EXPORT_METRICS].produced, 2);
	assert_int_equal(c[EXPORT_METRICS].acknowledged, 2);
	/* a second one cannot have the port */
	void *y = NULL;
	assert_true(p->open(target, &about, &y, err, sizeof err) < 0);
	assert_non_null(strstr(err, "cannot listen"));
	assert_null(y);
	p->close(x, 0);
	assert_int_equal(p->open(target, &about, &x, err, sizeof err), 0);
	p->close(x, 0);
}

static void addresses_that_are_none(void **state)
{
	(void)state;
	static const char *const bad[] = {"127.0.0.1:port", "127.0.0.1:", "no such host:1"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		void *x = NULL;
		assert_true(exporter_find("prometheus")->open(bad[i], &about, &x, err, sizeof err) < 0);
		assert_true(err[0] != '\0');
		assert_null(x);
	}
}

TEST_MAIN(cmocka_unit_test(scraped), cmocka_unit_test(addresses_that_are_none))
