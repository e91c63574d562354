/*
 * A bounded queue of encoded items: a ring that doubles while it may.
 */
#include "exporters/otlp_queue.h"

#include <stdlib.h>

void otlp_queue_init(struct otlp_queue *q, uint64_t weight_max)
{
	*q = (struct otlp_queue){.weight_max = weight_max};
}

static bool grow(struct otlp_queue *q)
{
	size_t room = q->room == 0 ? 64 : q->room * 2;
	struct otlp_item *items = calloc(room, sizeof *items);
	if (items == NULL)
		return false;
	for (size_t i = 0; i < q->n; i++)
		items[i] = q->items[(q->first + i) % q->room];
	free(q->items);
	q->items = items;
	q->room = room;
	q->first = 0;
	return true;
}

bool otlp_queue_push(struct otlp_queue *q, const struct otlp_item *item)
{
	if (q->weight + item->weight > q->weight_max || (q->n == q->room && !grow(q)))
		return false;
	q->items[(q->first + q->n) % q->room] = *item;
	q->n++;
	q->weight += item->weight;
	return true;
}

size_t otlp_queue_take(struct otlp_queue *q, uint64_t weight_max, size_t size_max, struct otlp_item *out, size_t out_max)
{
	uint64_t weight = 0;
	size_t size = 0, n = 0;
	while (q->n > 0 && n < out_max) {
		const struct otlp_item *item = &q->items[q->first];
		if (n > 0 && (weight + item->weight > weight_max || size + item->bytes.len > size_max))
			break;
		weight += item->weight;
		size += item->bytes.len;
		out[n++] = *item;
		q->first = (q->first + 1) % q->room;
		q->n--;
	}
	q->weight -= weight;
	return n;
}

void otlp_queue_done(struct otlp_queue *q)
{
	for (size_t i = 0; i < q->n; i++)
		free(q->items[(q->first + i) % q->room].bytes.data);
	free(q->items);
	otlp_queue_init(q, q->weight_max);
}
