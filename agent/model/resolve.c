/*
 * Names learnt from the resolver: address → name, for one process and its descendants. The newest look-up wins; at LIMIT_NAMES the
 * oldest name is forgotten. Owned by the model; the session's thread only.
 */
#include <stdlib.h>
#include <string.h>

#include "model/private.h"

struct name_key {
	uint64_t tree;
	uint8_t addr[16];
};

struct name {
	struct name_key key;
	char *text;
	UT_hash_handle hh;
};

static struct name *find(const struct model *m, const struct name_key *key)
{
	struct name *n;

	HASH_FIND(hh, m->names, key, sizeof(*key), n);
	return n;
}

static void forget(struct model *m, struct name *n)
{
	HASH_DELETE(hh, m->names, n);
	m->n_names--;
	free(n->text);
	free(n);
}

static void learn(struct model *m, uint64_t tree, const uint8_t addr[16], const char *text)
{
	struct name_key key = {.tree = tree};

	memcpy(key.addr, addr, 16);
	struct name *n = find(m, &key);
	if (n)
		forget(m, n);
	if (m->n_names >= LIMIT_NAMES) {
		m->counters->limit[LIMIT_REACHED_NAMES]++;
		forget(m, m->names);
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return;
	n->key = key;
	n->text = strdup(text);
	if (n->text)
		HASH_ADD(hh, m->names, key, sizeof(n->key), n);
	if (!n->text || !find(m, &key)) {
		free(n->text);
		free(n);
		return;
	}
	m->n_names++;
}

const char *resolve_name(const struct model *m, uint64_t tree, const uint8_t addr[16])
{
	struct name_key key = {.tree = tree};

	memcpy(key.addr, addr, 16);
	const struct name *n = find(m, &key);
	return n ? n->text : NULL;
}

/* A name as it may stand in a report: printable and bounded. */
static void name_text(char *out, size_t size, const uint8_t *bytes, size_t len)
{
	size_t n = len < size - 1 ? len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = bytes[i] > 32 && bytes[i] < 127 ? (char)bytes[i] : '?';
	out[n] = '\0';
}

void resolve_on_resolve(struct model *m, struct proc *p, const struct event *e)
{
	struct wire_resolve head = {0};
	char text[LIMIT_PEER_TEXT] = "";
	size_t at = sizeof(head);

	if (e->data_len >= sizeof(head)) {
		memcpy(&head, e->data, sizeof(head));
		if (head.name_len <= e->data_len - at) {
			name_text(text, sizeof(text), e->data + at, head.name_len);
			at += head.name_len;
			for (unsigned int i = 0; i < head.addresses && text[0] && e->data_len - at >= 16; i++, at += 16)
				learn(m, p->tree, e->data + at, text);
		}
	}
	TELL(m, resolve,
	     &(struct resolve){
		     .process = &p->pub, .event = e, .name = text, .code = (int)e->ret, .addresses = (unsigned int)e->a0});
	wait_tell(m, p, e,
		  (struct wait){.op = WAIT_RESOLVE,
				.how = WAIT_BY_CALL,
				.outcome = e->ret == 0 ? WAIT_READY : WAIT_FAILED,
				.limit_ns = WAIT_UNKNOWN,
				.covers = 1});
}

void resolve_done(struct model *m)
{
	while (m->names)
		forget(m, m->names);
}
