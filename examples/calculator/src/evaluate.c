#include "calculator.h"

#include <stdlib.h>

enum { DEEPEST = 200 };

static const char *next;
static int depth;
static int failed;

static double sum(void);

static double factor(void) {
    while (*next == ' ') next++;
    if (*next == '(') {
        if (++depth > DEEPEST) failed = 1;
        next++;
        double value = failed ? 0 : sum();
        depth--;
        if (*next == ')') next++;
        else failed = 1;
        return value;
    }
    char *end;
    double value = strtod(next, &end);
    if (end == next) failed = 1;
    next = end;
    return value;
}

static double product(void) {
    double value = factor();
    for (; !failed; ) {
        while (*next == ' ') next++;
        if (*next == '*') next++, value *= factor();
        else if (*next == '/') next++, value /= factor();
        else break;
    }
    return value;
}

static double sum(void) {
    double value = product();
    for (; !failed; ) {
        while (*next == ' ') next++;
        if (*next == '+') next++, value += product();
        else if (*next == '-') next++, value -= product();
        else break;
    }
    return value;
}

int evaluate(const char *text, double *result) {
    next = text;
    depth = failed = 0;
    *result = sum();
    while (*next == ' ') next++;
    return !failed && *next == 0;
}
