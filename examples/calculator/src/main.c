#include "calculator.h"

#include <stdio.h>

int main(int count, char **words) {
    for (int index = 1; index < count; index++) {
        double result;
        if (!evaluate(words[index], &result)) {
            fprintf(stderr, "calculator: not an expression: %s\n", words[index]);
            return 1;
        }
        printf("%.10g\n", result);
    }
    return 0;
}
