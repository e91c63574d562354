/*
 * Sessions that ended, in an sqlite3 file: when, how ready the service was, and which findings there were. Bounded: the oldest go first.
 *
 * One writer; the daemon's thread.
 */
#ifndef GAPSCOPE_SERVE_HISTORY_H
#define GAPSCOPE_SERVE_HISTORY_H

#include <jansson.h>
#include <stddef.h>

#define HISTORY_SESSIONS_MAX 10000U
#define HISTORY_LISTED_MAX 500U
#define HISTORY_DAMAGED ".damaged" /* behind the name of such a file */

struct history;

/* Open or make the file. One that is damaged is renamed, and another one begun: err then says so. 0, or -errno with one line in err. */
int history_open(const char *path, struct history **ret, char *err, size_t err_size);
void history_close(struct history *h);
/* Keep a session's report. 0, or -errno: then nothing was kept. */
int history_add(struct history *h, const char *service, const char *tier, const json_t *report);
/* [{service, start, end, score, findings, critical, error, warning, requests}…], the newest first; of all services if NULL. A new array; NULL if the
 * file cannot be read. */
json_t *history_list(struct history *h, const char *service);

#endif
