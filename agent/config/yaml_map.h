/*
 * YAML files of keys with values: each pair is given to a function, and what is wrong is told with file, line and key.
 *
 * The caller's thread. Nothing of the document outlives the call.
 */
#ifndef GAPSCOPE_CONFIG_YAML_MAP_H
#define GAPSCOPE_CONFIG_YAML_MAP_H

#include <stddef.h>
#include <yaml.h>

struct yaml_reader {
	void *user; /* of who reads */
	const char *path;
	yaml_document_t doc;
	char *err;
	size_t err_size;
};

/*
 * One pair: `path` is the key with the keys above it, "detectors.retry"; `word` the key alone; `index` as given to yaml_each_pair. The
 * value's mark is that of the key. 0, or -errno after yaml_fail.
 */
typedef int (*yaml_pair_fn)(struct yaml_reader *r, size_t index, const char *path, const char *word, const yaml_node_t *value);

/* Read text, the top level by fn. `path` is for messages. 0, or -errno with one line in err: "FILE:LINE: KEY: what is wrong". */
int yaml_parse(const char *path, const char *text, size_t len, yaml_pair_fn fn, void *user, char *err, size_t err_size);
/* The same from a file of at most LIMIT_CONFIG_BYTES. */
int yaml_load(const char *path, yaml_pair_fn fn, void *user, char *err, size_t err_size);
/* Each pair of a mapping; the prefix is what stands before its keys in messages. */
int yaml_each_pair(struct yaml_reader *r, const yaml_node_t *map, size_t index, const char *prefix, yaml_pair_fn fn);
/* Text of a single value, the document's; NULL if it is a list or mapping, or holds a NUL. */
const char *yaml_text(const yaml_node_t *n);
/* Write the message; returns -EINVAL. */
int yaml_fail(struct yaml_reader *r, const yaml_node_t *at, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
