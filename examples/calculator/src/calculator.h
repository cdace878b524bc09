#ifndef CALCULATOR_H
#define CALCULATOR_H

/* Evaluates an expression of numbers, + - * / and parentheses; false when it is none. */
int evaluate(const char *text, double *result);

#endif
