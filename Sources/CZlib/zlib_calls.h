// zlib, and the parts of its interface that Swift cannot call: macros.
#ifndef DANUBE_ZLIB_H
#define DANUBE_ZLIB_H

#include <zlib.h>

// Begins a stream in the form of gzip (RFC 1952), whose header holds no time and no name.
static inline int danube_gzip_begin(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

#endif
