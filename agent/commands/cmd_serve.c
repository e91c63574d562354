/*
 * `gapscope serve`: the daemon. Watches services by rules, each in a session of its own process (session_process.h), and answers over
 * HTTP (agent/serve). One libuv loop; main thread.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "attach/find.h"
#include "commands/commands.h"
#include "commands/session_process.h"
#include "serve/history.h"
#include "serve/http.h"
#include "serve/rules.h"

#define LOOK_MS 1000U    /* for services that came, and reports that changed */
#define RETRY_LEAST_S 5U /* after a session that could not start; doubled up to … */
#define RETRY_MOST_S 300U
#define GRACE_MS 10000U /* for sessions to end when the daemon does */
#define REPORT_EVERY "2"

struct arguments {
	const char *config;
};

static const struct flag flags[] = {
	{.name = "config",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, config),
	 .arg = "FILE",
	 .doc = "what to watch and where to listen, as YAML (needed)"},
	{0},
};

struct daemon;

/* One watch rule with its session, if there is one. */
struct watched {
	struct daemon *daemon;
	const struct watch_rule *rule;
	struct board_service *on_board;
	struct session_process session;
	time_t report_s; /* when the report that we have was written */
	long report_ns;
	uint64_t retry_at_s, retry_s;
};

struct daemon {
	struct serve_rules rules;
	struct board board;
	struct history *history;
	struct http *http;
	char token[256], folder[PATH_MAX / 2];
	uv_loop_t loop;
	uv_poll_t http_ready;
	uv_timer_t http_wait, look, grace, watchdog;
	uv_signal_t interrupt, terminate;
	struct watched watched[BOARD_SERVICES_MAX];
	bool ending;
};

/* What happens, one line each on standard error; systemd's journal reads the level in front. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "%sgapscope: %s\n", getenv("JOURNAL_STREAM") ? SD_NOTICE : "", line);
}

/* -- sessions -- */

static bool running(const struct watched *w)
{
	return w->session.started && !w->session.exited;
}

static bool is_there(const struct watch_rule *r)
{
	struct find_query q = {0};
	struct find_result found;
	char err[256];

	if (strcmp(r->kind, "name") == 0)
		q.name = r->value;
	else if (strcmp(r->kind, "unit") == 0)
		q.unit = r->value;
	else if (strcmp(r->kind, "cgroup") == 0)
		q.cgroup = r->value;
	else if (strcmp(r->kind, "label") == 0)
		q.label = r->value;
	else
		q.port = (uint32_t)strtoul(r->value, NULL, 10);
	return find_target(&q, &found, err, sizeof(err)) == 0 && found.n > 0;
}

/* A report that is newer than the one that we have. */
static json_t *newer_report(struct watched *w)
{
	struct stat st;

	if (stat(w->session.report, &st) < 0 || (st.st_mtim.tv_sec == w->report_s && st.st_mtim.tv_nsec == w->report_ns))
		return NULL;
	w->report_s = st.st_mtim.tv_sec;
	w->report_ns = st.st_mtim.tv_nsec;
	return session_process_report(&w->session);
}

static void on_session_exit(struct session_process *s)
{
	struct watched *w = s->user;
	struct daemon *d = w->daemon;
	const uint64_t now = (uint64_t)time(NULL);
	json_t *report = newer_report(w);

	/* One that ended while it was being entered was not refused. */
	if (s->status == 0 || !is_there(w->rule)) {
		board_update(&d->board, w->on_board, BOARD_ENDED, report, now);
		w->retry_s = 0;
		const int e = d->history && w->on_board->report
				      ? history_add(d->history, w->rule->service, w->on_board->tier, w->on_board->report)
				      : 0;
		if (e < 0)
			say("%s: a session of %s could not be kept: %s", d->rules.history, w->rule->service, strerror(-e));
	} else {
		json_decref(report);
		w->retry_s = w->retry_s ? w->retry_s * 2 : RETRY_LEAST_S;
		w->retry_s = w->retry_s < RETRY_MOST_S ? w->retry_s : RETRY_MOST_S;
		snprintf(w->on_board->why, sizeof(w->on_board->why),
			 "the session ended with status %d; its reason is in the daemon's log; next try in %u s", s->status,
			 (unsigned int)w->retry_s);
		board_update(&d->board, w->on_board, BOARD_REFUSED, NULL, now);
	}
	w->retry_at_s = now + w->retry_s;
	say("%s: session ended with status %d", w->rule->service, s->status);
	unlink(s->report);
	if (d->ending) {
		for (size_t i = 0; i < d->rules.watch_n; i++)
			if (running(&d->watched[i]))
				return;
		uv_stop(&d->loop);
	}
}

/* gapscope attach --quiet --with-parent --service NAME --report FILE --report-every N [--config FILE] --KIND VALUE */
static void start(struct watched *w)
{
	static char name[] = "gapscope", attach[] = "attach", quiet[] = "--quiet", with_parent[] = "--with-parent",
		    service[] = "--service", report[] = "--report", every[] = "--report-every", interval[] = REPORT_EVERY,
		    config[] = "--config";
	struct daemon *d = w->daemon;
	struct watch_rule rule = *w->rule;
	char kind[16], session[RULES_PATH], err[256], *words[16];
	size_t n = 0;

	snprintf(kind, sizeof(kind), "--%s", rule.kind);
	snprintf(session, sizeof(session), "%s", d->rules.session);
	snprintf(w->session.report, sizeof(w->session.report), "%s/%zu.json", d->folder, (size_t)(w - d->watched));
	words[n++] = name;
	words[n++] = attach;
	words[n++] = quiet;
	words[n++] = with_parent;
	words[n++] = service;
	words[n++] = rule.service;
	words[n++] = report;
	words[n++] = w->session.report;
	words[n++] = every;
	words[n++] = interval;
	if (*session) {
		words[n++] = config;
		words[n++] = session;
	}
	words[n++] = kind;
	words[n++] = rule.value;
	words[n] = NULL;
	w->session.on_exit = on_session_exit;
	w->session.user = w;
	if (session_process_start(&w->session, &d->loop, words, false, err, sizeof(err)) < 0) {
		say("%s: %s", rule.service, err);
		return;
	}
	w->on_board->why[0] = '\0';
	board_update(&d->board, w->on_board, BOARD_WATCHING, NULL, (uint64_t)time(NULL));
	say("%s: watching %s %s", rule.service, rule.kind, rule.value);
}

static void on_look(uv_timer_t *t)
{
	struct daemon *d = t->data;
	const uint64_t now = (uint64_t)time(NULL);

	d->board.now_s = now;
	for (size_t i = 0; i < d->rules.watch_n && !d->ending; i++) {
		struct watched *w = &d->watched[i];

		if (running(w)) {
			json_t *report = newer_report(w);

			if (report)
				board_update(&d->board, w->on_board, BOARD_WATCHING, report, now);
		} else if (now >= w->retry_at_s && is_there(w->rule)) {
			start(w);
		}
	}
	if (d->http)
		http_run(d->http);
}

/* -- HTTP on our loop -- */

static void http_go(struct daemon *d);

static void on_http(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	http_go(p->data);
}

static void on_http_wait(uv_timer_t *t)
{
	http_go(t->data);
}

static void http_go(struct daemon *d)
{
	http_run(d->http);

	const int wait_ms = http_wait_ms(d->http);

	if (wait_ms >= 0)
		uv_timer_start(&d->http_wait, on_http_wait, wait_ms ? (uint64_t)wait_ms : 1, 0);
}

/* -- life -- */

static void on_watchdog(uv_timer_t *t)
{
	(void)t;
	sd_notify(0, "WATCHDOG=1");
}

static void on_grace(uv_timer_t *t)
{
	struct daemon *d = t->data;

	for (size_t i = 0; i < d->rules.watch_n; i++)
		session_process_kill(&d->watched[i].session);
	uv_stop(&d->loop);
}

static void on_signal(uv_signal_t *s, int signal)
{
	struct daemon *d = s->data;
	size_t left = 0;

	(void)signal;
	if (d->ending)
		return;
	d->ending = true;
	sd_notify(0, "STOPPING=1");
	for (size_t i = 0; i < d->rules.watch_n; i++) {
		left += running(&d->watched[i]);
		session_process_stop(&d->watched[i].session);
	}
	if (left == 0)
		uv_stop(&d->loop);
	else
		uv_timer_start(&d->grace, on_grace, GRACE_MS, 0);
}

static void loop_open(struct daemon *d)
{
	uv_loop_init(&d->loop);
	uv_timer_t *const timers[] = {&d->http_wait, &d->look, &d->grace, &d->watchdog};
	for (size_t i = 0; i < sizeof(timers) / sizeof(*timers); i++) {
		uv_timer_init(&d->loop, timers[i]);
		timers[i]->data = d;
	}
	uv_signal_init(&d->loop, &d->interrupt);
	uv_signal_init(&d->loop, &d->terminate);
	d->interrupt.data = d->terminate.data = d;
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void run(struct daemon *d)
{
	uint64_t watchdog_us = 0;

	uv_poll_init(&d->loop, &d->http_ready, http_fd(d->http));
	d->http_ready.data = d;
	uv_poll_start(&d->http_ready, UV_READABLE, on_http);
	uv_timer_start(&d->look, on_look, 0, LOOK_MS);
	uv_signal_start(&d->interrupt, on_signal, SIGINT);
	uv_signal_start(&d->terminate, on_signal, SIGTERM);
	if (sd_watchdog_enabled(0, &watchdog_us) > 0)
		uv_timer_start(&d->watchdog, on_watchdog, 0, watchdog_us / 2000);
	say("listening on %s%s", d->rules.listen, *d->token ? ", with a token" : "");
	if (http_port(d->http))
		say("port %u", http_port(d->http));
	sd_notify(0, "READY=1");
	uv_run(&d->loop, UV_RUN_DEFAULT);
}

/* Everything that can be wrong, before anything is watched. */
static int open_all(struct daemon *d, const char *config, char *err, size_t err_size)
{
	int e;

	if ((e = rules_load(config, &d->rules, err, err_size)) < 0)
		return e;
	policy_defaults(&d->board.policy);
	if (*d->rules.policy && (e = policy_load(d->rules.policy, &d->board.policy, err, err_size)) < 0)
		return e;
	if (*d->rules.token_file && (e = rules_token(d->rules.token_file, d->token, sizeof(d->token), err, err_size)) < 0)
		return e;
	if (*d->rules.history) {
		if ((e = history_open(d->rules.history, &d->history, err, err_size)) < 0)
			return e;
		if (*err)
			say("%s", err);
	}
	for (size_t i = 0; i < d->rules.watch_n; i++) {
		const struct watch_rule *r = &d->rules.watch[i];
		char target[BOARD_TEXT + 16];

		snprintf(target, sizeof(target), "%s %s", r->kind, r->value);
		d->watched[i] = (struct watched){.daemon = d, .rule = r};
		d->watched[i].on_board = board_add(&d->board, r->service, *r->tier ? r->tier : d->board.policy.tier, target);
		snprintf(d->watched[i].on_board->stable, sizeof(d->watched[i].on_board->stable), "%s", r->stable);
	}
	if ((e = session_folder("serve", d->folder, sizeof(d->folder), err, err_size)) < 0)
		return e;
	const struct http_options options = {
		.listen = d->rules.listen,
		.token = *d->token ? d->token : NULL,
		.board = &d->board,
		.history = d->history,
		.log = say,
	};
	return http_open(&options, &d->http, err, err_size);
}

static int cmd_serve(int argc, char **argv)
{
	struct daemon *d = calloc(1, sizeof(*d));
	struct arguments args = {0};
	char err[512];
	int status = EXIT_USAGE;

	if (!d) {
		complain("out of memory");
		return EXIT_USAGE;
	}
	const int operand = flags_parse(flags, argc, argv, &args, err, sizeof(err));
	if (operand < 0) {
		complain("serve: %s", err);
	} else if (operand != argc || !args.config) {
		complain("serve: give --config FILE, and nothing else");
	} else if (open_all(d, args.config, err, sizeof(err)) < 0) {
		complain("%s", err);
	} else {
		loop_open(d);
		run(d);
		http_close(d->http);
		uv_walk(&d->loop, close_handle, NULL);
		uv_run(&d->loop, UV_RUN_DEFAULT);
		uv_loop_close(&d->loop);
		status = 0;
	}
	if (*d->folder)
		rmdir(d->folder);
	history_close(d->history);
	board_done(&d->board);
	free(d);
	return status;
}

const struct command cmd_serve_entry = {
	.name = "serve",
	.usage = "--config FILE",
	.doc = "the daemon: watch services by rules, dashboard, metrics and gates over HTTP",
	.text = "Watches every service that a rule of the configuration finds, from when it starts until it ends, and serves a "
		"dashboard, Prometheus metrics, a JSON interface, and verdicts for Argo Rollouts and Flagger. Listens on loopback, "
		"unless "
		"a token is set or a Unix socket is named. Tells systemd when it is ready, and its watchdog that it lives.\n"
		"\n"
		"On SIGTERM the sessions end, and the services are left as they were.",
	.flags = flags,
	.run = cmd_serve,
};
