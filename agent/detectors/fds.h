/*
 * The descriptor leaks' detector: what its files share. Private to them; the session's thread.
 *
 *   fds.c         sites: by process, call site and kind, the descriptions that are open
 *   fds_groups.c  groups: by process and pattern, what samples of /proc count
 *   fds_places.c  places: by descriptor, the call site that made what the groups count
 */
#ifndef GAPSCOPE_DETECTORS_FDS_H
#define GAPSCOPE_DETECTORS_FDS_H

#include "core/hash.h"
#include "core/samples.h"
#include "detectors/detector.h"
#include "detectors/evidence.h"
#include "detectors/growth.h"

#define FDS_LATER_OPENS 3U /* that would have taken what lay idle */
#define FDS_PLACE_MIN 4U   /* descriptors that a place made, to be named */

enum { FDS_O_MIN, FDS_O_FILES_MIN, FDS_O_GROUP_MIN, FDS_O_SECONDS, FDS_O_IDLE, FDS_OPTIONS };
extern const struct rule fds_rules[];

struct fds_group {
	struct growth growth;
	uint32_t pid;
	uint32_t kind;
	uint32_t stack; /* where they come from, 0 = unknown; of the first time that it was told */
	uint64_t n, told, first_ns, last_ns;
	struct fds_group *next;
	char pattern[LIMIT_PEER_TEXT];
};

struct fds_process {
	uint32_t pid;
	struct sample_process sample;
	uint64_t sample_ns;
	UT_hash_handle hh;
};

struct fds {
	struct detector_env env;
	struct opened *opened;
	struct site *sites;
	struct fds_group *groups;
	size_t groups_n;
	struct fds_place *places;
	struct fds_process *processes;
	uint64_t judged_ns;
};

/* fds.c: what is known of a process; made if need be and wanted, else NULL. */
struct fds_process *fds_process_of(struct fds *d, uint32_t pid, bool make);
/* How many that call sites made of which a leak was told may be counted in this group, too. */
uint64_t fds_told_of(const struct fds *d, uint32_t pid, const char *pattern);

/* fds_groups.c */
void fds_group_sample(struct fds *d, const struct event *e);
/* Those of one process, or of all (pid 0); while it goes on, or at the end. */
void fds_judge_groups(struct fds *d, uint32_t pid, bool under_way);
void fds_forget_groups(struct fds *d, uint32_t pid); /* likewise */

/* fds_places.c: a call that makes or closes a descriptor; the stack that made most of a group's descriptors that are open, or 0. */
void fds_place_event(struct fds *d, const struct event *e);
uint32_t fds_place_of(const struct fds *d, uint32_t pid, const char *pattern);
void fds_forget_places(struct fds *d, uint32_t pid); /* of one process, or of all (pid 0) */
/* What a path or a group's pattern leads to: of its last part, numbers made #, as agent/sample groups them. That a file is gone meanwhile is no
 * matter. Two meet that may be the same. */
#define FDS_SORT_ANY 0U
uint64_t fds_sort(const char *path, size_t len);
uint64_t fds_sort_made(const struct event *e); /* of what this call made */
bool fds_sorts_meet(uint64_t a, uint64_t b);

/* fds_groups.c: what is known of the limit, into the evidence. True: it is near, or soon will be. */
bool fds_limit_evidence(json_t *evidence, const struct fds_process *p, double per_s);

#endif
