/* Retrograd: layers, losses, initialisers and metrics. All of them are written with the public ops alone. */
#ifndef RETROGRAD_NN_H
#define RETROGRAD_NN_H

// clang-format off
#include <retrograd/nn/init.h>
#include <retrograd/nn/layers.h>
#include <retrograd/nn/loss.h>
#include <retrograd/nn/metrics.h>
#include <retrograd/nn/recurrent.h>
#include <retrograd/nn/transformer.h>
#include <retrograd/nn/trainer.h>
// clang-format on

#endif
