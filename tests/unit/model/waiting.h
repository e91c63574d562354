/* A connected socket, and the waits on it written down. Header only: each test is one program. */
#ifndef GAPSCOPE_TESTS_MODEL_WAITING_H
#define GAPSCOPE_TESTS_MODEL_WAITING_H

#include "model/witness.h"

struct fixture {
	struct script s;
	struct witness w;
};

static inline void begin(struct fixture *f)
{
	script_init(&f->s);
	script_socket(&f->s, 5);
	script_connect(&f->s, 5, "10.0.0.9", 80, 0);
	witness_init(&f->w, f->s.model, "wait");
}

#endif
