/*
 * See gate_stage.h.
 */
#include "commands/gate_stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/gate_progress.h"
#include "commands/session_process.h"
#include "gate/verdict.h"
#include "report/report.h"

#define LOOK_MS 250U    /* how often requests are counted */
#define GRACE_MS 10000U /* for a session to end when told */
#define PROOF_S 3600U   /* longest stage of a service that runs, where the proof says when it is over */
#define SPARE_S 60U     /* an attached session ends by itself so long after its stage, should we be killed */
#define WORDS_FIXED 18U /* of a session's command line, beside the program's own */

struct stage {
	const struct gate_stage_options *o;
	struct gate_stage_result *result;
	char folder[PATH_MAX / 2]; /* of the sessions' reports */
	uv_loop_t loop;
	uv_timer_t look, end, grace;
	uv_signal_t interrupt, terminate;
	struct session_process service, stable;
	bool launched; /* the program is ours */
	uint64_t start_ms;
};

size_t gate_target_words(char *target, char *flag, size_t flag_size, char *words[2])
{
	static const char *const kinds[] = {"name", "port", "cgroup", "unit", "label"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const size_t len = strlen(kinds[i]);

		if (strncmp(target, kinds[i], len) != 0 || target[len] != ':')
			continue;
		snprintf(flag, flag_size, "--%s", kinds[i]);
		words[0] = flag;
		words[1] = target + len + 1;
		return 2;
	}
	words[0] = target;
	return *target && target[strspn(target, "0123456789")] == '\0' ? 1 : 0;
}

/* gapscope attach|run --quiet --with-parent --report FILE --report-every 1 [--config FILE] [--alloc] [--duration S] TARGET | -- CMD… */
static int start(struct stage *g, struct session_process *s, char *target, char **command, char *err, size_t err_size)
{
	static char prove[] = "--prove", attach[] = "attach", run[] = "run", name[] = "gapscope", quiet[] = "--quiet",
		    report[] = "--report", every[] = "--report-every", one[] = "1", with_parent[] = "--with-parent",
		    config[] = "--config", alloc[] = "--alloc", duration[] = "--duration", end[] = "--";
	char seconds[16], flag[16], *target_word[2];
	size_t n = 0, extra = 0;

	while (command && command[extra])
		extra++;
	char **words = calloc(WORDS_FIXED + extra + 1, sizeof(*words));
	char *config_path = g->o->config ? strdup(g->o->config) : NULL;
	char *proof = g->o->prove && s == &g->service ? strdup(g->o->prove) : NULL;
	if (!words || (g->o->config && !config_path) || (g->o->prove && s == &g->service && !proof)) {
		free(words);
		free(config_path);
		free(proof);
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	words[n++] = name;
	words[n++] = command ? run : attach;
	words[n++] = quiet;
	words[n++] = with_parent;
	words[n++] = report;
	words[n++] = s->report;
	words[n++] = every;
	words[n++] = one;
	if (config_path) {
		words[n++] = config;
		words[n++] = config_path;
	}
	if (g->o->alloc)
		words[n++] = alloc;
	if (proof) {
		words[n++] = prove;
		words[n++] = proof;
	}
	if (command) {
		words[n++] = end;
		memcpy(words + n, command, extra * sizeof(*command));
	} else {
		snprintf(seconds, sizeof(seconds), "%u",
			 (g->o->duration_ms ? (g->o->duration_ms + 999) / 1000 : PROOF_S) + SPARE_S);
		words[n++] = duration;
		words[n++] = seconds;
		for (size_t i = 0, of = gate_target_words(target, flag, sizeof(flag), target_word); i < of; i++)
			words[n++] = target_word[i];
	}
	s->user = g;

	const int e = session_process_start(s, &g->loop, words, command != NULL, err, err_size);

	free(words);
	free(config_path);
	free(proof);
	return e;
}

static bool over(const struct session_process *s)
{
	return !s->started || s->exited;
}

static void stop_all(struct stage *g)
{
	session_process_stop(&g->service);
	session_process_stop(&g->stable);
}

static void on_grace(uv_timer_t *t)
{
	struct stage *g = t->data;

	session_process_kill(&g->service);
	session_process_kill(&g->stable);
}

static void end_stage(struct stage *g)
{
	stop_all(g);
	uv_timer_start(&g->grace, on_grace, GRACE_MS, 0);
}

static void on_end(uv_timer_t *t)
{
	end_stage(t->data);
}

static void on_signal(uv_signal_t *s, int signal)
{
	(void)signal;
	end_stage(s->data);
}

static void on_session_exit(struct session_process *s)
{
	struct stage *g = s->user;

	if (!s->asked && s == &g->service && s->status != 0 && g->launched)
		snprintf(g->result->ended, sizeof(g->result->ended), "the service ended by itself with status %d", s->status);
	else if (!s->asked && !g->launched && s->status == 0)
		snprintf(g->result->ended, sizeof(g->result->ended), "the %s ended before its stage did",
			 s == &g->service ? "service" : "stable version");
	else if (!s->asked && s->status != 0)
		snprintf(s == &g->service ? g->result->unwatched : g->result->stable_unwatched, sizeof(g->result->unwatched),
			 "its session ended with status %d before the stage did", s->status);
	if (over(&g->service) || !s->asked)
		stop_all(g);
	if (over(&g->service) && over(&g->stable))
		uv_stop(&g->loop);
}

const char *gate_today(char buf[16])
{
	const time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(buf, 16, "%Y-%m-%d", &tm);
	return buf;
}

/* How far the stage is: on a terminal, for --requests, and for a proof. */
static void on_look(uv_timer_t *t)
{
	struct stage *g = t->data;
	char today[16];
	json_t *report = session_process_report(&g->service);
	json_t *stable = g->o->stable ? session_process_report(&g->stable) : NULL;
	const bool proven = json_is_true(json_object_get(json_object_get(report, "proof"), "finished"));
	/* The stage as it would be judged now. */
	const struct gate_input in = {
		.policy = g->o->policy,
		.report = report,
		.baseline = g->o->stable ? stable : g->o->baseline,
		.today = gate_today(today),
		.prove = g->o->prove != NULL,
		.ended = *g->result->ended ? g->result->ended : NULL,
		.unwatched = *g->result->unwatched ? g->result->unwatched : NULL,
		.baseline_unwatched = *g->result->stable_unwatched ? g->result->stable_unwatched : NULL,
	};

	if (!g->o->quiet)
		gate_progress(stderr, &in, (unsigned int)((uv_now(&g->loop) - g->start_ms) / 1000), g->o->duration_ms / 1000);
	if ((g->o->requests && report_requests(report) >= (json_int_t)g->o->requests) ||
	    (g->o->prove && !g->o->duration_ms && proven))
		end_stage(g);
	json_decref(report);
	json_decref(stable);
}

static void watch_stage(struct stage *g)
{
	g->start_ms = uv_now(&g->loop);
	uv_timer_start(&g->look, on_look, LOOK_MS, LOOK_MS);
	if (g->o->duration_ms)
		uv_timer_start(&g->end, on_end, g->o->duration_ms, 0);
	uv_signal_start(&g->interrupt, on_signal, SIGINT);
	uv_signal_start(&g->terminate, on_signal, SIGTERM);
	if (!over(&g->service))
		uv_run(&g->loop, UV_RUN_DEFAULT);
	if (!g->o->quiet)
		gate_progress_end(stderr);
}

static void loop_open(struct stage *g)
{
	uv_loop_init(&g->loop);
	uv_timer_init(&g->loop, &g->look);
	uv_timer_init(&g->loop, &g->end);
	uv_timer_init(&g->loop, &g->grace);
	uv_signal_init(&g->loop, &g->interrupt);
	uv_signal_init(&g->loop, &g->terminate);
	g->look.data = g->end.data = g->grace.data = g->interrupt.data = g->terminate.data = g;
}

static void loop_close(struct stage *g)
{
	uv_close((uv_handle_t *)&g->look, NULL);
	uv_close((uv_handle_t *)&g->end, NULL);
	uv_close((uv_handle_t *)&g->grace, NULL);
	uv_close((uv_handle_t *)&g->interrupt, NULL);
	uv_close((uv_handle_t *)&g->terminate, NULL);
	uv_run(&g->loop, UV_RUN_DEFAULT);
	uv_loop_close(&g->loop);
}

/* Both sessions, until the stage is over; their reports are read. 0, or -errno with a line in err ("" if a session told it). */
static int live(struct stage *g, char *target, char **command, char *err, size_t err_size)
{
	int e;

	if ((e = session_folder("gate", g->folder, sizeof(g->folder), err, err_size)) < 0)
		return e;
	snprintf(g->service.report, sizeof(g->service.report), "%s/service.json", g->folder);
	snprintf(g->stable.report, sizeof(g->stable.report), "%s/stable.json", g->folder);
	g->service.on_exit = g->stable.on_exit = on_session_exit;
	if (g->o->stable && (e = start(g, &g->stable, (char *)(uintptr_t)g->o->stable, NULL, err, err_size)) < 0)
		return e;
	if ((e = start(g, &g->service, target, command, err, err_size)) < 0) {
		session_process_kill(&g->stable);
		return e;
	}
	watch_stage(g);
	g->result->report = session_process_report(&g->service);
	if (g->o->stable)
		g->result->baseline = session_process_report(&g->stable);
	if (!g->result->report || (g->o->stable && !g->result->baseline)) {
		*err = '\0';
		return -EIO;
	}
	return 0;
}

int gate_stage_run(const struct gate_stage_options *o, char *target, char **command, struct gate_stage_result *ret, char *err,
		   size_t err_size)
{
	struct stage *g = calloc(1, sizeof(*g));
	int e;

	if (!g) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	*ret = (struct gate_stage_result){0};
	g->o = o;
	g->result = ret;
	g->launched = command != NULL;
	loop_open(g);
	e = live(g, target, command, err, err_size);
	loop_close(g);
	unlink(g->service.report);
	unlink(g->stable.report);
	if (*g->folder)
		rmdir(g->folder);
	free(g);
	return e;
}
