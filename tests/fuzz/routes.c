/* Whatever a client may ask of the daemon: "METHOD PATH\nSERVICE\nBODY". Each route answers it with what HTTP and JSON allow, and keeps nothing. */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "serve/board.h"
#include "serve/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *service;

static const char *query(const struct route_request *q, const char *key)
{
	(void)q;
	return strcmp(key, "service") == 0 || strcmp(key, "rule") == 0 ? service : NULL;
}

static struct board *board(void)
{
	static struct board b;

	if (b.n == 0) {
		policy_defaults(&b.policy);
		board_update(&b, board_add(&b, "shop", "standard", "port 80"), BOARD_WATCHING,
			     report_new(json_pack("{s:s, s:i, s:i}", "name", "shop", "client_requests", 4, "server_requests", 5)),
			     1);
		board_add(&b, "job", "internal", "name jobd");
	}
	return &b;
}

/* The text up to a line's end, as a string of its own; *at goes behind it. */
static char *line(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *stop = memchr(*at, '\n', (size_t)(end - *at));
	char *text = strndup((const char *)*at, (size_t)((stop ? stop : end) - *at));

	*at = stop ? stop + 1 : end;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data, *end = data + size;
	char *request = line(&at, end), *chosen = line(&at, end);
	char *path = strchr(request, ' ');
	bool known = false;
	struct route_request q = {
		.board = board(), .query = query, .body = (const char *)at, .body_len = (size_t)(end - at), .today = "2026-11-21"};
	struct route_answer a = {0};

	service = *chosen ? chosen : NULL;
	if (path)
		*path++ = '\0';

	const struct route *r = path ? route_find(request, path, &q.rest, &known) : NULL;

	if (r) {
		r->answer(&q, &a);
		if (a.status < 200 || a.status > 599 || !a.type || !a.text || (a.made && a.made != a.text))
			abort();
		if (strcmp(a.type, "application/json") == 0) {
			json_t *o = json_loadb(a.text, a.len ? a.len : strlen(a.text), 0, NULL);

			if (!o)
				abort();
			json_decref(o);
		}
		if (q.board->n != 2)
			abort();
	}
	free(a.made);
	free(request);
	free(chosen);
	return 0;
}
