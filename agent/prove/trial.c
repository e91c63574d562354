/*
 * See trial.h.
 */
#include "prove/trial.h"

#define OUTLIVED 3 / 2

static void add_give_up(struct trial *t, uint64_t ns, uint64_t whole_ns)
{
	t->gave_up++;
	if (t->gave_up == 1 || ns < t->least_ns) {
		t->least_ns = ns;
		t->whole_ns = whole_ns;
	}
	if (ns > t->most_ns)
		t->most_ns = ns;
}

void trial_hears(struct trial *t, const struct relay_said *said, uint64_t stall_ns)
{
	if (said->kind != (uint32_t)t->kind)
		return;
	switch ((enum relay_what)said->what) {
	case RELAY_ASKED:
		t->asked++;
		return;
	case RELAY_GAVE_UP:
		add_give_up(t, said->waited_ns, said->whole_ns);
		break;
	case RELAY_WAITED:
		t->waited++;
		break;
	case RELAY_FREED:
		/* The whole outlived what the service waits for one byte: nothing bounds it that is as short. */
		t->waited += t->kind == FAULT_DRIP && stall_ns && said->waited_ns > OUTLIVED * stall_ns;
		break;
	case RELAY_CUT:
		t->cut++;
		return;
	case RELAY_UNFIT:
		t->unfit++;
		return;
	}
	t->over++;
	if (said->what != RELAY_GAVE_UP && said->waited_ns > t->waited_ns)
		t->waited_ns = said->waited_ns;
}

const char *trial_outcome(const struct trial *t)
{
	if (t->affected == 0)
		return "not_reached";
	if (!*faults[t->kind].phase)
		return t->kind == FAULT_REFUSE || t->cut ? "attempts" : t->unfit ? "unfit" : "unclear";
	if (t->waited)
		return "waited";
	return t->gave_up ? "gave_up" : t->unfit ? "unfit" : "unclear";
}
