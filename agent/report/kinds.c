/*
 * A table of kinds, each at the one place that its names lead to: the one that was there before is forgotten. See kinds.h.
 */
#include "report/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "report/areas.h"

#define PLACES 256U
#define LOOK 24U /* bytes of a text that its place depends on */

struct kinds {
	struct kind kinds[PLACES];
	struct kind *last; /* that was asked for, or NULL: it is often asked for again */
};

struct kinds *kinds_new(void)
{
	return calloc(1, sizeof(struct kinds));
}

void kinds_free(struct kinds *k)
{
	free(k);
}

static uint32_t fold(uint32_t h, const char *text)
{
	for (unsigned int i = 0; i < LOOK && text[i] != '\0'; i++)
		h = h * 31 + (unsigned char)text[i];
	return h;
}

static const char *peer_of(const struct request *r)
{
	return r->conn != NULL ? r->conn->peer : "";
}

static const char *server_name_of(const struct request *r)
{
	return r->conn != NULL ? r->conn->handshake.server_name : "";
}

static size_t place_of(const struct request *r)
{
	uint32_t h = (uint32_t)r->status * 7 + (uint32_t)r->end * 3 + r->server + (uint32_t)r->area * 5;
	h = fold(fold(fold(h, r->method), r->summary), r->target);
	if (!r->server)
		h = fold(fold(h, r->host), peer_of(r));
	return (h ^ h >> 8 ^ h >> 16) % PLACES;
}

/* Most of these texts are empty, and a call for each costs more than to see that. */
static inline bool same(const char *a, const char *b)
{
	return a[0] == b[0] && (a[0] == '\0' || strcmp(a, b) == 0);
}

static bool fits(const struct kind *k, const struct request *r)
{
	if (!k->used || k->server != r->server || k->failed != r->failed || k->area != r->area || k->way != r->way ||
	    k->end != r->end || k->end_unseen != r->end_unseen || k->status != r->status || k->version != r->version ||
	    k->protocol != r->protocol || k->system != r->system || k->encrypted != request_is_encrypted(r))
		return false;
	if (!same(k->method, r->method) || !same(k->status_text, r->status_text) || !same(k->space, r->space) ||
	    !same(k->target, r->target) || !same(k->summary, r->summary))
		return false;
	return r->server || (same(k->host, r->host) && same(k->peer, peer_of(r)) && same(k->server_name, server_name_of(r)));
}

#define COPY(to, from) memcpy(to, from, strlen(from) + 1)

struct kind *kinds_of(struct kinds *kinds, const struct request *r)
{
	struct kind *k = kinds->last;
	char text[16];

	if (k != NULL && fits(k, r))
		return k;
	kinds->last = k = &kinds->kinds[place_of(r)];
	if (fits(k, r))
		return k;
	*k = (struct kind){
		.used = true,
		.server = r->server,
		.failed = r->failed,
		.encrypted = request_is_encrypted(r),
		.area = r->area,
		.way = r->way,
		.end = r->end,
		.end_unseen = r->end_unseen,
		.status = r->status,
		.version = r->version,
		.protocol = r->protocol,
		.system = r->system,
		.error = request_error_type(r, text, sizeof text) != NULL,
	};
	COPY(k->method, r->method);
	COPY(k->status_text, r->status_text);
	COPY(k->space, r->space);
	COPY(k->target, r->target);
	COPY(k->summary, r->summary);
	if (!r->server) {
		COPY(k->host, r->host);
		COPY(k->peer, peer_of(r));
		COPY(k->server_name, server_name_of(r));
	}
	return k;
}
