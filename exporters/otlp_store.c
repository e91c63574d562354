/*
 * A SQLite file as a queue (otlp_store.h). Locking mode EXCLUSIVE: the file is ours from the first read on, and other agents see it taken.
 *
 * A row is a batch: its items one behind the other, each with length and weight in front, and a checksum over all.
 */
#include "exporters/otlp_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>
#include <zlib.h>

#define FILES_MAX 16U /* agents with the same destination on one machine, each with a file of its own */
#define ITEM_HEAD 8U  /* length and weight, 32 bits each, little endian */
#define PATH_ROOM 4096U

enum query { BEGIN, COMMIT, ROLLBACK, PUT, OLDEST, REMOVE, EVICT, SUM, QUERIES };

static const char *const queries[QUERIES] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[PUT] = "INSERT INTO batch(weight, size, crc, items) VALUES(?1, ?2, ?3, ?4)",
	[OLDEST] = "SELECT id, weight, crc, items FROM batch WHERE id > ?1 ORDER BY id LIMIT 1",
	[REMOVE] = "DELETE FROM batch WHERE id <= ?1",
	[EVICT] = "DELETE FROM batch WHERE id = (SELECT min(id) FROM batch WHERE id > ?1) RETURNING weight, size",
	[SUM] = "SELECT coalesce(sum(weight), 0), coalesce(sum(size), 0) FROM batch WHERE id > ?1",
};

struct otlp_store {
	pthread_mutex_t lock;
	char path[PATH_ROOM];
	sqlite3 *db;
	sqlite3_stmt *query[QUERIES];
	uint64_t size_max, size, weight; /* of what is not yet done with */
	sqlite3_int64 done;              /* rows up to it are done with, even if they could not be deleted yet */
	sqlite3_int64 taken;             /* rows up to it are being sent */
	uint64_t taken_size, taken_weight;
};

static int errno_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return -EACCES;
	default:
		return -EIO;
	}
}

/* -- the file -- */

static void disconnect(struct otlp_store *s)
{
	for (size_t i = 0; i < QUERIES; i++) {
		sqlite3_finalize(s->query[i]);
		s->query[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
}

static int quick_check(sqlite3 *db)
{
	sqlite3_stmt *q;
	int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &q, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		rc = strcmp((const char *)sqlite3_column_text(q, 0), "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
	sqlite3_finalize(q);
	return rc;
}

static int count_up(struct otlp_store *s)
{
	sqlite3_stmt *q = s->query[SUM];
	sqlite3_bind_int64(q, 1, s->done);
	int rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		s->weight = (uint64_t)sqlite3_column_int64(q, 0);
		s->size = (uint64_t)sqlite3_column_int64(q, 1);
	}
	sqlite3_reset(q);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int connect_to(struct otlp_store *s)
{
	/* the file holds what telemetry holds: for its owner's eyes */
	mode_t before = umask(077);
	int rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db,
				  "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
				  "PRAGMA journal_size_limit=4194304;"
				  "CREATE TABLE IF NOT EXISTS batch(id INTEGER PRIMARY KEY AUTOINCREMENT, weight INTEGER NOT NULL,"
				  " size INTEGER NOT NULL, crc INTEGER NOT NULL, items BLOB NOT NULL);",
				  NULL, NULL, NULL);
	umask(before);
	if (rc == SQLITE_OK)
		rc = quick_check(s->db);
	for (size_t i = 0; rc == SQLITE_OK && i < QUERIES; i++)
		rc = sqlite3_prepare_v3(s->db, queries[i], -1, SQLITE_PREPARE_PERSISTENT, &s->query[i], NULL);
	s->done = s->taken = 0;
	if (rc == SQLITE_OK)
		rc = count_up(s);
	if (rc != SQLITE_OK)
		disconnect(s);
	return rc == SQLITE_OK ? 0 : errno_of(rc);
}

/* Put the damaged file aside and begin a new one. What it held is counted as dropped by the caller. */
static int set_aside(struct otlp_store *s)
{
	char from[PATH_ROOM + 8], to[PATH_ROOM + 16];
	static const char *const parts[] = {"", "-wal", "-shm"};
	disconnect(s);
	s->weight = s->size = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		snprintf(from, sizeof from, "%s%s", s->path, parts[i]);
		snprintf(to, sizeof to, "%s.damaged%s", s->path, parts[i]);
		rename(from, to);
	}
	return connect_to(s);
}

/* The file in use failed: what now? Returns rc as errno; the damaged file's weight goes to *dropped. */
static int failed(struct otlp_store *s, int rc, uint64_t *dropped)
{
	int e = errno_of(rc);
	if (e == -EUCLEAN) {
		*dropped += s->weight;
		set_aside(s);
	}
	return e;
}

/* -- opening -- */

static struct otlp_store *store_new(const char *dir, const char *name, unsigned int number)
{
	struct otlp_store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	if (number == 1)
		snprintf(s->path, sizeof s->path, "%s/%s.db", dir, name);
	else
		snprintf(s->path, sizeof s->path, "%s/%s-%u.db", dir, name, number);
	return s;
}

void otlp_store_close(struct otlp_store *s)
{
	if (s == NULL)
		return;
	disconnect(s);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void items_free(struct otlp_item *items, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		free(items[i].bytes.data);
	free(items);
}

/* Move what an agent left behind that nobody runs any more. */
static void take_over(struct otlp_store *s, const char *dir, const char *name)
{
	for (unsigned int i = 1; i <= FILES_MAX; i++) {
		struct otlp_store *other = store_new(dir, name, i);
		uint64_t dropped = 0;
		bool ours = other == NULL || strcmp(other->path, s->path) == 0 || access(other->path, F_OK) != 0;
		if (!ours && connect_to(other) == 0) {
			struct otlp_item *items;
			ssize_t n;
			while ((n = otlp_store_take(other, UINT64_MAX, 1U << 20, &items, &dropped)) > 0) {
				int rc = otlp_store_put(s, items, (size_t)n, &dropped);
				items_free(items, n);
				otlp_store_settle(other, rc == 0);
				if (rc != 0)
					break;
			}
		}
		otlp_store_close(other);
	}
}

int otlp_store_open(const char *dir, const char *name, uint64_t size_max, struct otlp_store **ret, char *err, size_t err_size)
{
	struct otlp_store *s = NULL;
	int rc = -EBUSY;
	err[0] = '\0';
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		rc = -errno;
		snprintf(err, err_size, "%s: the folder for the queue cannot be made: %s", dir, strerror(-rc));
		return rc;
	}
	for (unsigned int i = 1; rc == -EBUSY && i <= FILES_MAX; i++) {
		otlp_store_close(s);
		s = store_new(dir, name, i);
		if (s == NULL)
			return -ENOMEM;
		s->size_max = size_max;
		rc = connect_to(s);
		if (rc == -EUCLEAN) {
			snprintf(err, err_size, "%s was damaged; it is now %s.damaged, and a new queue was begun", s->path,
				 s->path);
			rc = set_aside(s);
		}
	}
	if (rc != 0) {
		snprintf(err, err_size, "%s/%s.db: the queue cannot be opened: %s; check the folder and its permissions", dir, name,
			 strerror(-rc));
		otlp_store_close(s);
		return rc;
	}
	take_over(s, dir, name);
	*ret = s;
	return 0;
}

uint64_t otlp_store_weight(struct otlp_store *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t weight = s->weight;
	pthread_mutex_unlock(&s->lock);
	return weight;
}

/* -- batches as bytes -- */

static void put_u32(uint8_t *at, uint32_t n)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(n >> (8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int pack(const struct otlp_item *items, size_t n, struct bytes *ret, uint64_t *ret_weight)
{
	size_t len = 0, at = 0;
	uint64_t weight = 0;
	for (size_t i = 0; i < n; i++) {
		len += ITEM_HEAD + items[i].bytes.len;
		weight += items[i].weight;
	}
	if (len > INT32_MAX || weight > UINT32_MAX)
		return -EMSGSIZE;
	uint8_t *data = malloc(len + 1);
	if (data == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		put_u32(data + at, (uint32_t)items[i].bytes.len);
		put_u32(data + at + 4, (uint32_t)items[i].weight);
		memcpy(data + at + ITEM_HEAD, items[i].bytes.data, items[i].bytes.len);
		at += ITEM_HEAD + items[i].bytes.len;
	}
	*ret = (struct bytes){.data = data, .len = len};
	*ret_weight = weight;
	return 0;
}

/* Append a row's items to a list. 0, -ENOMEM, or -EBADMSG with the list as it was. */
static int unpack(const uint8_t *data, size_t len, struct otlp_item **list, size_t *n)
{
	size_t count = 0, at = 0;
	for (; len - at >= ITEM_HEAD && get_u32(data + at) <= len - at - ITEM_HEAD; count++)
		at += ITEM_HEAD + get_u32(data + at);
	if (at != len)
		return -EBADMSG;
	struct otlp_item *grown = reallocarray(*list, *n + count + 1, sizeof **list);
	if (grown == NULL)
		return -ENOMEM;
	*list = grown;
	at = 0;
	for (size_t i = 0; i < count; i++) {
		size_t item_len = get_u32(data + at);
		uint8_t *copy = malloc(item_len + 1);
		if (copy == NULL) {
			while (i-- > 0)
				free(grown[*n + i].bytes.data);
			return -ENOMEM;
		}
		memcpy(copy, data + at + ITEM_HEAD, item_len);
		grown[*n + i] = (struct otlp_item){.bytes = {.data = copy, .len = item_len}, .weight = get_u32(data + at + 4)};
		at += ITEM_HEAD + item_len;
	}
	*n += count;
	return 0;
}

static uint32_t checksum(const void *data, size_t len)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)len);
}

/* -- in and out -- */

/* Run a statement to its end: SQLITE_DONE, or what went wrong. */
static int finish(sqlite3_stmt *q)
{
	int rc;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		;
	int end = sqlite3_reset(q);
	return rc == SQLITE_DONE ? SQLITE_DONE : end;
}

/* Let the oldest go until `size` more bytes fit. What is being sent stays. */
static int make_room(struct otlp_store *s, uint64_t size, uint64_t *freed_size, uint64_t *freed_weight)
{
	sqlite3_stmt *q = s->query[EVICT];
	while (s->size - *freed_size + size > s->size_max) {
		sqlite3_bind_int64(q, 1, s->taken > s->done ? s->taken : s->done);
		int rc = sqlite3_step(q);
		if (rc == SQLITE_ROW) {
			*freed_weight += (uint64_t)sqlite3_column_int64(q, 0);
			*freed_size += (uint64_t)sqlite3_column_int64(q, 1);
			rc = finish(q);
		} else {
			sqlite3_reset(q);
			if (rc == SQLITE_DONE)
				break; /* nothing is left that may go */
		}
		if (rc != SQLITE_DONE)
			return rc;
	}
	return SQLITE_DONE;
}

static int put_locked(struct otlp_store *s, const struct bytes *row, uint64_t weight, uint64_t *dropped)
{
	uint64_t freed_size = 0, freed_weight = 0;
	int rc = finish(s->query[BEGIN]);
	if (rc == SQLITE_DONE)
		rc = make_room(s, row->len, &freed_size, &freed_weight);
	if (rc == SQLITE_DONE) {
		sqlite3_stmt *q = s->query[PUT];
		sqlite3_bind_int64(q, 1, (sqlite3_int64)weight);
		sqlite3_bind_int64(q, 2, (sqlite3_int64)row->len);
		sqlite3_bind_int64(q, 3, checksum(row->data, row->len));
		sqlite3_bind_blob(q, 4, row->data, (int)row->len, SQLITE_STATIC);
		rc = finish(q);
		sqlite3_clear_bindings(q);
	}
	if (rc == SQLITE_DONE)
		rc = finish(s->query[COMMIT]);
	if (rc != SQLITE_DONE) {
		finish(s->query[ROLLBACK]);
		return failed(s, rc, dropped);
	}
	s->size = s->size - freed_size + row->len;
	s->weight = s->weight - freed_weight + weight;
	*dropped += freed_weight;
	return 0;
}

int otlp_store_put(struct otlp_store *s, const struct otlp_item *items, size_t n, uint64_t *dropped)
{
	struct bytes row;
	uint64_t weight;
	int rc = pack(items, n, &row, &weight);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&s->lock);
	rc = s->db != NULL ? put_locked(s, &row, weight, dropped) : -EIO;
	pthread_mutex_unlock(&s->lock);
	free(row.data);
	return rc;
}

/* One more row, the one behind `after`. 1 if its items were appended, 0 if there is none or no more is wanted, or -errno. */
static int take_row(struct otlp_store *s, sqlite3_int64 *after, uint64_t *weight_left, size_t *size_left, struct otlp_item **list,
		    size_t *n, uint64_t *dropped)
{
	sqlite3_stmt *q = s->query[OLDEST];
	sqlite3_bind_int64(q, 1, *after);
	int rc = sqlite3_step(q), result = 0;
	if (rc == SQLITE_ROW) {
		uint64_t weight = (uint64_t)sqlite3_column_int64(q, 1);
		const void *data = sqlite3_column_blob(q, 3);
		size_t len = (size_t)sqlite3_column_bytes(q, 3);
		if (*n > 0 && (weight > *weight_left || len > *size_left)) {
			sqlite3_reset(q);
			return 0;
		}
		*after = sqlite3_column_int64(q, 0);
		result = checksum(data, len) == (uint32_t)sqlite3_column_int64(q, 2) ? unpack(data, len, list, n) : -EBADMSG;
		if (result == -EBADMSG) /* never sent: it goes with the others */
			*dropped += weight;
		s->taken_weight += weight;
		s->taken_size += len;
		*weight_left -= weight < *weight_left ? weight : *weight_left;
		*size_left -= len < *size_left ? len : *size_left;
		result = result == 0 || result == -EBADMSG ? 1 : result;
	} else if (rc != SQLITE_DONE) {
		result = failed(s, rc, dropped);
		return result;
	}
	sqlite3_reset(q);
	return result;
}

static void settle_locked(struct otlp_store *s, bool done)
{
	if (done && s->db != NULL) {
		/* where the disk is full this may fail: then `done` alone keeps them from being sent again, and a later one deletes them */
		sqlite3_bind_int64(s->query[REMOVE], 1, s->taken);
		finish(s->query[REMOVE]);
		s->done = s->taken;
		s->weight -= s->taken_weight < s->weight ? s->taken_weight : s->weight;
		s->size -= s->taken_size < s->size ? s->taken_size : s->size;
	}
	s->taken = s->done;
	s->taken_weight = s->taken_size = 0;
}

ssize_t otlp_store_take(struct otlp_store *s, uint64_t weight_max, size_t size_max, struct otlp_item **ret, uint64_t *dropped)
{
	struct otlp_item *list = NULL;
	size_t n = 0;
	int rc = 1;
	pthread_mutex_lock(&s->lock);
	sqlite3_int64 after = s->done;
	s->taken_weight = s->taken_size = 0;
	while (rc == 1 && s->db != NULL && (n == 0 || weight_max > 0))
		rc = take_row(s, &after, &weight_max, &size_max, &list, &n, dropped);
	if (rc >= 0) {
		s->taken = after;
		if (n == 0)
			settle_locked(s, true); /* nothing, or nothing that could be read */
	}
	pthread_mutex_unlock(&s->lock);
	if (rc < 0 || n == 0) {
		items_free(list, (ssize_t)n);
		return rc < 0 ? rc : 0;
	}
	*ret = list;
	return (ssize_t)n;
}

void otlp_store_settle(struct otlp_store *s, bool done)
{
	pthread_mutex_lock(&s->lock);
	settle_locked(s, done);
	pthread_mutex_unlock(&s->lock);
}
