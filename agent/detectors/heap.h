/*
 * The inside of the heap detector: shared by its own files only. The session's thread.
 *
 *   heap.c          sites and groups, filled from what the model tells     heap_judge.c    growth, and what is never freed
 *   heap_request.c  memory by request                                      heap_report.c   the report's section
 */
#ifndef GAPSCOPE_DETECTORS_HEAP_H
#define GAPSCOPE_DETECTORS_HEAP_H

#include "core/hash.h"
#include "detectors/detectors.h"
#include "detectors/evidence.h"
#include "detectors/growth.h"

#define HEAP_AGES 32U
#define HEAP_OPERATION_SIZE 128U
#define HEAP_OPERATIONS 256U
#define HEAP_ROUTES 4U
#define MIB 1048576.0

enum heap_option {
	HEAP_MIN_SECONDS,
	HEAP_LIVE_SECONDS,
	HEAP_MIN_REQUESTS,
	HEAP_MIN_BYTES,
	HEAP_MIN_SAMPLES,
	HEAP_REQUEST_BYTES,
	HEAP_HUGE_BYTES,
};

/* Allocated and alive, as estimates. */
struct heap_amount {
	double alloc_bytes, alloc_objects, live_bytes, live_objects;
	uint64_t samples;
};

/* One call stack, over all processes: what a profile shows. */
struct heap_site {
	uint64_t key; /* stack << 1 | mapped */
	struct heap_amount amount;
	UT_hash_handle hh;
};

/* Samples that are alive by when they were made: slices of time, which double when they are used up. */
struct heap_ages {
	uint64_t start_ns, width_ns;
	uint32_t made[HEAP_AGES], alive[HEAP_AGES];
};

struct heap_group_key {
	uint64_t path; /* of the program's own innermost frames */
	uint32_t pid;
	uint32_t mapped;
};

/* Samples of a group that were made for one kind of request: at least samples - over. */
struct heap_route {
	const struct heap_operation *operation; /* NULL: no more */
	uint64_t samples, over;
};

/* What one process allocates by the same functions of the program: what is judged. */
struct heap_group {
	struct heap_group_key key;
	struct heap_amount amount;
	uint64_t alive; /* samples */
	uint32_t stack; /* one of its stacks */
	struct heap_route routes[HEAP_ROUTES];
	uint64_t first_ns, last_ns;
	struct heap_ages ages;
	struct growth growth;
	bool told;
	UT_hash_handle hh;
};

/* What a kind of request costs its server in memory. */
struct heap_operation {
	char name[HEAP_OPERATION_SIZE];
	uint64_t requests, samples;
	double bytes;
	uint32_t stack; /* of the largest single call */
	uint64_t largest, first_ns, last_ns;
	UT_hash_handle hh;
};

/* A process, as far as its memory goes. */
struct heap_process {
	uint32_t pid;
	uint64_t start_ns, requests;
	uint64_t judged_ns;
	UT_hash_handle hh;
};

struct heap {
	struct detector_env env;
	struct heap_site *sites;
	struct heap_group *groups;
	struct heap_operation *operations;
	struct heap_process *processes;
	bool seen; /* the source spoke of allocations */
	bool watched;
	bool placed; /* some samples have stacks: those that have none were made while the agent did not keep up */
	char allocator[LIMIT_PEER_TEXT], why_not[160];
	uint64_t mean, start_ns, now_ns;
	uint64_t asked;   /* bytes, exactly */
	double estimated; /* the same by samples, without mapped memory */
	uint64_t samples, frees_lost, requests_n;
	uint64_t unwatched; /* samples of blocks whose free will not be known */
};

extern const struct rule heap_rules[];
enum heap_rule { HEAP_GROWTH, HEAP_NEVER_FREED, HEAP_REQUEST, HEAP_REQUEST_SIZE };

/* What a sum of estimates is to be multiplied with: the bytes asked for are known exactly. */
double heap_scale(const struct heap *h);
struct heap_process *heap_process_of(struct heap *h, uint32_t pid);
/* What groups stacks: the functions of the program's own that are innermost. */
uint64_t heap_path(const struct stacks *stacks, uint32_t stack);
/* A number of bytes for people: "12.5 MiB". Returns buf. */
const char *heap_bytes_text(double bytes, char *buf, size_t size);

/* heap_judge.c */
void heap_judge_growth(struct heap *h, struct heap_group *g, double seconds);
void heap_judge_end(struct heap *h, struct heap_group *g, const struct process *p);
void heap_ages_add(struct heap_ages *a, uint64_t t_ns);
void heap_ages_remove(struct heap_ages *a, uint64_t t_ns);

/* heap_request.c */
void heap_request_alloc(struct heap *h, struct heap_group *g, const struct request *r); /* a sample of the group was made for it */
/* The kind of request that most of the group was made for, and its share. NULL: none. */
const struct heap_operation *heap_request_of(const struct heap_group *g, double *ret_share);
void heap_request_end(struct heap *h, const struct request *r);
void heap_requests_finish(struct heap *h);

/* heap_report.c */
json_t *heap_report(void *state, json_t *not_exercised);

#endif
