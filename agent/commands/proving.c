/*
 * See proving.h.
 */
#include "commands/proving.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/monotonic.h"
#include "probes/lead.h"
#include "prove/prove.h"

struct proving {
	struct ingest *ingest;
	struct pipeline *pipeline;
	struct prove *prove;
	struct lead *lead; /* NULL: the shim leads */
};

/* Through the event stream, so that a replay says the same. */
static void on_proof(void *ctx, const struct event_proof *proof)
{
	const struct proving *p = ctx;
	const uint64_t now = ingest_now_ns(p->ingest);
	const struct event e = {
		.t0 = now, .t1 = now, .fd = -1, .id = WIRE_PROOF, .data = (const uint8_t *)proof, .data_len = sizeof(*proof)};

	pipeline_event(p->pipeline, &e);
}

/* The process whose network the relay has to be in, 0 if that is ours. */
static pid_t network_of(pid_t pid)
{
	char path[64];
	struct stat ours, its;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return pid && stat("/proc/self/ns/net", &ours) == 0 && stat(path, &its) == 0 && ours.st_ino != its.st_ino ? pid : 0;
}

/* Where the faults' words are: with the shim, or in the kernel. */
static int open_way(struct proving *p, bool by_kernel, struct wire_fault **ret, char *err, size_t err_size)
{
	char why[256];
	int e;

	*ret = &ingest_shared(p->ingest)->fault;
	if (!by_kernel)
		return 0;
	e = lead_open(&p->lead, why, sizeof(why));
	if (e < 0)
		snprintf(err, err_size, "the shim cannot enter this program, so the kernel would have to lead its connections: %s",
			 why);
	else
		*ret = lead_fault(p->lead);
	return e;
}

int proving_open(const char *spec, const struct proving_of *of, struct ingest *in, struct pipeline *p, struct proving **ret,
		 char *err, size_t err_size)
{
	struct wire_fault *words;
	struct plan plan;
	int e;

	*ret = NULL;
	if (!spec)
		return 0;
	plan_defaults(&plan, of->pid == 0);
	if ((e = plan_parse(&plan, spec, err, err_size)) < 0)
		return e;
	struct proving *new = calloc(1, sizeof(*new));
	if (!new) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	*new = (struct proving){.ingest = in, .pipeline = p};
	if ((e = open_way(new, of->by_kernel && !plan.dry, &words, err, err_size)) < 0 ||
	    (e = prove_new(&plan, words, network_of(of->pid), on_proof, new, &new->prove, err, err_size)) < 0) {
		lead_free(new->lead);
		free(new);
		return e;
	}
	if (new->lead && of->pid == 0)
		lead_watch_children(new->lead); /* from now on: the relay is none of them */
	*ret = new;
	return 0;
}

int proving_watch(struct proving *p)
{
	const int e = p ? model_observe(session_model(p->pipeline->session), &prove_observer, p->prove) : 0;

	/* A program that is about to start may connect at once. */
	if (e == 0)
		proving_tick(p);
	return e;
}

void proving_tick(struct proving *p)
{
	uint32_t pid;

	if (!p)
		return;
	for (uint32_t i = 0; p->lead && i < ingest_shared(p->ingest)->process_max; i++)
		if ((pid = ingest_process(p->ingest, i)) != 0)
			lead_watch(p->lead, pid);
	prove_tick(p->prove, monotonic_ns());
}

void proving_end(struct proving *p, bool stopping)
{
	if (p)
		prove_end(p->prove, monotonic_ns(), stopping);
}

void proving_close(struct proving *p)
{
	if (!p)
		return;
	prove_free(p->prove);
	lead_free(p->lead);
	free(p);
}
