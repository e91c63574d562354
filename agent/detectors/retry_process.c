/*
 * Processes as makers of attempts: which of them ended by their own will, and when one was begun that was started for an attempt
 * (`until curl …`). Small rings, newest over oldest; the session's thread.
 */
#include "detectors/retry.h"

/* A child of vfork or posix_spawn is known from its new image on: its life began when its parent called exec for it. */
static uint64_t begun(const struct retry *r, uint32_t parent, uint64_t started_ns)
{
	uint64_t newest = 0;

	for (unsigned int i = 0; i < RETRY_EXECS_MAX; i++) {
		const struct retry_exec *x = &r->execs[i];
		if (x->pid == parent && x->now_ns < started_ns && x->now_ns > newest && started_ns - x->now_ns < NS_PER_S)
			newest = x->now_ns;
	}
	return newest ? newest : started_ns;
}

static void exiting(struct retry *r, uint32_t pid, uint64_t now_ns)
{
	r->exiting[r->exiting_n++ % RETRY_EXITING_MAX] = pid;
	for (struct retry_client *c = r->active; c; c = c->active_next) {
		if (c->seq.pid == pid)
			c->seq.exit_ns = now_ns;
	}
}

/* Who was waited for was there when the wait began: a child of vfork cannot say so before its new image is loaded. A loop that starts programs
 * has one thread; where others start them, the wait may be older than the child. */
static void waited_for(struct retry *r, uint32_t pid, uint64_t wait_ns)
{
	for (struct retry_client *c = r->active; c; c = c->active_next) {
		struct retry_sequence *s = &c->seq;
		if (s->pid != pid || !s->gap_ns || wait_ns <= s->gap_ns || s->attempts != s->gaps_n + 1 ||
		    wait_ns - s->gap_ns >= s->last_gap_ns)
			continue;
		s->last_gap_ns = wait_ns - s->gap_ns;
		s->gaps[s->gaps_n - 1] = s->last_gap_ns;
	}
}

void retry_process_event(struct retry *r, const struct event *e)
{
	switch (e->id) {
	case WIRE_EXEC:
	case WIRE_SPAWN:
		r->execs[r->execs_n++ % RETRY_EXECS_MAX] = (struct retry_exec){.pid = e->pid, .now_ns = e->t0};
		break;
	case WIRE_PROCESS_START:
		r->starts[r->starts_n++ % RETRY_EXECS_MAX] =
			(struct retry_exec){.pid = e->pid, .now_ns = begun(r, (uint32_t)e->a0, e->t0)};
		break;
	case WIRE_WAITPID:
		if (e->ret > 0 && e->tid == e->pid)
			waited_for(r, (uint32_t)e->ret, e->t0);
		break;
	case WIRE_PROCESS_EXIT:
		if (!(e->flags & WIRE_F_VFORK_CHILD))
			exiting(r, e->pid, e->t0);
		break;
	default:
		break;
	}
}

uint64_t retry_process_ns(const struct retry *r, const struct process *p)
{
	uint64_t began = p ? p->start_ns : 0;

	for (unsigned int i = 0; p && i < RETRY_EXECS_MAX; i++) {
		if (r->starts[i].pid == p->pid && r->starts[i].now_ns < began)
			began = r->starts[i].now_ns + NS_PER_S > began ? r->starts[i].now_ns : began;
	}
	return began;
}

void retry_process_gone(struct retry *r, const struct process *p)
{
	bool parent = r->env.model && model_process(r->env.model, p->parent);

	for (unsigned int i = 0; i < RETRY_EXITING_MAX; i++) {
		if (r->exiting[i] != p->pid)
			continue;
		r->exiting[i] = 0;
		retry_process_exit(r, p->pid, parent ? p->parent : 0);
	}
}
