/* Headers as anybody may send them: "AUTHORIZATION\nHOST\nORIGIN". Only the token itself opens what a service's data is behind. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/admission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *rest = text;
	const char *part[3];
	unsigned int status = 0;

	for (size_t i = 0; i < 3; i++) {
		part[i] = strsep(&rest, "\n");
		part[i] = part[i] && *part[i] ? part[i] : NULL;
	}

	const bool right = part[0] && strcmp(part[0], "Bearer " TOKEN) == 0;
	struct admission a = {.token = TOKEN, .authorization = part[0], .host = part[1], .origin = part[2]};
	const char *closed = admission_refuses(&a, false, &status), *open = admission_refuses(&a, true, &status);

	if (!closed && !right)
		abort();
	if (closed && right && !open)
		abort();
	if (part[2] && !part[1] && !open)
		abort();
	a.local = true;
	a.uid = geteuid() + 1;
	if (a.uid != 0 && !admission_refuses(&a, false, &status))
		abort();
	if (status != 401 && status != 403)
		abort();
	a.local = false;
	a.token = NULL;
	if (!admission_refuses(&a, false, &status) && !part[1])
		abort();
	free(text);
	return 0;
}
