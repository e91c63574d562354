/*
 * A block is taken apart into its representations; each goes to nghttp2 by itself, unless it refers to an entry of the dynamic table
 * that was made before we came. Such an entry cannot be known, but those made since count from the newest on, so they can. See hpack.h.
 */
#include "protocols/hpack.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#define STATIC_ENTRIES 61U
#define TABLE_MAX 65536U
#define PIECE_MAX 4096U

struct hpack {
	nghttp2_hd_inflater *inflater;
	bool doubt;
};

struct piece {
	const uint8_t *at; /* its first byte */
	size_t len;
	unsigned int prefix; /* bits of the number in the first byte */
	uint64_t index;
	size_t value; /* offset of what follows the name's number */
	bool literal, indexing, resize;
};

static bool renew(struct hpack *h)
{
	if (h->inflater)
		nghttp2_hd_inflate_del(h->inflater);
	h->inflater = NULL;
	if (nghttp2_hd_inflate_new(&h->inflater) != 0)
		return false;
	/* What was agreed on may not have been seen. A sender says it in its block when it uses another size. */
	nghttp2_hd_inflate_change_table_size(h->inflater, TABLE_MAX);
	return true;
}

struct hpack *hpack_new(void)
{
	struct hpack *h = calloc(1, sizeof(*h));

	if (h && !renew(h)) {
		free(h);
		h = NULL;
	}
	return h;
}

void hpack_free(struct hpack *h)
{
	if (!h)
		return;
	if (h->inflater)
		nghttp2_hd_inflate_del(h->inflater);
	free(h);
}

void hpack_lose(struct hpack *h)
{
	renew(h);
}

void hpack_doubt(struct hpack *h, bool doubt)
{
	h->doubt = doubt;
}

/* An integer with a prefix of `bits` (RFC 7541 5.1); false if it is cut or too large. */
static bool integer(const uint8_t *b, size_t len, size_t *at, unsigned int bits, uint64_t *ret)
{
	uint64_t mask = (1U << bits) - 1;

	if (*at >= len)
		return false;
	*ret = b[(*at)++] & mask;
	if (*ret < mask)
		return true;
	for (unsigned int shift = 0; shift < 28 && *at < len; shift += 7) {
		uint8_t c = b[(*at)++];
		*ret += (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

static bool text(const uint8_t *b, size_t len, size_t *at)
{
	uint64_t n;

	if (!integer(b, len, at, 7, &n) || n > len - *at)
		return false;
	*at += (size_t)n;
	return true;
}

/* The next representation (RFC 7541 6). */
static bool next_piece(const uint8_t *b, size_t len, struct piece *ret)
{
	uint8_t first = b[0];
	size_t at = 0;

	*ret = (struct piece){.at = b};
	ret->prefix = first & 0x80 ? 7 : first & 0x40 ? 6 : first & 0x20 ? 5 : 4;
	ret->resize = ret->prefix == 5;
	ret->literal = ret->prefix == 6 || ret->prefix == 4;
	ret->indexing = ret->prefix == 6;
	if (!integer(b, len, &at, ret->prefix, &ret->index))
		return false;
	ret->value = at;
	if (ret->literal && ((ret->index == 0 && !text(b, len, &at)) || !text(b, len, &at)))
		return false;
	ret->len = at;
	return true;
}

static bool inflate(struct hpack *h, const uint8_t *bytes, size_t len, hpack_field_fn field, void *ctx)
{
	while (len) {
		nghttp2_nv nv;
		int flags = 0;
		ssize_t n = nghttp2_hd_inflate_hd2(h->inflater, &nv, &flags, bytes, len, 0);
		if (n < 0)
			return false;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) && field)
			field(ctx, nv.name, nv.namelen, nv.value, nv.valuelen);
		if (n == 0 && !(flags & NGHTTP2_HD_INFLATE_EMIT))
			return true;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* A literal whose name we cannot know still takes its place in the table. */
static bool stand_in(struct hpack *h, const struct piece *p)
{
	static const uint8_t name[] = {0x40, 1, '?'};
	uint8_t buf[PIECE_MAX];
	size_t n = p->len - p->value;

	if (n > sizeof(buf) - sizeof(name))
		return false;
	memcpy(buf, name, sizeof(name));
	memcpy(buf + sizeof(name), p->at + p->value, n);
	return inflate(h, buf, sizeof(name) + n, NULL, NULL);
}

static bool known(struct hpack *h, const struct piece *p)
{
	return p->resize || p->index <= STATIC_ENTRIES || p->index <= nghttp2_hd_inflate_get_num_table_entries(h->inflater);
}

bool hpack_block(struct hpack *h, const uint8_t *bytes, size_t len, bool cut, hpack_field_fn field, void *ctx)
{
	struct piece p;
	bool fine = h->inflater != NULL;

	while (fine && len && next_piece(bytes, len, &p)) {
		if (!p.literal && !p.resize && p.index == 0)
			fine = false;
		else if (known(h, &p))
			fine = inflate(h, p.at, p.len, h->doubt && p.index > STATIC_ENTRIES ? NULL : field, ctx);
		else if (p.indexing)
			fine = stand_in(h, &p);
		bytes += p.len;
		len -= p.len;
	}
	if (h->inflater && fine)
		nghttp2_hd_inflate_end_headers(h->inflater);
	/* With entries missing at the end, those before can no longer be counted. */
	if (!fine || len || cut)
		hpack_lose(h);
	return fine && (cut || !len);
}
