/* Argument checks that losses, layers and optimizers share. Their messages name the function, what was found and
 * what was expected. Each returns false once the tape has failed. */
#ifndef RG__NN_CHECK_H
#define RG__NN_CHECK_H

#include <retrograd/retrograd.h>

/* "[2, 3]"; lives until the end of the enclosing block. */
enum { RG__SHAPE_TEXT_SIZE = 200 };
#define RG__SHAPE_TEXT(shape) rg__nn_shape_text((shape), (char[RG__SHAPE_TEXT_SIZE]){0})
const char *rg__nn_shape_text(rg_shape shape, char *text);

/* x is there and float. */
bool rg__check_float(rg_tape *t, const char *function, const char *name, rg_tensor x);

/* x and y are there, float, of one dtype and one shape: a loss that broadcasts hides mistakes. */
bool rg__check_pair(rg_tape *t, const char *function, const char *x_name, rg_tensor x, const char *y_name, rg_tensor y);

/* labels holds class indices (i64 or i32) in the shape that is expected. */
bool rg__check_labels(rg_tape *t, const char *function, const char *name, rg_tensor labels, rg_shape expected);

/* value is in [0, high], or in [0, high) where `open`. High may be infinite, if open. */
bool rg__check_range(rg_tape *t, const char *function, const char *name, double value, double high, bool open);

/* A number of a configuration, in which 0 stands for `otherwise` and RG_ZERO for 0. */
double rg__or_default(double value, double otherwise);

/* Begins the scope of a new layer and returns its name as the store keeps it; NULL, an error of the store and no scope
 * where there is no name. A store that has failed makes no parameters, but still knows what the layer is called. */
const char *rg__layer_open(rg_params *ps, const char *function, const char *name);

#endif
