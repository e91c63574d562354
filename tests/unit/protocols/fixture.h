/*
 * A script with the protocols running on its model, and a copy of each request as it ended.
 */
#ifndef GAPSCOPE_TESTS_UNIT_PROTOCOLS_FIXTURE_H
#define GAPSCOPE_TESTS_UNIT_PROTOCOLS_FIXTURE_H

#include "model/witness.h"
#include "protocols/protocol.h"

struct fixture {
	struct script s;
	struct protocols *p;
	struct witness w; /* "request" and "answer" lines */
	struct request ended[256];
	size_t n_ended;
};

SCRIPT_API void fixture_on_end(void *ctx, struct request *r)
{
	struct fixture *f = ctx;

	if (f->n_ended < 256)
		f->ended[f->n_ended++] = *r;
}

SCRIPT_API void fixture_init(struct fixture *f)
{
	f->n_ended = 0;
	script_init(&f->s);
	f->p = protocols_new(f->s.model, &f->s.counters);
	assert_non_null(f->p);
	assert_int_equal(model_observe(f->s.model, &protocols_observer, f->p), 0);
	assert_int_equal(model_observe(f->s.model, &(struct observer){.request_end = fixture_on_end}, f), 0);
	witness_init(&f->w, f->s.model, "request answer");
}

/* A connected client socket 5. */
SCRIPT_API void fixture_client(struct fixture *f)
{
	fixture_init(f);
	script_socket(&f->s, 5);
	script_connect(&f->s, 5, "10.0.0.9", 80, 0);
}

/* An accepted connection 5. */
SCRIPT_API void fixture_server(struct fixture *f)
{
	fixture_init(f);
	script_listen(&f->s, 3, 80);
	script_accept(&f->s, 3, 5, "10.0.0.7", 40000);
}

SCRIPT_API void fixture_done(struct fixture *f)
{
	script_done(&f->s);
	protocols_free(f->p);
}

#endif
