/* Retrograd: automatic differentiation on a recorded tape. Includes all of the public API, in reading order. */
#ifndef RETROGRAD_H
#define RETROGRAD_H

// clang-format off
#include <retrograd/base.h>
#include <retrograd/tape.h>
#include <retrograd/random.h>
#include <retrograd/params.h>
#include <retrograd/ops.h>
#include <retrograd/autograd.h>
#include <retrograd/custom.h>
#include <retrograd/functional.h>
#include <retrograd/table.h>
#include <retrograd/nn.h>
#include <retrograd/optim.h>
#include <retrograd/data.h>
#include <retrograd/npy.h>
#include <retrograd/viz.h>
#include <retrograd/plan.h>
#include <retrograd/info.h>
// clang-format on

#endif
