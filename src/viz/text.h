/* Retrograd, viz: numbers as text, shared by the files of this room. Independent of the program's locale. */
#ifndef RETROGRAD_VIZ_TEXT_H
#define RETROGRAD_VIZ_TEXT_H

#include <retrograd/base.h>

/* The longest text that rg__text_number writes, with its NUL. */
#define RG__TEXT_NUMBER 32

/* A number with at most `digits` (1 to 17) significant digits and no more than it takes to tell it from the other
 * numbers of its dtype (f32 where `single`): "0.1", "-2.5e-07", "nan". */
void rg__text_number(double value, bool single, int digits, char out[RG__TEXT_NUMBER]);

/* "[4, 2]"; "[]" for a scalar. `out` holds at least 8 * 21 + 3 bytes. */
#define RG__TEXT_SHAPE 192
void rg__text_shape(rg_shape shape, char out[RG__TEXT_SHAPE]);

/* The columns that a text takes on a terminal: its characters in UTF-8. */
int rg__text_columns(const char *text);

#endif
