/*
 * What is not short in pb_writer.h: growing, handing over, and texts from outside.
 */
#include "exporters/pb_writer.h"

#include <errno.h>
#include <stdlib.h>

#include "report/text.h"

bool pb_grow(struct pb_writer *w, size_t n)
{
	const size_t used = (size_t)(w->end - w->at), size = 2 * ((size_t)(w->end - w->start) + n);
	uint8_t *room = w->failed ? NULL : malloc(size);
	if (room == NULL) {
		w->failed = true;
		return false;
	}
	if (w->at != NULL)
		memcpy(room + size - used, w->at, used);
	if (w->owned)
		free(w->start);
	*w = (struct pb_writer){.start = room, .at = room + size - used, .end = room + size, .owned = true};
	return true;
}

int pb_end(struct pb_writer *w, struct bytes *ret)
{
	const size_t len = pb_mark(w);
	uint8_t *data = w->failed ? NULL : malloc(len > 0 ? len : 1);
	if (data != NULL) {
		if (len > 0) /* else there is no buffer yet */
			memcpy(data, w->at, len);
		*ret = (struct bytes){.data = data, .len = len};
	}
	if (w->owned)
		free(w->start);
	*w = (struct pb_writer){0};
	return data != NULL ? 0 : -ENOMEM;
}

void pb_put_text(struct pb_writer *w, uint32_t field, const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;
	if (text_is_plain(text, n)) {
		pb_put_bytes(w, field, text, n);
		return;
	}
	/* Cleaned, it is as long or shorter, and ends in a NUL, which is not put. */
	uint8_t *to = pb_room(w, n + 1);
	if (to == NULL)
		return;
	text_clean(text, (char *)to, n + 1);
	const size_t len = strlen((char *)to);
	memmove(to + n + 1 - len, to, len);
	w->at = to + n + 1 - len;
	pb_varint(w, len);
	pb_key(w, field, PB_BYTES);
}
