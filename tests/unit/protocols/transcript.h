/*
 * One table for every protocol: a transcript of a connection is played whole, as client and as server, split at every byte, with each
 * of its records lost, with gaps, and from the middle on; what must come of it is the same lines. Header-only; a protocol's test fills in
 * a struct transcript and puts TRANSCRIPT_TESTS into its TEST_MAIN.
 *
 * What a client keeps secret holds the word s3cr3t: it must be nowhere in any request.
 */
#ifndef GAPSCOPE_TESTS_UNIT_PROTOCOLS_TRANSCRIPT_H
#define GAPSCOPE_TESTS_UNIT_PROTOCOLS_TRANSCRIPT_H

#include "test.h"

#include "model/script.h"
#include "protocols/protocol.h"

#define TRANSCRIPT_SECRET "s3cr3t"

struct step {
	char side; /* C or S */
	const char *bytes;
	size_t len;
};
#define CLIENT(text) \
	{ \
		'C', text, sizeof(text) - 1 \
	}
#define SERVER(text) \
	{ \
		'S', text, sizeof(text) - 1 \
	}

struct transcript {
	const char *protocol;
	int type;         /* SOCK_STREAM or SOCK_DGRAM */
	bool only_client; /* a service of this kind is no server here */
	bool whole_only;  /* messages are whole calls: nothing is split */
	bool not_midway;  /* it is not recognised from its middle on */
	const struct step *steps;
	size_t n;
	size_t last;        /* the step that the last exchange begins with, which needs none of those before */
	const char *expect; /* a line a request: method, target or path, status text or number, end */
};

/* The protocol's own. */
static const struct transcript transcript;

struct play {
	struct script s;
	struct protocols *p;
	char log[16384];
	size_t used;
	unsigned int started, ended;
	bool quiet; /* count only */
};

static void play_start(void *ctx, struct request *r)
{
	struct play *y = ctx;

	y->started++;
	assert_true(r->t_start > 0 && r->t_sent >= r->t_start && r->protocol != NULL);
	assert_string_equal(r->protocol->name, transcript.protocol);
}

static void play_end(void *ctx, struct request *r)
{
	static const char *const ends[] = {"done", "eof", "reset", "abandoned", "pending", "refused"};
	struct play *y = ctx;
	char status[16] = "";

	y->ended++;
	assert_true(r->t_end >= r->t_start);
	assert_null(memmem(r, sizeof(*r), TRANSCRIPT_SECRET, strlen(TRANSCRIPT_SECRET)));
	if (y->quiet)
		return;
	if (r->status)
		snprintf(status, sizeof(status), "%d", r->status);
	int n = snprintf(y->log + y->used, sizeof(y->log) - y->used, "%s %s %s %s\n", r->method, r->target[0] ? r->target : r->path,
			 r->status_text[0] ? r->status_text
			 : status[0]       ? status
					   : "-",
			 ends[r->end]);
	assert_true(n > 0 && (size_t)n < sizeof(y->log) - y->used);
	y->used += (size_t)n;
}

enum play_role { PLAY_CLIENT, PLAY_SERVER, PLAY_MIDWAY };

static void play_init(struct play *y, enum play_role role)
{
	memset(y, 0, sizeof(*y));
	script_init(&y->s);
	y->p = protocols_new(y->s.model, &y->s.counters);
	assert_non_null(y->p);
	assert_int_equal(model_observe(y->s.model, &protocols_observer, y->p), 0);
	assert_int_equal(model_observe(y->s.model, &(struct observer){.request_start = play_start, .request_end = play_end}, y), 0);
	if (role == PLAY_CLIENT) {
		script_socket_of(&y->s, 5, AF_INET, transcript.type);
		script_connect(&y->s, 5, "10.0.0.9", 9999, 0);
	} else if (role == PLAY_SERVER) {
		script_listen(&y->s, 3, 9999);
		script_accept(&y->s, 3, 5, "10.0.0.7", 40000);
	} else {
		struct sockaddr_in sin = script_address("10.0.0.9", 9999);
		script_event(&y->s, (struct event){.id = WIRE_FD_KIND,
						   .fd = 5,
						   .a0 = WIRE_FD_SOCKET,
						   .data = (const uint8_t *)&sin,
						   .data_len = sizeof(sin)});
	}
}

static void play_done(struct play *y)
{
	script_close(&y->s, 5);
	script_finish(&y->s);
	assert_int_equal(y->started, y->ended);
	script_done(&y->s);
	protocols_free(y->p);
}

/* Some bytes of a step, of which the first `captured` are seen. */
static void play_bytes(struct play *y, enum play_role role, char side, const char *bytes, size_t captured, size_t len)
{
	bool out = (side == 'C') == (role != PLAY_SERVER);
	/* A copy of its own size, so that a byte read past its end is noticed. */
	char *copy = malloc(captured ? captured : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, captured);
	script_data(&y->s, out ? WIRE_WRITE : WIRE_READ, 5, copy, captured, len, 0);
	free(copy);
}

static void play_steps(struct play *y, enum play_role role, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		play_bytes(y, role, transcript.steps[i].side, transcript.steps[i].bytes, transcript.steps[i].len,
			   transcript.steps[i].len);
}

static const char *last_line(const char *text)
{
	size_t n = strlen(text);

	while (n > 1 && text[n - 2] != '\n')
		n--;
	return n > 1 ? text + n - 1 : text;
}

static void transcript_whole(void **state)
{
	struct play y;

	(void)state;
	for (enum play_role role = PLAY_CLIENT; role <= PLAY_SERVER; role++) {
		if (role == PLAY_SERVER && transcript.only_client)
			continue;
		play_init(&y, role);
		play_steps(&y, role, 0, transcript.n);
		assert_string_equal(y.log, transcript.expect);
		play_done(&y);
		assert_string_equal(y.log, transcript.expect);
	}
}

/* Each step in two, cut at each of its bytes; and all of it byte by byte. */
static void transcript_split(void **state)
{
	struct play y;
	size_t longest = 0;

	(void)state;
	for (size_t i = 0; i < transcript.n; i++)
		longest = transcript.steps[i].len > longest ? transcript.steps[i].len : longest;
	for (size_t cut = 0; cut < longest && !transcript.whole_only; cut++) {
		play_init(&y, PLAY_CLIENT);
		for (size_t i = 0; i < transcript.n; i++) {
			const struct step *p = &transcript.steps[i];
			size_t at = cut % p->len;
			for (size_t k = 0; cut == 0 && k < p->len; k++)
				play_bytes(&y, PLAY_CLIENT, p->side, p->bytes + k, 1, 1);
			if (cut == 0)
				continue;
			if (at)
				play_bytes(&y, PLAY_CLIENT, p->side, p->bytes, at, at);
			play_bytes(&y, PLAY_CLIENT, p->side, p->bytes + at, p->len - at, p->len - at);
		}
		if (strcmp(y.log, transcript.expect) != 0)
			print_message("cut at byte %zu\n", cut);
		assert_string_equal(y.log, transcript.expect);
		play_done(&y);
	}
}

/* Each record lost in turn; then captured in part. The last exchange, twice again, is understood. */
static void transcript_lost(void **state)
{
	struct play y;

	(void)state;
	for (size_t lost = 1; lost < transcript.n * 2; lost++) {
		bool gap = lost >= transcript.n;
		play_init(&y, PLAY_CLIENT);
		for (size_t i = 0; i < transcript.n; i++) {
			const struct step *p = &transcript.steps[i];
			if (i != lost % transcript.n)
				play_bytes(&y, PLAY_CLIENT, p->side, p->bytes, p->len, p->len);
			else if (gap && i > 0)
				play_bytes(&y, PLAY_CLIENT, p->side, p->bytes, p->len / 2, p->len);
			else if (i > 0)
				script_event(&y.s, (struct event){.id = WIRE_LOSS, .fd = -1, .a1 = 1});
			else
				play_bytes(&y, PLAY_CLIENT, p->side, p->bytes, p->len, p->len);
		}
		play_steps(&y, PLAY_CLIENT, transcript.last, transcript.n);
		play_steps(&y, PLAY_CLIENT, transcript.last, transcript.n);
		if (strcmp(last_line(y.log), last_line(transcript.expect)) != 0)
			print_message("record %zu %s:\n%s", lost % transcript.n, gap ? "cut" : "lost", y.log);
		assert_string_equal(last_line(y.log), last_line(transcript.expect));
		play_done(&y);
	}
}

static void transcript_midway(void **state)
{
	struct play y;

	(void)state;
	if (transcript.not_midway)
		return;
	play_init(&y, PLAY_MIDWAY);
	play_steps(&y, PLAY_MIDWAY, transcript.last, transcript.n);
	assert_string_equal(y.log, last_line(transcript.expect));
	play_done(&y);
}

#define TRANSCRIPT_TESTS \
	cmocka_unit_test(transcript_whole), cmocka_unit_test(transcript_split), cmocka_unit_test(transcript_lost), \
		cmocka_unit_test(transcript_midway)

#endif
