/* What the files of losses share: the reduction, weights that broadcast. */
#ifndef RG__NN_LOSSES_H
#define RG__NN_LOSSES_H

#include "check.h"

/* The mean, the sum or the losses themselves; an error for anything else. */
rg_tensor rg__reduce_loss(rg_tape *t, const char *function, rg_tensor loss, rg_reduction r);

/* weight is float like x and broadcasts to x's shape; nil passes. */
bool rg__check_weight(rg_tape *t, const char *function, const char *name, rg_tensor weight, rg_tensor x);

/* (base)^gamma for base in [0, 1] and gamma >= 0, whose first and second derivatives stay finite as base runs out to 0. */
rg_tensor rg__focal_factor(rg_tape *t, rg_tensor base, double gamma);
bool rg__check_gamma(rg_tape *t, const char *function, double gamma);

/* max(0, x), with gradient 1 at 0 as PyTorch's clamp_min has it; relu's is 0. */
rg_tensor rg__hinge(rg_tape *t, rg_tensor x);

#endif
