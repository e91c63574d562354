/*
 * Spans that a sampler left out, kept for a while: a finding may name one later, and is no use without it. Owner: one exporter, on its
 * thread.
 */
#ifndef GAPSCOPE_EXPORTERS_OTLP_SPARE_H
#define GAPSCOPE_EXPORTERS_OTLP_SPARE_H

#include <stdbool.h>

#include "exporters/otlp_encode.h"

struct otlp_spare;

struct otlp_spare *otlp_spare_new(void);
void otlp_spare_free(struct otlp_spare *s);
/* Keep an encoded span, which becomes the table's, until LIMIT_SPARE_SPANS later ones are there. */
void otlp_spare_put(struct otlp_spare *s, const uint8_t span_id[8], const struct bytes *span);
/* A finding names this span: true, and it is the caller's, if it is here. Otherwise it is asked for, if it has yet to come. */
bool otlp_spare_take(struct otlp_spare *s, const uint8_t span_id[8], struct bytes *ret);
/* Was this span, which has now come, asked for before? */
bool otlp_spare_asked(struct otlp_spare *s, const uint8_t span_id[8]);
/* How many are here. */
uint64_t otlp_spare_count(const struct otlp_spare *s);
/* Let all of them go. */
void otlp_spare_clear(struct otlp_spare *s);

#endif
