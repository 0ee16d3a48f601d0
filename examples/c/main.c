/* Classifies rows of numbers: reads them from standard input, separated by blanks, commas or line
 * ends, and prints the name of each row's class.
 *
 *   tritgrad export runs/wine/model.npz --c-header model.h
 *   cc -std=c99 -O2 -o classify main.c
 *   tail -n +2 wine.csv | cut -d, -f1-13 | ./classify
 */
#include <stdio.h>

#include "model.h"

int main(void)
{
    double features[TRITGRAD_FEATURES];
    uint8_t x[TRITGRAD_INPUTS];
    int have = 0;
    while (scanf(" %lf%*[,;]", &features[have]) == 1) {
        if (++have < TRITGRAD_FEATURES)
            continue;
        have = 0;
        tritgrad_scale(features, x);
        puts(tritgrad_class_names[tritgrad_predict(x)]);
    }
    return have != 0;
}
