/*
 * See knock.h.
 */
#include "prove/knock.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 256U
#define SYN_SENT 2U

bool knock_parse(const char *line, uint16_t port, uint32_t *ret_from, uint32_t *ret_row)
{
	char to[40];
	unsigned int from, to_port, state;
	uint32_t at;

	if (sscanf(line, " %*u: %*[0-9A-F]:%x %39[0-9A-F]:%x %x", &from, to, &to_port, &state) != 4 || state != SYN_SENT ||
	    to_port != port || (strlen(to) != 8 && strlen(to) != 32))
		return false;
	/* The last four bytes, in the order that they have in memory. */
	if (sscanf(to + strlen(to) - 8, "%x", &at) != 1)
		return false;
	const uint32_t row = ntohl(at) - WIRE_FAULT_NET - 1;

	if (row >= WIRE_FAULT_PEERS)
		return false;
	*ret_from = from;
	*ret_row = row;
	return true;
}

static void saw(struct knocks *k, const struct pair_env *env, uint32_t from, uint32_t row)
{
	struct knock *free_one = NULL;

	for (size_t i = 0; i < KNOCKS_MAX; i++) {
		if (k->list[i].port == from) {
			k->list[i].seen = true;
			return;
		}
		if (!k->list[i].port && !free_one)
			free_one = &k->list[i];
	}
	if (!free_one)
		return;
	*free_one = (struct knock){.port = from, .row = row, .since_ns = env->now_ns, .seen = true};
	pair_say(env, &(struct relay_said){.what = RELAY_ASKED, .kind = FAULT_CONNECT, .row = row});
}

static void read_table(struct knocks *k, const struct pair_env *env, const char *path)
{
	char line[LINE_BYTES];
	uint32_t from, row;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		if (knock_parse(line, env->fault->silent_port, &from, &row))
			saw(k, env, from, row);
	if (f)
		fclose(f);
}

static void tell(const struct pair_env *env, const struct knock *n, enum relay_what what)
{
	const uint64_t waited_ns = env->now_ns - n->since_ns;

	pair_say(env, &(struct relay_said){
			      .what = what, .kind = FAULT_CONNECT, .row = n->row, .waited_ns = waited_ns, .whole_ns = waited_ns});
}

void knocks_look(struct knocks *k, const struct pair_env *env)
{
	for (size_t i = 0; i < KNOCKS_MAX; i++)
		k->list[i].seen = false;
	read_table(k, env, "/proc/self/net/tcp");
	read_table(k, env, "/proc/self/net/tcp6");
	for (size_t i = 0; i < KNOCKS_MAX; i++) {
		struct knock *n = &k->list[i];

		if (!n->port)
			continue;
		if (n->seen && !n->told && env->now_ns - n->since_ns >= env->hold_ns) {
			tell(env, n, RELAY_WAITED);
			n->told = true;
		} else if (!n->seen) {
			if (!n->told)
				tell(env, n, RELAY_GAVE_UP);
			n->port = 0;
		}
	}
}

void knocks_end(struct knocks *k, const struct pair_env *env)
{
	for (size_t i = 0; i < KNOCKS_MAX; i++) {
		if (k->list[i].port && !k->list[i].told)
			tell(env, &k->list[i], RELAY_FREED);
		k->list[i].port = 0;
	}
}
