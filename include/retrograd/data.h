/* Retrograd: reading data sets and handing them out in batches. */
#ifndef RETROGRAD_DATA_H
#define RETROGRAD_DATA_H

/* Errors of these headers: the call returns NULL or false and, where `error` is not NULL, writes one line into it (at
 * most `size` bytes with the NUL) that names the file or the function, what was found and what was expected.
 *
 * Samples in memory are an rg_dataset: numbers and labels. Everything else that can give sample i is an rg_source; an
 * rg_dataset is one, too (rg_dataset_source). An rg_loader hands out batches of either. */

// clang-format off
#include <retrograd/data/dataset.h>
#include <retrograd/data/source.h>
#include <retrograd/data/sampling.h>
#include <retrograd/data/augment.h>
#include <retrograd/data/loader.h>
#include <retrograd/data/idx.h>
#include <retrograd/data/csv.h>
#include <retrograd/data/text.h>
#include <retrograd/data/image.h>
// clang-format on

#endif
