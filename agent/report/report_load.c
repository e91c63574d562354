/*
 * Reads reports back from files, for `gapscope report FILE…`. The caller's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"
#include "report/text.h"

int report_load(const char *path, json_t **ret, char *err, size_t err_size)
{
	bool standard_input = strcmp(path, "-") == 0;
	FILE *in = standard_input ? stdin : fopen(path, "re");
	json_error_t why;
	char what[256];
	if (in == NULL) {
		int e = errno;
		snprintf(err, err_size, "%s: cannot be read: %s", path, strerror(e));
		return -e;
	}
	json_t *report = json_loadf(in, JSON_REJECT_DUPLICATES, &why);
	bool broken = ferror(in) != 0;
	if (!standard_input)
		fclose(in);
	if (report == NULL) {
		if (broken)
			snprintf(err, err_size, "%s: cannot be read: %s", path, why.text);
		else
			snprintf(err, err_size,
				 "%s:%d:%d: not JSON: %s; give a file that `run --report` or `replay --report` wrote", path,
				 why.line, why.column, why.text);
		return broken ? -EIO : -EINVAL;
	}
	if (!report_check(report, what, sizeof what)) {
		snprintf(err, err_size, "%s: %s; give a file that `run --report` or `replay --report` wrote", path, what);
		json_decref(report);
		return -EINVAL;
	}
	/* a report may come from anywhere: it must not be able to write escapes to a terminal */
	*ret = text_clean_tree(report);
	json_decref(report);
	return *ret != NULL ? 0 : -ENOMEM;
}
