/*
 * The durable queue of one lane: batches of encoded items in a SQLite file, oldest first. What was put survives the end of the agent,
 * however it comes; a power cut may take the last moments (WAL, synchronous=NORMAL), and never leaves half a batch.
 *
 * One process a file: a second agent gets the next file (NAME-2.db …), and an agent that starts takes over what it finds in files that
 * nobody holds. Bounded: the oldest batches go first, the one being sent excepted. A file that is damaged is set aside as NAME.db.damaged.
 *
 * Thread-safe: the keeper puts while the lane's thread takes.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_STORE_H
#define GAPSCOPE_EXPORTERS_OTLP_STORE_H

#include "exporters/otlp_queue.h"

struct otlp_store;

/* Open dir/name.db (dir is made) for at most size_max bytes of items. 0 or -errno with a line in err; on success err is "" or a warning. */
int otlp_store_open(const char *dir, const char *name, uint64_t size_max, struct otlp_store **ret, char *err, size_t err_size);
void otlp_store_close(struct otlp_store *s);
/* Weight of what is in it. */
uint64_t otlp_store_weight(struct otlp_store *s);
/* Put a batch; it is on file when this returns 0. To make room the oldest go: their weight is added to *dropped. -errno: nothing was put
 * (-ENOSPC: the disk is full; -EUCLEAN: the file was damaged and was set aside, what it held is in *dropped, and a new one is in use). */
int otlp_store_put(struct otlp_store *s, const struct otlp_item *items, size_t n, uint64_t *dropped);
/* Copies of the oldest items, at least one batch and more until weight_max or size_max: *ret and each item's bytes are the caller's. They
 * stay until otlp_store_settle. Returns how many, 0 if none, or -errno as put does. */
ssize_t otlp_store_take(struct otlp_store *s, uint64_t weight_max, size_t size_max, struct otlp_item **ret, uint64_t *dropped);
/* What was taken is done with (deleted), or stays for another try. */
void otlp_store_settle(struct otlp_store *s, bool done);

#endif
