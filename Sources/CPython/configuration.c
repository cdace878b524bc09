// The configuration frame, as far as it concerns the process;
// the evaluator's Python reads the rest.
#include <stdlib.h>
#include <string.h>

#include "bridge.h"
#include "configuration.h"

char *danube_configuration;
size_t danube_configuration_length;

typedef struct {
    const unsigned char *at, *end;
} cursor;

static bool take(cursor *c, size_t count, const unsigned char **bytes) {
    if ((size_t)(c->end - c->at) < count) return false;
    *bytes = c->at;
    c->at += count;
    return true;
}

static bool take_u32(cursor *c, uint32_t *value) {
    const unsigned char *b;
    if (!take(c, 4, &b)) return false;
    *value = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return true;
}

static bool take_text(cursor *c, const char **text, uint32_t *length) {
    const unsigned char *tag, *bytes;
    if (!take(c, 1, &tag) || *tag != 'u' || !take_u32(c, length)) return false;
    if (!take(c, *length, &bytes)) return false;
    *text = (const char *)bytes;
    return true;
}

static bool take_tuple(cursor *c, uint32_t *count) {
    const unsigned char *tag;
    return take(c, 1, &tag) && *tag == '(' && take_u32(c, count);
}

// Passes over one value, however deep, without recursion.
static bool skip(cursor *c) {
    const unsigned char *tag, *bytes;
    uint32_t count;
    for (uint64_t pending = 1; pending > 0; pending--) {
        if (!take(c, 1, &tag)) return false;
        switch (*tag) {
        case 'N': case 'T': case 'F': break;
        case 'i': if (!take(c, 4, &bytes)) return false; break;
        case 'g': if (!take(c, 8, &bytes)) return false; break;
        case 'u': case 's':
            if (!take_u32(c, &count) || !take(c, count, &bytes)) return false;
            break;
        case '(':
            if (!take_u32(c, &count)) return false;
            pending += count;
            break;
        default: return false;
        }
    }
    return true;
}

// An int, or ("L", digits).
static bool take_integer(cursor *c, int64_t *value) {
    uint32_t bits, count, length;
    const char *text;
    if (c->at < c->end && *c->at == 'i') {
        c->at++;
        if (!take_u32(c, &bits)) return false;
        *value = (int32_t)bits;
        return true;
    }
    char digits[24] = "";
    if (!take_tuple(c, &count) || count != 2 || !take_text(c, &text, &length)) return false;
    if (!take_text(c, &text, &length) || length >= sizeof digits) return false;
    memcpy(digits, text, length);
    *value = strtoll(digits, NULL, 10);
    return true;
}

static bool read_settings(cursor *c, danube_settings *settings) {
    const struct {
        const char *key;
        int64_t *value;
    } known[] = {
        {"hash_seed", &settings->hash_seed}, {"memory", &settings->memory_bytes},
        {"cpu_seconds", &settings->cpu_seconds}, {"stack", &settings->stack_bytes},
    };
    uint32_t pairs, two, length;
    if (!take_tuple(c, &pairs)) return false;
    for (; pairs > 0; pairs--) {
        const char *key;
        if (!take_tuple(c, &two) || two != 2 || !take_text(c, &key, &length)) return false;
        int64_t *wanted = NULL;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strlen(known[i].key) == length && memcmp(known[i].key, key, length) == 0)
                wanted = known[i].value;
        if (wanted != NULL ? !take_integer(c, wanted) : !skip(c)) return false;
    }
    return c->at == c->end;
}

int danube_configuration_receive(danube_settings *settings) {
    char kind;
    memset(settings, 0, sizeof *settings);
    if (danube_frame_receive(&kind, &danube_configuration, &danube_configuration_length) != 0)
        return -1;
    const unsigned char *start = (const unsigned char *)danube_configuration;
    cursor c = {start, start + danube_configuration_length};
    return kind == 'C' && read_settings(&c, settings) ? 0 : -1;
}
