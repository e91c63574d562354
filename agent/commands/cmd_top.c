/*
 * `gapscope top`: the daemon's services, or one session's report, on a terminal as they change. Where standard output is no terminal, one
 * look is printed. One libuv loop; main thread.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "commands/commands.h"
#include "commands/top_screen.h"
#include "commands/top_source.h"
#include "report/render_util.h"
#include "serve/rules.h"

#define DAEMON_DEFAULT "127.0.0.1:9465"
#define COLUMNS_PLAIN 120U /* of a look that goes into a file or pipe */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

struct arguments {
	const char *token_file;
	uint32_t interval_s;
};

static const struct flag flags[] = {
	{.name = "token-file",
	 .kind = FLAG_TEXT,
	 .offset = offsetof(struct arguments, token_file),
	 .arg = "FILE",
	 .doc = "the daemon's token, as its configuration names it"},
	{.name = "interval",
	 .kind = FLAG_COUNT,
	 .offset = offsetof(struct arguments, interval_s),
	 .arg = "S",
	 .doc = "look every S seconds; default 2",
	 .min = 1,
	 .max = 3600},
	{0},
};

struct top {
	struct top_source *source;
	const char *where;
	json_t *services, *before, *report;
	size_t chosen;
	uint64_t looked_ms;
	double seconds;
	char trouble[512];
	uv_loop_t loop;
	uv_tty_t keys, screen;
	uv_timer_t timer;
	uv_signal_t resized, interrupt, terminate, hangup;
	char input[64];
};

/* Ask again. What was known stays when there is no answer. */
static int look(struct top *t)
{
	json_t *services = NULL, *report = NULL;
	int e = top_source_services(t->source, &services, t->trouble, sizeof(t->trouble));

	if (e < 0)
		return e;

	const uint64_t now_ms = uv_hrtime() / 1000000;
	const size_t n = json_array_size(services);

	json_decref(t->before);
	t->before = t->services;
	t->services = services;
	t->seconds = (double)(now_ms - t->looked_ms) / 1e3;
	t->looked_ms = now_ms;
	t->chosen = t->chosen < n ? t->chosen : n ? n - 1 : 0;
	if (n)
		e = top_source_report(t->source, json_text(json_array_get(services, t->chosen), "name"), &report, t->trouble,
				      sizeof(t->trouble));
	json_decref(t->report);
	t->report = report;
	if (e == 0)
		t->trouble[0] = '\0';
	return e;
}

static struct top_screen screen_of(const struct top *t)
{
	return (struct top_screen){
		.where = t->where,
		.trouble = *t->trouble ? t->trouble : NULL,
		.services = t->services,
		.before = t->before,
		.seconds = t->seconds,
		.report = t->report,
		.chosen = t->chosen,
		.columns = COLUMNS_PLAIN,
	};
}

/* The whole screen in one write, so that it does not flicker. */
static void draw(struct top *t)
{
	struct top_screen s = screen_of(t);
	int columns = 80, rows = 24;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	uv_tty_get_winsize(&t->screen, &columns, &rows);
	s.columns = columns > 0 ? (unsigned int)columns : 80;
	s.rows = rows > 2 ? (unsigned int)rows : 24;
	s.colour = !getenv("NO_COLOR");
	s.keys = true;
	fputs("\033[H", out);
	top_screen_write(&s, out);
	fputs("\033[J", out);
	if (fclose(out) == 0) {
		fwrite(text, 1, len, stdout);
		fflush(stdout);
	}
	free(text);
}

static void on_timer(uv_timer_t *timer)
{
	struct top *t = timer->data;

	look(t);
	draw(t);
}

static void on_resize(uv_signal_t *s, int signal)
{
	(void)signal;
	draw(s->data);
}

static void on_end(uv_signal_t *s, int signal)
{
	(void)signal;
	uv_stop(&((struct top *)s->data)->loop);
}

static void move_to(struct top *t, int by)
{
	const size_t n = json_array_size(t->services);

	if (by < 0 ? t->chosen == 0 : t->chosen + 1 >= n)
		return;
	t->chosen = by < 0 ? t->chosen - 1 : t->chosen + 1;
	json_decref(t->report);
	t->report = NULL;
	top_source_report(t->source, json_text(json_array_get(t->services, t->chosen), "name"), &t->report, t->trouble,
			  sizeof(t->trouble));
	draw(t);
}

/* The terminal is raw: Ctrl-C comes as a byte. Arrows come as escapes that end in A and B. */
static void on_key(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct top *t = stream->data;

	if (n < 0)
		uv_stop(&t->loop);
	for (ssize_t i = 0; i < n; i++) {
		const char key = buf->base[i];

		if (key == 'q' || key == 'Q' || key == 3)
			uv_stop(&t->loop);
		else if (key == 'k' || (key == 'A' && i >= 2 && buf->base[i - 2] == '\033'))
			move_to(t, -1);
		else if (key == 'j' || (key == 'B' && i >= 2 && buf->base[i - 2] == '\033'))
			move_to(t, 1);
	}
}

static void on_buffer(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct top *t = h->data;

	(void)size;
	*buf = uv_buf_init(t->input, sizeof(t->input));
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void watch_signal(struct top *t, uv_signal_t *s, uv_signal_cb fn, int signal)
{
	uv_signal_init(&t->loop, s);
	s->data = t;
	uv_signal_start(s, fn, signal);
}

/* Until a key or a signal ends it; the terminal is then as it was. */
static void live(struct top *t, uint32_t interval_s)
{
	uv_loop_init(&t->loop);
	uv_timer_init(&t->loop, &t->timer);
	t->timer.data = t;
	uv_tty_init(&t->loop, &t->screen, STDOUT_FILENO, 0);
	if (isatty(STDIN_FILENO) && uv_tty_init(&t->loop, &t->keys, STDIN_FILENO, 1) == 0) {
		t->keys.data = t;
		uv_tty_set_mode(&t->keys, UV_TTY_MODE_RAW);
		uv_read_start((uv_stream_t *)&t->keys, on_buffer, on_key);
	}
	watch_signal(t, &t->resized, on_resize, SIGWINCH);
	watch_signal(t, &t->interrupt, on_end, SIGINT);
	watch_signal(t, &t->terminate, on_end, SIGTERM);
	watch_signal(t, &t->hangup, on_end, SIGHUP);
	fputs(ENTER, stdout);
	draw(t);
	uv_timer_start(&t->timer, on_timer, interval_s * 1000ULL, interval_s * 1000ULL);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	uv_tty_reset_mode();
	fputs(LEAVE, stdout);
	fflush(stdout);
	uv_walk(&t->loop, close_handle, NULL);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	uv_loop_close(&t->loop);
}

static int cmd_top(int argc, char **argv)
{
	struct arguments args = {.interval_s = 2};
	char err[512], token[256];
	int status = EXIT_USAGE;

	flags_first(flags, argc, argv);

	const int operand = flags_parse(flags, argc, argv, &args, err, sizeof(err));
	struct top *t = calloc(1, sizeof(*t));

	if (!t) {
		complain("out of memory");
		return EXIT_USAGE;
	}
	t->where = operand >= 0 && operand < argc ? argv[operand] : DAEMON_DEFAULT;
	if (operand < 0) {
		complain("top: %s", err);
	} else if (operand + 1 < argc) {
		complain("top: give one daemon's address or one report");
	} else if ((args.token_file && rules_token(args.token_file, token, sizeof(token), err, sizeof(err)) < 0) ||
		   top_source_open(t->where, args.token_file ? token : NULL, &t->source, err, sizeof(err)) < 0) {
		complain("top: %s", err);
	} else if (look(t) < 0) {
		complain("top: %s", t->trouble);
	} else {
		status = 0;
		if (isatty(STDOUT_FILENO)) {
			live(t, args.interval_s);
		} else {
			const struct top_screen s = screen_of(t);

			top_screen_write(&s, stdout);
		}
	}
	top_source_close(t->source);
	json_decref(t->services);
	json_decref(t->before);
	json_decref(t->report);
	free(t);
	return status;
}

const struct command cmd_top_entry = {
	.name = "top",
	.usage = "[options] [ADDRESS | REPORT]",
	.doc = "services, findings and rates on the terminal, as they change",
	.text = "Shows what the daemon at ADDRESS knows (ADDRESS:PORT, unix:PATH or a URL; default 127.0.0.1:9465), or what a "
		"session writes "
		"with `--report REPORT --report-every 1`: services with score, findings and rates, and of the chosen one its "
		"findings, "
		"requests over time, and what watching costs. Up and down (or k and j) choose, q quits. Where standard output is "
		"no "
		"terminal, one look is printed.",
	.flags = flags,
	.run = cmd_top,
};
