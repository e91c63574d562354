/*
 * Sessions that ended (history.h).
 */
#include "serve/history.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/render_util.h"
#include "report/report.h"
#include "report/score.h"

#define BUSY_MS 2000

static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
	"CREATE TABLE IF NOT EXISTS session(id INTEGER PRIMARY KEY, service TEXT NOT NULL, start TEXT, end TEXT, score REAL,"
	" findings INTEGER, critical INTEGER, error INTEGER, warning INTEGER, requests INTEGER);"
	"CREATE INDEX IF NOT EXISTS session_service ON session(service, id);";

struct history {
	sqlite3 *db;
	sqlite3_stmt *insert, *trim, *list;
};

/* quick_check says "ok", or what is wrong. */
static int is_sound(void *ctx, int n, char **values, char **names)
{
	(void)ctx;
	(void)names;
	return n == 1 && values[0] && strcmp(values[0], "ok") == 0 ? 0 : 1;
}

static int open_file(struct history *h, const char *path)
{
	int r = sqlite3_open_v2(path, &h->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	if (r == SQLITE_OK) {
		sqlite3_busy_timeout(h->db, BUSY_MS);
		r = sqlite3_exec(h->db, schema, NULL, NULL, NULL);
	}
	if (r == SQLITE_OK)
		r = sqlite3_exec(h->db, "PRAGMA quick_check(1)", is_sound, NULL, NULL);
	if (r == SQLITE_ABORT) /* is_sound says that it is not */
		r = SQLITE_CORRUPT;
	if (r == SQLITE_OK)
		r = sqlite3_prepare_v2(h->db, "INSERT INTO session VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", -1, &h->insert, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_prepare_v2(h->db, "DELETE FROM session WHERE id <= (SELECT max(id) FROM session) - ?", -1, &h->trim,
				       NULL);
	if (r == SQLITE_OK)
		r = sqlite3_prepare_v2(
			h->db,
			"SELECT service, start, end, score, findings, critical, error, warning, requests FROM session"
			" WHERE ?1 IS NULL OR service = ?1 ORDER BY id DESC LIMIT ?2",
			-1, &h->list, NULL);
	return r;
}

static void close_file(struct history *h)
{
	sqlite3_finalize(h->insert);
	sqlite3_finalize(h->trim);
	sqlite3_finalize(h->list);
	sqlite3_close(h->db);
	*h = (struct history){0};
}

/* Out of the way, with its log: for who wants to mend it. What was there before under that name is gone. */
static bool set_aside(const char *path)
{
	static const char *const parts[] = {"", "-wal", "-shm"};
	char from[PATH_MAX], to[PATH_MAX];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if ((size_t)snprintf(from, sizeof(from), "%s%s", path, parts[i]) >= sizeof(from) ||
		    (size_t)snprintf(to, sizeof(to), "%s" HISTORY_DAMAGED "%s", path, parts[i]) >= sizeof(to))
			return false;
		if (rename(from, to) != 0 && (i == 0 || errno != ENOENT))
			return false;
	}
	return true;
}

int history_open(const char *path, struct history **ret, char *err, size_t err_size)
{
	struct history *h = calloc(1, sizeof(*h));

	*err = '\0';
	if (!h) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	int r = open_file(h, path);
	/* A file that is damaged (a disk's, or a crash's doing) must not keep services unwatched. One that was never ours is somebody's. */
	if (r == SQLITE_CORRUPT) {
		close_file(h);
		if (set_aside(path)) {
			snprintf(err, err_size, "%s is damaged: it is kept as %s" HISTORY_DAMAGED ", and the history begins anew",
				 path, path);
			r = open_file(h, path);
		}
	}
	if (r == SQLITE_OK) {
		*ret = h;
		return 0;
	}
	snprintf(err, err_size, "%s: cannot keep a history there: %s", path, h->db ? sqlite3_errmsg(h->db) : sqlite3_errstr(r));
	history_close(h);
	return -EIO;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	close_file(h);
	free(h);
}

static int step(sqlite3_stmt *s)
{
	const int r = sqlite3_step(s);

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r == SQLITE_DONE ? 0 : r == SQLITE_FULL ? -ENOSPC : -EIO;
}

int history_add(struct history *h, const char *service, const char *tier, const json_t *report)
{
	static const char *const severities[] = {"critical", "error", "warning"};
	const json_t *about = json_object_get(report, "service");
	json_t *score = score_of(report, tier);
	const json_t *whole = json_object_get(score, "score");
	int at = 1;

	sqlite3_bind_text(h->insert, at++, service, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(h->insert, at++, json_text(about, "start"), -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(h->insert, at++, json_text(about, "end"), -1, SQLITE_TRANSIENT);
	if (json_is_number(whole))
		sqlite3_bind_double(h->insert, at, json_number_value(whole));
	at++;
	sqlite3_bind_int64(h->insert, at++, (sqlite3_int64)json_array_size(json_object_get(report, "findings")));
	for (size_t i = 0; i < sizeof(severities) / sizeof(*severities); i++)
		sqlite3_bind_int64(h->insert, at++, (sqlite3_int64)report_count(report, severities[i]));
	sqlite3_bind_int64(h->insert, at, report_requests(report));
	json_decref(score);

	const int e = step(h->insert);

	if (e < 0)
		return e;
	sqlite3_bind_int64(h->trim, 1, HISTORY_SESSIONS_MAX);
	return step(h->trim);
}

static json_t *column_text(sqlite3_stmt *s, int i)
{
	const unsigned char *text = sqlite3_column_text(s, i);

	return json_string(text ? (const char *)text : "");
}

json_t *history_list(struct history *h, const char *service)
{
	static const char *const texts[] = {"service", "start", "end"};
	static const char *const numbers[] = {"findings", "critical", "error", "warning", "requests"};
	json_t *list = json_array();

	if (service)
		sqlite3_bind_text(h->list, 1, service, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(h->list, 2, HISTORY_LISTED_MAX);
	int r;

	while ((r = sqlite3_step(h->list)) == SQLITE_ROW) {
		json_t *o = json_object();

		for (int i = 0; i < 3; i++)
			json_object_set_new(o, texts[i], column_text(h->list, i));
		json_object_set_new(o, "score",
				    sqlite3_column_type(h->list, 3) == SQLITE_NULL ? json_null()
										   : json_real(sqlite3_column_double(h->list, 3)));
		for (int i = 0; i < 5; i++)
			json_object_set_new(o, numbers[i], json_integer(sqlite3_column_int64(h->list, 4 + i)));
		json_array_append_new(list, o);
	}
	sqlite3_reset(h->list);
	sqlite3_clear_bindings(h->list);
	if (r != SQLITE_DONE) {
		json_decref(list);
		return NULL;
	}
	return list;
}
