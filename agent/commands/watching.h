/*
 * What `run` and `attach` have in common: a session around processes that are watched live, from its opening to its end. Owned by the
 * command; main thread.
 */
#ifndef GAPSCOPE_COMMANDS_WATCHING_H
#define GAPSCOPE_COMMANDS_WATCHING_H

#include "commands/child.h"
#include "commands/pipeline.h"
#include "commands/probing.h"
#include "commands/proving.h"
#include "commands/tcp_watch.h"
#include "commands/tls_watch.h"

struct watching {
	struct settings settings;
	struct pipeline pipeline;
	struct ingest *ingest;
	struct proving *proving;
	struct tcp_watch *tcp;
	struct tls_watch *tls;
	struct probing *probing; /* NULL: the shim is enough so far, or there can be no probes */
	struct child child;      /* its signals only, where the service is not our child */
	char service[256];
	uint64_t seed, start_ns;
};

/* The service's name: as the settings say, else OTEL_SERVICE_NAME, else that of the program's file. */
void watching_name(struct watching *w, const char *exe);
/*
 * Everything that can be wrong with the settings is found here: the shared memory, proof mode for `service`, the exporters, the session and its
 * recording. The service has its name, and the pipeline is initialised. 0, or -errno with one line in err; what was opened is closed by
 * watching_done either way.
 */
int watching_open(struct watching *w, const char *exe, const struct proving_of *service, char *err, size_t err_size);
/* A word about the session itself, on process `pid`: through the event stream, so that a replay says it too. */
void watching_note(struct watching *w, pid_t pid, const char *text);
/* Everything that was seen is in: the recording's end, the report, the last metrics, and exporters get a moment to send what is queued. */
void watching_finish(struct watching *w);
/* Frees what it holds, but for the child. */
void watching_done(struct watching *w);

#endif
