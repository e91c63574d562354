/*
 * A daemon by libcurl, or a file (top_source.h). A file's report is put onto a board of one service, so that both give the same summaries.
 */
#include "commands/top_source.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/render_util.h"
#include "report/report.h"
#include "report/text.h"
#include "serve/board.h"

#define ANSWER_MAX (64U << 20)
#define ANSWER_S 5L

struct top_source {
	const char *file; /* or NULL: the daemon at `base` */
	char base[256];
	struct board *board; /* of a file */
	CURL *curl;
	struct curl_slist *headers;
	char *answer;
	size_t len;
};

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct top_source *s = ctx;
	const size_t more = size * n;
	char *answer = more > ANSWER_MAX - s->len ? NULL : realloc(s->answer, s->len + more + 1);

	if (!answer)
		return 0;
	memcpy(answer + s->len, data, more);
	s->answer = answer;
	s->len += more;
	return more;
}

static bool connect_to(struct top_source *s, const char *where, const char *token)
{
	char header[300];
	const bool local = strncmp(where, "unix:", 5) == 0,
		   url = strncmp(where, "http://", 7) == 0 || strncmp(where, "https://", 8) == 0;

	snprintf(s->base, sizeof(s->base), "%s%s", local ? "http://localhost" : url ? "" : "http://", local ? "" : where);
	s->base[strcspn(s->base, "\r\n ")] = '\0';
	if (strlen(s->base) && s->base[strlen(s->base) - 1] == '/')
		s->base[strlen(s->base) - 1] = '\0';
	s->curl = curl_easy_init();
	if (!s->curl)
		return false;
	if (local)
		curl_easy_setopt(s->curl, CURLOPT_UNIX_SOCKET_PATH, where + 5);
	if (token) {
		snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
		s->headers = curl_slist_append(NULL, header);
		curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->headers);
	}
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT, ANSWER_S);
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	return !token || s->headers;
}

int top_source_open(const char *where, const char *token, struct top_source **ret, char *err, size_t err_size)
{
	struct top_source *s = calloc(1, sizeof(*s));
	struct stat st;

	if (!s)
		goto no_memory;
	if (stat(where, &st) == 0) {
		s->file = where;
		s->board = calloc(1, sizeof(*s->board));
		if (!s->board)
			goto no_memory;
	} else if (strchr(where, '/') && strncmp(where, "unix:", 5) != 0 && !strstr(where, "://")) {
		snprintf(err, err_size, "%s: %s", where, strerror(ENOENT));
		top_source_close(s);
		return -ENOENT;
	} else if (!connect_to(s, where, token)) {
		goto no_memory;
	}
	*ret = s;
	return 0;
no_memory:
	top_source_close(s);
	snprintf(err, err_size, "out of memory");
	return -ENOMEM;
}

void top_source_close(struct top_source *s)
{
	if (!s)
		return;
	if (s->board)
		board_done(s->board);
	free(s->board);
	if (s->curl)
		curl_easy_cleanup(s->curl);
	curl_slist_free_all(s->headers);
	free(s->answer);
	free(s);
}

/* GET a path; its JSON, cleaned. */
static int ask(struct top_source *s, const char *path, json_t **ret, char *err, size_t err_size)
{
	char url[1024], trouble[CURL_ERROR_SIZE] = "";
	long status = 0;

	snprintf(url, sizeof(url), "%s%s", s->base, path);
	s->len = 0;
	curl_easy_setopt(s->curl, CURLOPT_URL, url);
	curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, trouble);

	const CURLcode code = curl_easy_perform(s->curl);

	curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK) {
		snprintf(err, err_size, "%s: %s", s->base, *trouble ? trouble : curl_easy_strerror(code));
		return -EIO;
	}
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);

	json_t *answer = json_loadb(s->answer ? s->answer : "", s->len, 0, NULL);
	json_t *clean = answer ? text_clean_tree(answer) : NULL;

	json_decref(answer);
	if (status == 200 && clean) {
		*ret = clean;
		return 0;
	}
	snprintf(err, err_size, "%s: %s (status %ld)", s->base,
		 status == 401                ? "a token is needed: give --token-file FILE"
		 : *json_text(clean, "error") ? json_text(clean, "error")
					      : "no answer of a gapscope daemon",
		 status);
	json_decref(clean);
	return -EPROTO;
}

static int read_file(struct top_source *s, char *err, size_t err_size)
{
	json_t *report = NULL;
	const int e = report_load(s->file, &report, err, err_size);

	if (e < 0)
		return e;
	if (s->board->n == 0)
		board_add(s->board, json_text(json_object_get(report, "service"), "name"), "standard", s->file);
	board_update(s->board, &s->board->service[0], BOARD_WATCHING, report, 0);
	return 0;
}

int top_source_services(struct top_source *s, json_t **ret, char *err, size_t err_size)
{
	json_t *answer = NULL;
	int e;

	if (s->file) {
		e = read_file(s, err, err_size);
		if (e == 0)
			*ret = json_pack("[o]", board_summary(s->board, &s->board->service[0]));
		return e;
	}
	e = ask(s, "/api/v1/services", &answer, err, err_size);
	if (e == 0)
		*ret = json_incref(json_object_get(answer, "services"));
	json_decref(answer);
	return e;
}

int top_source_report(struct top_source *s, const char *service, json_t **ret, char *err, size_t err_size)
{
	char path[768];
	json_t *answer = NULL;

	if (s->file) {
		*ret = json_incref(s->board->service[0].report);
		return 0;
	}
	char *name = curl_easy_escape(s->curl, service, 0);
	snprintf(path, sizeof(path), "/api/v1/services/%s", name ? name : "");
	curl_free(name);

	const int e = ask(s, path, &answer, err, err_size);

	if (e == 0) {
		json_t *report = json_object_get(answer, "report");

		*ret = json_is_object(report) ? json_incref(report) : NULL;
	}
	json_decref(answer);
	return e;
}
