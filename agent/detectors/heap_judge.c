/*
 * Does a group only grow, or was it never freed? See heap.h. Estimates of few samples prove nothing, a cache that fills is no leak, and what
 * the program built once when it started is its own affair.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/elapsed.h"
#include "detectors/heap.h"

#define FIRST_WIDTH_NS (NS_PER_S / 16)
#define NEVER_SHARE 0.9            /* of what was made so much is alive: nothing of it is ever freed */
#define LIFE_SHARE 0.5             /* of its process's life a group must have been at work for */
#define SPREAD_SLICES 4U           /* parts of a time; in each there must be some that are alive */
#define PROOF_NS (1800 * NS_PER_S) /* few caches take longer to fill */

static void widen(struct heap_ages *a)
{
	for (unsigned int i = 0; i < HEAP_AGES / 2; i++) {
		a->made[i] = a->made[2 * i] + a->made[2 * i + 1];
		a->alive[i] = a->alive[2 * i] + a->alive[2 * i + 1];
	}
	for (unsigned int i = HEAP_AGES / 2; i < HEAP_AGES; i++)
		a->made[i] = a->alive[i] = 0;
	a->width_ns *= 2;
}

static unsigned int slice(const struct heap_ages *a, uint64_t t_ns)
{
	return a->width_ns != 0 && t_ns > a->start_ns ? (unsigned int)((t_ns - a->start_ns) / a->width_ns) : 0;
}

void heap_ages_add(struct heap_ages *a, uint64_t t_ns)
{
	if (a->width_ns == 0)
		*a = (struct heap_ages){.start_ns = t_ns, .width_ns = FIRST_WIDTH_NS};
	while (a->width_ns != 0 && t_ns > a->start_ns && (t_ns - a->start_ns) / a->width_ns >= HEAP_AGES)
		widen(a);
	a->made[slice(a, t_ns)]++;
	a->alive[slice(a, t_ns)]++;
}

void heap_ages_remove(struct heap_ages *a, uint64_t t_ns)
{
	const unsigned int at = slice(a, t_ns);

	if (at < HEAP_AGES && a->alive[at] > 0)
		a->alive[at]--;
}

/* Are samples alive from all over [from, to]? */
static bool spread(const struct heap_ages *a, uint64_t from, uint64_t to)
{
	uint32_t alive[SPREAD_SLICES] = {0};

	if (to <= from || a->width_ns == 0)
		return false;
	for (unsigned int i = 0; i < HEAP_AGES; i++) {
		const uint64_t t = a->start_ns + i * a->width_ns + a->width_ns / 2;

		if (t >= from && t < to)
			alive[(t - from) * SPREAD_SLICES / (to - from)] += a->alive[i];
	}
	for (unsigned int i = 0; i < SPREAD_SLICES; i++) {
		if (alive[i] == 0)
			return false;
	}
	return true;
}

/* Functions of the program on the way there, so that what all go through does not make one finding of two. */
static const char *callers(const struct heap *h, uint32_t stack, char *buf, size_t size)
{
	size_t n = 0, len = 0;
	const struct frame *f = stacks_frames(h->env.stacks, stack, &n), *site = stacks_site(h->env.stacks, stack);
	unsigned int used = 0;

	buf[0] = '\0';
	for (size_t i = site ? (size_t)(site - f) : n; i < n && used < 3 && len < size; i++) {
		if (f[i].runtime != site->runtime)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", used ? " < " : "",
					f[i].function ? f[i].function : f[i].module);
		used++;
	}
	return buf;
}

static json_t *describe(const struct heap *h, const struct heap_group *g, const char *path)
{
	const double scale = g->key.mapped ? 1 : heap_scale(h);

	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "kind", g->key.mapped ? "mapped" : "heap", "callers", path,
			 "live_bytes", (json_int_t)(g->amount.live_bytes * scale), "live_objects",
			 (json_int_t)(g->amount.live_objects * scale + 0.5), "alloc_bytes",
			 (json_int_t)(g->amount.alloc_bytes * scale), "samples_alive", (json_int_t)g->alive, "share_alive",
			 evidence_number(g->amount.alloc_bytes > 0 ? g->amount.live_bytes / g->amount.alloc_bytes : 0));
}

/* So much that chance cannot have made it: of a few samples each stands for a mean distance. */
static double least(const struct heap *h, const struct heap_group *g)
{
	const double by_samples = g->key.mapped ? 0 : h->env.options[HEAP_MIN_SAMPLES] * (double)h->mean;
	const double by_bytes = h->env.options[HEAP_MIN_BYTES];

	return by_samples > by_bytes ? by_samples : by_bytes;
}

/* Lost frees look like leaks. */
static bool can_judge(const struct heap *h, const struct heap_group *g)
{
	return !g->told && (double)g->alive >= h->env.options[HEAP_MIN_SAMPLES] && h->frees_lost * 20 < g->alive;
}

/* Of the lines that make a group, the one that most of what is held comes from. */
static uint32_t heaviest(const struct heap *h, const struct heap_group *g)
{
	uint32_t stack = g->stack;
	double most = 0;

	for (const struct heap_site *s = h->sites; s; s = s->hh.next) {
		const uint32_t id = (uint32_t)(s->key >> 1);

		if ((s->key & 1) != g->key.mapped || s->amount.live_bytes <= most || heap_path(h->env.stacks, id) != g->key.path)
			continue;
		most = s->amount.live_bytes;
		stack = id;
	}
	return stack;
}

/* Of a call site, once. Takes `evidence` over. */
static void tell(struct heap *h, struct heap_group *g, unsigned int rule, enum confidence confidence, const char *path,
		 const char *message, json_t *evidence)
{
	double share = 0;
	const struct heap_operation *const made_for = heap_request_of(g, &share);
	char text[640];

	snprintf(text, sizeof text, "%s%s%s", message, made_for ? "; made for " : "", made_for ? made_for->name : "");
	if (made_for)
		json_object_set_new(evidence, "share_of_operation", evidence_number(share));
	const struct finding f = {
		.rule = &heap_rules[rule],
		.severity = heap_rules[rule].severity,
		.confidence = confidence,
		.peer = "",
		.operation = made_for ? made_for->name : "",
		.stack = heaviest(h, g),
		.path = path,
		.key = path,
		.count = g->alive,
		.first_seen_ns = g->first_ns,
		.last_seen_ns = g->last_ns,
		.evidence = evidence,
		.message = text,
	};

	g->told = true;
	h->env.emit(h->env.emit_ctx, &f);
}

void heap_judge_growth(struct heap *h, struct heap_group *g, double seconds)
{
	const struct heap_process *p = heap_process_of(h, g->key.pid);
	char message[512], path[384], bytes[32], rate[32];
	struct growth_trend t;

	if (!can_judge(h, g) || !p || (p->requests > 0 && (double)p->requests < h->env.options[HEAP_MIN_REQUESTS]))
		return;
	/* A queue that grows frees its oldest first: the later half is enough. */
	if (!growth_steady(&g->growth, seconds, least(h, g), &t) ||
	    !spread(&g->ages, h->now_ns - (uint64_t)(t.seconds * 5e8), h->now_ns))
		return;
	const double scale = g->key.mapped ? 1 : heap_scale(h);
	snprintf(message, sizeof message, "%s that %s allocates grew by %s in %.0f s (%s a second), and is still held",
		 g->key.mapped ? "mapped memory" : "memory", callers(h, g->stack, path, sizeof path),
		 heap_bytes_text((t.to - t.from) * scale, bytes, sizeof bytes), t.seconds,
		 heap_bytes_text(t.per_s * scale, rate, sizeof rate));
	json_t *evidence = describe(h, g, path);
	json_object_set_new(evidence, "growth_bytes", json_integer((json_int_t)((t.to - t.from) * scale)));
	json_object_set_new(evidence, "seconds", evidence_number(t.seconds));
	json_object_set_new(evidence, "bytes_per_s", evidence_number(t.per_s * scale));
	json_object_set_new(evidence, "bytes_per_s_low", evidence_number(t.low_per_s * scale));
	json_object_set_new(evidence, "bytes_per_s_high", evidence_number(t.high_per_s * scale));
	json_object_set_new(evidence, "requests", json_integer((json_int_t)p->requests));
	tell(h, g, HEAP_GROWTH, t.seconds * 1e9 >= (double)PROOF_NS ? CONFIDENCE_OBSERVED : CONFIDENCE_SUSPECTED, path, message,
	     evidence);
}

void heap_judge_end(struct heap *h, struct heap_group *g, const struct process *p)
{
	const struct heap_process *known = heap_process_of(h, g->key.pid);
	const struct heap_amount *m = &g->amount;
	char message[512], path[384], bytes[32];

	if (!p->exit_ns || !known || !can_judge(h, g) || m->live_bytes < least(h, g) ||
	    m->live_bytes < NEVER_SHARE * m->alloc_bytes)
		return;
	const uint64_t life = p->exit_ns > known->start_ns ? p->exit_ns - known->start_ns : 0;
	if ((double)elapsed_ns(g->first_ns, g->last_ns) < LIFE_SHARE * (double)life ||
	    !spread(&g->ages, g->first_ns, g->last_ns + 1))
		return;
	const double scale = g->key.mapped ? 1 : heap_scale(h);
	snprintf(message, sizeof message, "%s that %s allocated was never freed: %s when the program ended",
		 g->key.mapped ? "mapped memory" : "memory", callers(h, g->stack, path, sizeof path),
		 heap_bytes_text(m->live_bytes * scale, bytes, sizeof bytes));
	tell(h, g, HEAP_NEVER_FREED, CONFIDENCE_SUSPECTED, path, message, describe(h, g, path));
}
