/*
 * Look-ups of names as attempts: a program that cannot find its dependency tries that again as well, and gets no further. The threads that
 * look up are often helpers of an event loop, so that they tell nothing of who asks. The session's thread.
 */
#include <netdb.h>
#include <string.h>

#include "detectors/retry.h"

/* Of getaddrinfo (negative) and of gethostbyname and its kin: the name was looked for and not found. Others say that the question was wrong. */
static bool was_not_found(int code)
{
	switch (code) {
	case EAI_AGAIN:
	case EAI_NONAME:
	case EAI_FAIL:
	case EAI_SYSTEM:
	case HOST_NOT_FOUND:
	case TRY_AGAIN:
	case NO_RECOVERY:
	case NO_DATA:
		return true;
	default:
		return false;
	}
}

/* Numbers are looked up nowhere. */
static bool is_name(const char *text)
{
	return text && text[strspn(text, "0123456789.")] && !strchr(text, ':');
}

void retry_lookup(struct retry *r, const struct resolve *l)
{
	const struct event *e = l->event;

	if (!is_name(l->name) || !l->process || (l->code && !was_not_found(l->code)))
		return;
	struct retry_key *k = retry_key_get(r, RETRY_OF_LOOKUP, l->name, "resolve",
					    evidence_hash(EVIDENCE_HASH_SEED, l->name, strlen(l->name) + 1), e->stack);
	if (!k)
		return;
	const struct retry_attempt a = {
		.start_ns = e->t0,
		.end_ns = e->t1,
		.result = l->code ? RETRY_FAILED : RETRY_OK,
		.caller = retry_caller_of_thread(r, e->tid),
		.process_ns = retry_process_ns(r, l->process),
		.pid = l->process->pid,
		.parent = l->process->parent,
		.tid = l->process->pid,
		.stack = e->stack,
		.answered = true,
	};
	retry_attempt(r, k, &a);
}
