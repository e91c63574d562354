/*
 * The live loop (live.h). The rings' own state says when to look again, so an idle service wakes the agent ten times a second and a
 * busy one sixty to a thousand times; the service itself is never woken.
 */
#include "commands/live.h"

#include <uv.h>

#include "commands/eager.h"
#include "commands/handover.h"
#include "prove/prove.h"

#define LOOK_MS 250U
#define STOP_REPORT_MS 1000U /* after SIGTERM or SIGINT: a report by then, even if the service takes longer (promised: 2 s) */

struct loop {
	struct live *live;
	uv_loop_t uv;
	uv_timer_t drain, metrics, stop, report, look, end, prove;
	uv_poll_t signals, handover;
	bool stop_set, stop_said;
};

static void poll_rings(struct loop *l, bool drain)
{
	unsigned int wait_ms = 1;

	ingest_poll(l->live->ingest, drain, pipeline_event, l->live->pipeline, &wait_ms);
	outputs_turn(&l->live->pipeline->outputs);
	uv_update_time(&l->uv);
	l->drain.data = l;
	if (!drain)
		uv_timer_set_repeat(&l->drain, wait_ms ? wait_ms : 1);
}

static void on_drain(uv_timer_t *t)
{
	poll_rings(t->data, false);
	uv_timer_again(t);
}

static void on_metrics(uv_timer_t *t)
{
	struct loop *l = t->data;

	pipeline_metrics_tick(l->live->pipeline, ingest_now_ns(l->live->ingest));
}

static void on_stop(uv_timer_t *t)
{
	struct loop *l = t->data;

	poll_rings(l, false);
	if (l->live->report)
		pipeline_report(l->live->pipeline, l->live->report, "json", NULL);
}

static void on_report(uv_timer_t *t)
{
	const struct loop *l = t->data;

	pipeline_report(l->live->pipeline, l->live->report, "json", NULL);
}

static void on_look(uv_timer_t *t)
{
	struct loop *l = t->data;
	struct live_attached *a = l->live->attached;

	a->look(a->ctx);
	if (ingest_live(l->live->ingest) == 0)
		uv_stop(&l->uv);
}

static void on_prove(uv_timer_t *t)
{
	const struct loop *l = t->data;

	proving_tick(l->live->proving);
}

static void on_end(uv_timer_t *t)
{
	uv_stop(t->loop);
}

static void on_signals(uv_poll_t *p, int status, int events)
{
	struct loop *l = p->data;

	(void)status;
	(void)events;
	child_on_signal(l->live->child);
	if (l->live->child->stopping)
		proving_end(l->live->proving, true);
	if (l->live->child->stopping && !l->stop_said) {
		l->stop_said = true;
		ingest_tell_stopping(l->live->ingest);
	}
	if (l->live->child->exited || (l->live->attached && l->live->child->stopping)) {
		uv_stop(&l->uv);
	} else if (l->live->child->stopping && !l->stop_set) {
		l->stop_set = true;
		uv_timer_start(&l->stop, on_stop, STOP_REPORT_MS, 0);
	}
}

static void on_handover(uv_poll_t *p, int status, int events)
{
	const struct loop *l = p->data;

	(void)status;
	(void)events;
	handover_answer(l->live->handover, ingest_fd(l->live->ingest));
}

static void close_all(struct loop *l)
{
	if (l->handover.data)
		uv_close((uv_handle_t *)&l->handover, NULL);
	uv_close((uv_handle_t *)&l->drain, NULL);
	uv_close((uv_handle_t *)&l->metrics, NULL);
	uv_close((uv_handle_t *)&l->stop, NULL);
	uv_close((uv_handle_t *)&l->report, NULL);
	uv_close((uv_handle_t *)&l->look, NULL);
	uv_close((uv_handle_t *)&l->end, NULL);
	uv_close((uv_handle_t *)&l->prove, NULL);
	uv_close((uv_handle_t *)&l->signals, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	uv_loop_close(&l->uv);
}

int live_run(struct live *live)
{
	struct loop l = {.live = live};
	int r = uv_loop_init(&l.uv);

	if (r < 0)
		return r;
	uv_timer_init(&l.uv, &l.drain);
	uv_timer_init(&l.uv, &l.metrics);
	uv_timer_init(&l.uv, &l.stop);
	uv_timer_init(&l.uv, &l.report);
	uv_timer_init(&l.uv, &l.look);
	uv_timer_init(&l.uv, &l.end);
	uv_timer_init(&l.uv, &l.prove);
	r = uv_poll_init(&l.uv, &l.signals, live->child->signal_fd);
	if (r < 0) {
		uv_close((uv_handle_t *)&l.drain, NULL);
		uv_close((uv_handle_t *)&l.metrics, NULL);
		uv_close((uv_handle_t *)&l.stop, NULL);
		uv_close((uv_handle_t *)&l.report, NULL);
		uv_close((uv_handle_t *)&l.look, NULL);
		uv_close((uv_handle_t *)&l.end, NULL);
		uv_close((uv_handle_t *)&l.prove, NULL);
		uv_run(&l.uv, UV_RUN_DEFAULT);
		uv_loop_close(&l.uv);
		return r;
	}
	l.report.data = l.look.data = l.prove.data = l.drain.data = l.metrics.data = l.stop.data = l.signals.data = &l;
	(void)eager_start();
	uv_timer_start(&l.drain, on_drain, 0, 1);
	unsigned int metrics_ms = outputs_metrics_every_ms(&live->pipeline->outputs);
	uv_timer_start(&l.metrics, on_metrics, metrics_ms, metrics_ms);
	uv_poll_start(&l.signals, UV_READABLE, on_signals);
	if (live->handover >= 0 && uv_poll_init(&l.uv, &l.handover, live->handover) == 0) {
		l.handover.data = &l;
		uv_poll_start(&l.handover, UV_READABLE, on_handover);
	}
	if (live->report && live->report_every_ms)
		uv_timer_start(&l.report, on_report, live->report_every_ms, live->report_every_ms);
	if (live->attached) {
		uv_timer_start(&l.look, on_look, LOOK_MS, LOOK_MS);
		if (live->attached->duration_ms)
			uv_timer_start(&l.end, on_end, live->attached->duration_ms, 0);
	}
	if (live->proving)
		uv_timer_start(&l.prove, on_prove, 0, PROVE_TICK_MS);
	if (!live->child->exited)
		uv_run(&l.uv, UV_RUN_DEFAULT);
	if (live->proving) { /* what the service did under a fault, before that is judged */
		ingest_poll(live->ingest, true, pipeline_event, live->pipeline, &(unsigned int){0});
		proving_end(live->proving, false);
	}
	if (live->attached)
		live->attached->leave(live->attached->ctx);
	tcp_watch_flush(live->tcp);
	/* What is left of the program (daemons it made) passes through from here on, so that the rings come to an end. */
	ingest_disable(live->ingest);
	while (ingest_poll(live->ingest, true, pipeline_event, live->pipeline, &(unsigned int){0}) > 0)
		;
	close_all(&l);
	return 0;
}
