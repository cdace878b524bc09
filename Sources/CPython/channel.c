// Frames: a 32-bit little-endian length of what follows, a byte of kind, a payload.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"

static int receive_all(void *buffer, size_t count) {
    char *next = buffer;
    while (count > 0) {
        ssize_t n = read(DANUBE_CHANNEL, next, count);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        next += n;
        count -= (size_t)n;
    }
    return 0;
}

static int send_all(const void *buffer, size_t count) {
    const char *next = buffer;
    while (count > 0) {
        ssize_t n = write(DANUBE_CHANNEL, next, count);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        next += n;
        count -= (size_t)n;
    }
    return 0;
}

int danube_frame_receive(char *kind, char **payload, size_t *length) {
    unsigned char head[5];
    if (receive_all(head, sizeof head) != 0) return -1;
    uint32_t count = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16
        | (uint32_t)head[3] << 24;
    if (count < 1 || count > DANUBE_FRAME_MAX) return -1;
    *kind = (char)head[4];
    *length = count - 1;
    *payload = malloc(*length + 1);
    if (*payload == NULL) return -1;
    if (receive_all(*payload, *length) == 0) return 0;
    free(*payload);
    return -1;
}

int danube_frame_send(char kind, const char *payload, size_t length) {
    if (length >= DANUBE_FRAME_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    uint32_t count = (uint32_t)length + 1;
    char small[4096];
    for (int i = 0; i < 4; i++) small[i] = (char)(count >> 8 * i);
    small[4] = kind;
    if (length <= sizeof small - 5) {
        memcpy(small + 5, payload, length);
        return send_all(small, length + 5);
    }
    return send_all(small, 5) == 0 ? send_all(payload, length) : -1;
}
