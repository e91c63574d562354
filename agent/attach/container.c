/*
 * Reads what container runtimes have on file. See container.h.
 */
#include "attach/container.h"

#include <ctype.h>
#include <fnmatch.h>
#include <glob.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (4 << 20) /* bytes of one container's description */

/* Where a description lies, %s for the id, and how to the labels in it. */
static const struct place {
	const char *path;
	const char *outer, *inner; /* members; inner NULL: the outer one has the labels */
} places[] = {
	{"/var/lib/docker/containers/%s/config.v2.json", "Config", "Labels"},
	{"/run/containerd/io.containerd.runtime.v2.task/*/%s/config.json", "annotations", NULL},
	{"/run/containers/storage/overlay-containers/%s/userdata/config.json", "annotations", NULL},
	{"/var/lib/containers/storage/overlay-containers/%s/userdata/config.json", "annotations", NULL},
	{"/home/*/.local/share/containers/storage/overlay-containers/%s/userdata/config.json", "annotations", NULL},
};

/* CRI-O keeps a container's labels in one annotation, as JSON. */
#define CRIO_LABELS "io.kubernetes.cri-o.Labels"

/* From a container the machine's files are seen through its first process, if we may look. */
static const char *const machines[] = {"", "/proc/1/root"};

bool container_id(const char *root, pid_t pid, char id[CONTAINER_ID])
{
	char path[PATH_MAX], line[PATH_MAX];
	bool found = false;

	snprintf(path, sizeof(path), "%s/proc/%d/cgroup", root, (int)pid);

	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		for (const char *at = line; *at;) {
			const size_t n = strspn(at, "0123456789abcdef");

			if (n == CONTAINER_ID - 1 && !isalnum((unsigned char)at[n])) {
				memcpy(id, at, n);
				id[n] = '\0';
				found = true;
			}
			at += n;
			/* a word that only ends in such digits is none: go on behind the word */
			while (*at && isalnum((unsigned char)*at))
				at++;
			while (*at && !isalnum((unsigned char)*at))
				at++;
		}
	}
	if (f)
		fclose(f);
	return found;
}

static json_t *description(const char *path)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	json_t *o = NULL;

	if (f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX)
		o = json_loadf(f, 0, NULL);
	if (f)
		fclose(f);
	return o;
}

static bool among(const json_t *labels, const char *key, const char *value)
{
	const char *has = json_string_value(json_object_get(labels, key));

	return has && (!value || fnmatch(value, has, 0) == 0);
}

static bool file_has(const char *path, const struct place *p, const char *key, const char *value)
{
	json_t *o = description(path);
	const json_t *labels = json_object_get(o, p->outer);

	if (p->inner)
		labels = json_object_get(labels, p->inner);

	const char *more = json_string_value(json_object_get(labels, CRIO_LABELS));
	json_t *crio = more ? json_loads(more, 0, NULL) : NULL;
	const bool found = among(labels, key, value) || among(crio, key, value);

	json_decref(crio);
	json_decref(o);
	return found;
}

bool container_has_label(const char *root, const char *id, const char *label)
{
	char key[256], pattern[PATH_MAX], path[PATH_MAX];
	const char *equals = strchr(label, '=');
	bool found = false;

	snprintf(key, sizeof(key), "%.*s", equals ? (int)(equals - label) : (int)strlen(label), label);
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		for (size_t p = 0; p < sizeof(places) / sizeof(*places) && !found; p++) {
			glob_t g;

			snprintf(path, sizeof(path), "%s%s%s", root, machines[i], places[p].path);
			/* the pattern has one %s; the id is hexadecimal digits only */
			const char *at = strstr(path, "%s");
			snprintf(pattern, sizeof(pattern), "%.*s%s%s", (int)(at - path), path, id, at + 2);
			if (glob(pattern, GLOB_NOSORT, NULL, &g) == 0)
				for (size_t k = 0; k < g.gl_pathc && !found; k++)
					found = file_has(g.gl_pathv[k], &places[p], key, equals ? equals + 1 : NULL);
			globfree(&g);
		}
	return found;
}
