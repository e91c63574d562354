/*
 * What a proof may do: which faults, to how many of the requests, for how long.
 */
#ifndef GAPSCOPE_PROVE_PLAN_H
#define GAPSCOPE_PROVE_PLAN_H

#include <stddef.h>

#include "core/faults.h"

struct plan {
	bool kinds[FAULTS];
	bool dry;       /* say what would be done, and do nothing */
	double share;   /* of a peer's requests that may be affected, 0 … 1 */
	double errors;  /* share of failed answers of the service that ends all faults, 0 … 1; 1 = never */
	double seconds; /* of faults in all */
	double hold;    /* seconds that one connection may be held at most */
	double learn;   /* seconds to look on before the first fault */
};

/* For a service that we started (share 1, from the first connection on), or one that runs (a tenth, after five seconds). */
void plan_defaults(struct plan *p, bool launched);
/*
 * "faults=stall+503,share=10,errors=20,seconds=60,hold=30,learn=5,dry" over what is there, or just "on"; shares are in percent.
 * 0, or -EINVAL with one line in err.
 */
int plan_parse(struct plan *p, const char *text, char *err, size_t err_size);

#endif
