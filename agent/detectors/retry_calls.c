/*
 * Calls that follow each other, by what lies between their attempts (retry_calls.h). Pure functions.
 *
 *   depth    what sleeps between two calls was called from further outside than what sleeps between two attempts of one
 *   haste    what a loop slept between its attempts it does not sleep before the next call, at even distances
 *   lines    attempts come from one line of the program, then from another, and never from the first again
 *   place    sleeps and attempts come from the same places of the code again at each call: one recurses, one sleeps elsewhere, or not at all
 *   length   gaps at the same place of each call are drawn alike, those at different places are not (a rank test, Kruskal and Wallis);
 *            or the pause between calls is always the same, among delays that never are
 */
#include "detectors/retry_calls.h"

#include <math.h>
#include <stdlib.h>

#define ROUND_MIN 3U         /* attempts of a call that places alone can show: two places in turn may be one loop's */
#define AGREE_DIV 10U        /* one gap in so many may come from elsewhere */
#define SURE_Z 4.0           /* rank test: deviations of a normal distribution, once in 30,000 by chance */
#define HINT_Z 2.5           /* worth to wait for more */
#define PART_Z 3.5           /* and what a longer round has to add to a shorter one within it */
#define ROUNDS_RANKED 5U     /* rounds from which ranks are compared */
#define UNLIKE_RATIO 3U      /* longest over shortest median by place, in halves: else something regular only adds to each round */
#define UNLIKE_MIN_US 20000U /* and the difference that scheduling does not make */
#define ALIKE_ROUNDS 10U     /* rounds from which an even pause among drawn delays shows */
#define ALIKE_DIV 10U        /* an even pause differs by so little */
#define RUNS_MIN 3U
#define BETWEEN_MIN 2U /* pauses, or their absence, that come at even distances */
#define RUN_MAX 20U    /* attempts from one line of which more are a loop of its own, whatever comes before it */
#define HANDED_PART 2U /* of all gaps: what has piled up in a queue is taken without waiting */
#define HANDED_MIN 6U

/* A place that sleeps between attempts at times does so always: its stack was taken at another call then. */
static bool sleeps_inside(const struct calls_gap *gaps, size_t n, uint32_t place, uint32_t floor)
{
	for (size_t i = 0; i < n; i++) {
		if (gaps[i].wait == place && gaps[i].depth > floor)
			return true;
	}
	return false;
}

/* Sleeps that were called from further outside than the first one, which lay between two attempts. */
static bool by_depth(const struct calls_gap *gaps, size_t n, struct calls_shown *s)
{
	uint32_t floor = UINT32_MAX, between = 0, run = 1, longest = 0, repeated = 0, shortest = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		floor = gaps[i].depth && gaps[i].depth < floor ? gaps[i].depth : floor;
	if (!n || gaps[0].depth <= floor)
		return false;
	for (size_t i = 0; i < n; i++, run++) {
		if (gaps[i].depth != floor)
			continue;
		if (sleeps_inside(gaps, n, gaps[i].wait, floor))
			return false;
		between++;
		repeated += run > 1;
		longest = run > longest ? run : longest;
		shortest = run < shortest ? run : shortest;
		run = 0;
	}
	s->hint = between >= BETWEEN_MIN && longest > 1 && shortest == longest && run <= longest;
	if (repeated < RUNS_MIN || 2 * repeated < between)
		return false;
	s->hint = true;
	if (between + 1 < CALLS_MIN)
		return false;
	s->round = run > longest ? run : longest;
	s->even = shortest == s->round;
	s->calls = between + 1;
	return true;
}

/* Straight on: a call in one line of the program, then one in another. */
static bool by_line(const struct calls_gap *gaps, size_t n, struct calls_shown *s)
{
	uint32_t calls = 1, run = 2, longest = 0, shortest = UINT32_MAX;

	for (size_t i = 1; i <= n; i++, run++) {
		if (i < n && (!gaps[i].line || gaps[i].line == gaps[i - 1].line))
			continue;
		longest = run > longest ? run : longest;
		shortest = run < shortest ? run : shortest;
		for (size_t k = 0; i < n && k < i; k++) {
			if (gaps[k].line == gaps[i].line)
				return false;
		}
		calls += i < n;
		run = 0;
	}
	if (calls == 1 || !gaps[0].line || shortest < ROUND_MIN || longest > RUN_MAX)
		return false;
	/* A script's line may be told one attempt late: calls that differ by no more have as many. */
	const bool even = longest - shortest <= 2;
	const uint32_t round = even ? ((uint32_t)n + 1 + calls / 2) / calls : longest;
	*s = (struct calls_shown){.round = round, .calls = calls, .even = even, .one_place = s->one_place};
	return true;
}

/* One place sleeps between the attempts of a call, and nobody before the next one. */
static bool by_haste(const struct calls_gap *gaps, size_t n, struct calls_shown *s)
{
	uint32_t between = 0, run = 1, round = 0;

	for (size_t i = 0; i < n; i++, run++) {
		if (gaps[i].wait && gaps[i].wait == gaps[0].wait)
			continue;
		if (gaps[i].wait || run < ROUND_MIN || (round && run != round))
			return false;
		round = run;
		run = 0;
		between++;
	}
	if (between < BETWEEN_MIN || run > round)
		return false;
	*s = (struct calls_shown){.round = round, .calls = between + 1, .even = true};
	return true;
}

/* Most attempts come as another thread wakes the one that makes them, at no pace of its own. */
static bool is_handed(const struct calls_gap *gaps, size_t n)
{
	size_t woken = 0;

	for (size_t i = 0; i < n; i++)
		woken += gaps[i].woken;
	return n >= HANDED_MIN && (n - woken) * HANDED_PART <= n;
}

static uint32_t place_of(const struct calls_gap *g)
{
	return g->wait * 31 + g->send;
}

static uint32_t logged_at(const struct calls_gap *g)
{
	return g->logged;
}

/* Does each place of a round have its own mark, the same in each round, and not all of them one? */
static bool repeats(const struct calls_gap *gaps, size_t n, size_t period, uint32_t (*mark)(const struct calls_gap *))
{
	size_t off = 0;
	bool unlike = false;
	uint32_t begin = 0;

	for (size_t place = 0; place < period; place++) {
		const uint32_t first = mark(&gaps[place]), second = mark(&gaps[place + period]),
			       third = mark(&gaps[place + 2 * period]);
		const uint32_t most = first == second || first == third ? first : second;
		for (size_t i = place; i < n; i += period)
			off += mark(&gaps[i]) != most;
		begin = place ? begin : most;
		unlike = unlike || most != begin;
	}
	return unlike && off <= n / AGREE_DIV;
}

/* Shortest round whose marks repeat, 0 none. */
static uint32_t by_mark(const struct calls_gap *gaps, size_t n, size_t shortest, uint32_t (*mark)(const struct calls_gap *))
{
	for (size_t period = shortest; period <= CALLS_ROUND_MAX && n + 2 >= CALLS_MIN * period; period++) {
		if (repeats(gaps, n, period, mark))
			return (uint32_t)period;
	}
	return 0;
}

struct ranked {
	uint32_t us;
	uint32_t at;
};

static int by_length(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->us != y->us ? (x->us < y->us ? -1 : 1) : x->at < y->at ? -1 : x->at > y->at;
}

/* Medians of the gaps at the places of a round differ by more than what now and then adds to one. */
static bool unlike_places(const struct ranked *sorted, size_t n, size_t period)
{
	uint32_t least = UINT32_MAX, most = 0;

	for (size_t place = 0; place < period; place++) {
		size_t of_place = 0, seen = 0, i = 0;
		for (size_t k = place; k < n; k += period)
			of_place++;
		while (seen <= (of_place - 1) / 2)
			seen += sorted[i++].at % period == place;
		least = sorted[i - 1].us < least ? sorted[i - 1].us : least;
		most = sorted[i - 1].us > most ? sorted[i - 1].us : most;
	}
	return 2ULL * most >= (uint64_t)UNLIKE_RATIO * least && most - least >= UNLIKE_MIN_US;
}

/* How unlike the gaps at the places of a round are (Kruskal and Wallis): chi-squared, period - 1 degrees of freedom, if chance has drawn them. */
static double unlikeness(const struct ranked *sorted, size_t n, size_t period)
{
	double sums[CALLS_ROUND_MAX] = {0}, h = 0;

	for (size_t i = 0; i < n; i++)
		sums[sorted[i].at % period] += (double)i + 1;
	for (size_t place = 0; place < period; place++) {
		const size_t of_place = (n - place + period - 1) / period;
		h += sums[place] * sums[place] / (double)of_place;
	}
	return 12 / ((double)n * ((double)n + 1)) * h - 3 * ((double)n + 1);
}

/* The same as deviations of a normal distribution (Wilson and Hilferty). */
static double sureness(double chi_squared, size_t freedom)
{
	const double d = 2 / (9 * (double)freedom);

	return chi_squared > 0 ? (cbrt(chi_squared / (double)freedom) - (1 - d)) / sqrt(d) : 0;
}

/* The pause is always the same, and the other gaps, shorter and longer ones, hardly ever are. */
static bool even_pause(const struct calls_gap *gaps, size_t n, size_t period)
{
	for (size_t place = 0; place < period; place++) {
		uint64_t least = UINT64_MAX;
		size_t near = 0, of_place = 0, shorter = 0, longer = 0;
		for (size_t i = place; i < n; i += period)
			least = gaps[i].us < least ? gaps[i].us : least;
		for (size_t i = 0; i < n; i++) {
			if (i % period == place) {
				of_place++;
				near += gaps[i].us <= least + least / ALIKE_DIV;
			} else {
				shorter += gaps[i].us + UNLIKE_MIN_US < least;
				longer += gaps[i].us > least + least / ALIKE_DIV;
			}
		}
		const size_t others = n - of_place;
		if (4 * near >= 3 * of_place && 4 * (shorter + longer) >= 3 * others && 5 * shorter >= others &&
		    5 * longer >= others)
			return true;
	}
	return false;
}

/* The shortest round within one that repeats it. */
static uint32_t shortest_of(const struct ranked *sorted, size_t n, uint32_t round)
{
	const double all = unlikeness(sorted, n, round);

	for (uint32_t part = 2; part < round; part++) {
		const double rest = round - part;
		if (round % part == 0 && all - unlikeness(sorted, n, part) < rest + PART_Z * sqrt(2 * rest))
			return part;
	}
	return round;
}

static uint32_t by_gap_length(const struct calls_gap *gaps, size_t n, bool *ret_hint)
{
	struct ranked sorted[CALLS_GAPS_MAX];
	double best = HINT_Z;
	uint32_t round = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct ranked){gaps[i].us, (uint32_t)i};
	qsort(sorted, n, sizeof *sorted, by_length);
	for (size_t period = 2; period <= CALLS_ROUND_MAX && n + 1 >= ROUNDS_RANKED * period; period++) {
		double sure = sureness(unlikeness(sorted, n, period), period - 1);
		if (sure <= best || !unlike_places(sorted, n, period))
			continue;
		best = sure;
		round = (uint32_t)period;
	}
	*ret_hint = round && best < SURE_Z;
	if (*ret_hint)
		return 0;
	if (round)
		return shortest_of(sorted, n, round);
	for (size_t period = 2; !round && period <= CALLS_ROUND_MAX && n + 1 >= ALIKE_ROUNDS * period; period++)
		round = even_pause(gaps, n, period) ? (uint32_t)period : 0;
	return round;
}

static bool in_one_place(const struct calls_gap *gaps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!gaps[i].wait || gaps[i].wait != gaps[0].wait)
			return false;
	}
	return n > 0;
}

struct calls_shown calls_look(const struct calls_gap *gaps, size_t n)
{
	struct calls_shown s = {0};

	if (n > CALLS_GAPS_MAX)
		n = CALLS_GAPS_MAX;
	s.one_place = in_one_place(gaps, n);
	s.handed = is_handed(gaps, n);
	if (by_haste(gaps, n, &s) || by_line(gaps, n, &s) || by_depth(gaps, n, &s))
		return s;
	s.round = by_mark(gaps, n, ROUND_MIN, place_of);
	bool drawn = false;
	s.round = s.round ? s.round : by_gap_length(gaps, n, &drawn);
	s.hint = s.hint || drawn || by_mark(gaps, n, 2, logged_at);
	if (s.round && n + 2 < CALLS_MIN * s.round) {
		s.hint = true;
		s.round = 0;
	}
	s.even = s.round;
	s.calls = s.round ? ((uint32_t)n + s.round) / s.round : 0;
	return s;
}
