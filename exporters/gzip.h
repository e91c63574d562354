/* gzip of one body in memory, by zlib. Pure functions, any thread. */
#ifndef GAPSCOPE_EXPORTERS_GZIP_H
#define GAPSCOPE_EXPORTERS_GZIP_H

#include "exporters/otlp_encode.h"

/* 0 or -errno; ret->data is the caller's to free. */
int gzip_pack(const struct bytes *in, struct bytes *ret);
/* The same back. -EBADMSG for what is no gzip or is cut off, -EMSGSIZE where it would be longer than size_max bytes. */
int gzip_unpack(const struct bytes *in, size_t size_max, struct bytes *ret);

#endif
