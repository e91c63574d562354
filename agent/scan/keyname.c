/*
 * The name before a value (keyname.h).
 */
#include "scan/keyname.h"

#include <string.h>

#define SKIPPED_MAX 16U

size_t keyname_wide_letter(const struct text *t, size_t end)
{
	if ((text_at(t, end - 1) & 0xc0) != 0x80)
		return 0;
	uint8_t lead = text_at(t, end - 2);
	if ((lead & 0xc0) != 0x80)
		return lead >= 0xc3 && lead <= 0xdb && lead != 0xcb ? 2 : 0; /* not U+0080 to U+00BF, which are signs */
	lead = text_at(t, end - 3);
	bool signs = lead == 0xe3 && text_at(t, end - 2) == 0x80; /* CJK punctuation */
	return (lead == 0xe0 || lead == 0xe1 || (lead >= 0xe3 && lead <= 0xed)) && !signs ? 3 : 0;
}

/* Puts a letter of UTF-8 at the name's beginning. In scripts that do not divide words each character may begin one. */
static void prepend_letter(const struct text *t, size_t end, size_t width, struct keyname *ret)
{
	bool starts = width == 3 || keyname_letter(t, end - width) == 0;
	for (size_t k = 1; k <= width; k++)
		ret->reversed[ret->n++] = (char)t->bytes[end - k];
	ret->starts |= (uint32_t)starts << (ret->n - 1);
}

bool keyname_before(const struct text *t, size_t end, struct keyname *ret)
{
	size_t i = end;
	for (unsigned int skipped = 0; i > 0 && keyname_letter(t, i) == 0; i--) {
		if ((t->bytes[i - 1] != '\\' && ++skipped > 6) || end - i > SKIPPED_MAX || t->bytes[i - 1] == '\n')
			return false;
	}
	*ret = (struct keyname){0};
	while (i > 0 && ret->n < KEYNAME_MAX) {
		uint8_t c = t->bytes[i - 1], before = text_at(t, i - 2);
		size_t width = keyname_letter(t, i);
		if (width > 1) {
			if (ret->n + width > KEYNAME_MAX)
				break;
			prepend_letter(t, i, width, ret);
			i -= width;
			continue;
		}
		if (is_hex(c) && is_hex(before) && text_at(t, i - 3) == '%' && ret->n > 0) {
			/* user%5Bcpf: the name begins behind what is written so */
			ret->starts |= 1U << (ret->n - 1);
			break;
		}
		if (!is_alnum(c)) {
			/* one separator joins two words, anything more ends the name */
			if (!keyname_joins(c) || i < 2 || keyname_letter(t, i - 1) == 0)
				break;
			i--;
			continue;
		}
		bool starts = !is_alnum(before) || (is_upper(c) && is_lower(before)) || (is_alpha(c) && is_digit(before)) ||
			      (is_upper(c) && is_upper(before) && is_lower(text_at(t, i))) ||
			      (before == 'D' && is_lower(c) && text_at(t, i - 3) == '-'); /* java -Dpassword= */
		ret->reversed[ret->n] = (char)lower(c);
		ret->starts |= (uint32_t)starts << ret->n;
		ret->n++;
		i--;
	}
	ret->start = i;
	return ret->n > 0;
}

static bool held_at(const struct keyname *k, size_t from, const char *words, size_t n)
{
	if (from + n > k->n || (k->starts >> (from + n - 1) & 1) == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (k->reversed[from + i] != words[n - 1 - i])
			return false;
	}
	return true;
}

bool keyname_ends_in(const struct keyname *k, const char *words, size_t n)
{
	return held_at(k, 0, words, n);
}

bool keyname_ends_as(const struct keyname *k, const char *words, size_t n)
{
	size_t i = 0;
	while (i < n && i < k->n && k->reversed[i] == words[n - 1 - i])
		i++;
	return i == n;
}

bool keyname_ends(const struct keyname *k, const char *words)
{
	return held_at(k, 0, words, strlen(words));
}

bool keyname_has(const struct keyname *k, const char *words)
{
	return keyname_has_of(k, words, strlen(words));
}

bool keyname_has_of(const struct keyname *k, const char *words, size_t n)
{
	/* from the beginning of each word on: there are fewer of them than letters */
	for (uint32_t left = n > 0 && n <= k->n ? k->starts >> (n - 1) : 0; left != 0; left &= left - 1) {
		if (held_at(k, (size_t)__builtin_ctz(left), words, n))
			return true;
	}
	return false;
}

bool keyname_has_word(const struct keyname *k, const char *word)
{
	size_t n = strlen(word);
	for (size_t from = 0; from + n <= k->n; from++) {
		if (held_at(k, from, word, n) && (from == 0 || (k->starts >> (from - 1) & 1) != 0))
			return true;
	}
	return false;
}

bool keyname_card(const struct keyname *k)
{
	static const char *const names[] = {"card",     "cards",  "pan",        "cc",      "ccnum",
					    "ccnumber", "cardno", "cardnumber", "cardnum", "creditcard"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (keyname_has(k, names[i]))
			return true;
	}
	return false;
}

/* Where the name goes on before a last word that says only that a number follows: "order number", "trackingNo". */
static size_t past_number(const struct keyname *k)
{
	static const char *const words[] = {"number", "num", "no", "nr"};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (keyname_ends(k, words[i]) && k->n > strlen(words[i]))
			return strlen(words[i]);
	}
	return 0;
}

/* "shardid": a last word that ends in "id" and is no other word. */
static bool is_id(const struct keyname *k)
{
	static const char *const others[] = {"paid", "unpaid", "prepaid", "valid", "invalid", "void", "said", "bid", "aid"};
	if (k->n < 4 || k->reversed[0] != 'd' || k->reversed[1] != 'i')
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (keyname_ends(k, others[i]))
			return false;
	}
	return true;
}

bool keyname_counts(const struct keyname *k)
{
	static const char *const names[] = {
		"id",        "ids",         "offset",   "seq",   "sequence", "bytes",    "byte",       "ts",          "time",
		"timestamp", "nano",        "nanos",    "us",    "ms",       "ns",       "micros",     "millis",      "span",
		"trace",     "block",       "blk",      "size",  "rows",     "count",    "total",      "txn",         "tx",
		"xid",       "transaction", "snapshot", "order", "ref",      "build",    "version",    "part",        "sku",
		"range",     "serial",      "hash",     "pid",   "tid",      "port",     "latency",    "duration",    "heap",
		"length",    "len",         "epoch",    "index", "lsn",      "cursor",   "generation", "revision",    "checksum",
		"crc",       "nonce",       "zxid",     "uuid",  "request",  "session",  "memory",     "capacity",    "commit",
		"eui64",     "reference",   "uid",      "seed",  "position", "pos",      "key",        "value",       "elapsed",
		"gid",       "rid",         "cid",      "oid",   "mid",      "orderid",  "txid",       "traceid",     "spanid",
		"requestid", "userid",      "msgid",    "jobid", "parcel",   "tracking", "shipment",   "consignment", "waybill",
		"awb",       "barcode",     "ticket",   "iccid", "device",   "package",  "invoice",    "meter",       "hw",
		"hwm",       "lag",         "delta",
	};
	size_t from = past_number(k);
	if (is_id(k))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (held_at(k, from, names[i], strlen(names[i])))
			return true;
	}
	return false;
}

bool keyname_thing(const struct keyname *k)
{
	static const char *const names[] = {
		"job",       "task",        "event",       "row",          "doc",         "object",   "item",      "product",
		"entity",    "node",        "batch",       "execution",    "workflow",    "process",  "thread",    "conversation",
		"chat",      "channel",     "group",       "team",         "tenant",      "org",      "campaign",  "tweet",
		"photo",     "video",       "media",       "file",         "inode",       "chunk",    "extent",    "page",
		"partition", "shard",       "segment",     "frame",        "packet",      "flow",     "stream",    "connection",
		"conn",      "socket",      "topic",       "queue",        "lock",        "lease",    "lot",       "container",
		"volume",    "sensor",      "reading",     "sample",       "wei",         "gas",      "slot",      "round",
		"ledger",    "tick",        "counter",     "random",       "salt",        "bucket",   "cell",      "user",
		"customer",  "member",      "client",      "visitor",      "delivery",    "incident", "alert",     "rule",
		"policy",    "quote",       "claim",       "contract",     "reservation", "booking",  "flight",    "trip",
		"ride",      "visit",       "vehicle",     "operation",    "op",          "command",  "query",     "statement",
		"rpc",       "correlation", "worker",      "subscription", "cluster",     "shipment", "watermark", "checkpoint",
		"backup",    "changeset",   "fingerprint", "digest",
	};
	size_t from = past_number(k);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (held_at(k, from, names[i], strlen(names[i])))
			return true;
	}
	return false;
}
