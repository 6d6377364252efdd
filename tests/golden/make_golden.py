#!/usr/bin/env python3
"""Writes the golden files: inputs, and what PyTorch makes of them. See README.md.

    python make_golden.py [folder]      (default: the folder of this script)
"""
import os
import sys
import warnings

sys.dont_write_bytecode = True

import golden_arrays as arrays
import golden_average as average
import golden_conv as conv
import golden_curves as curves
import golden_elementwise as elementwise
import golden_linalg as linalg
import golden_math
import golden_sorting as sorting
import golden_pool as pool
import golden_derivatives as derivatives
import golden_functional as functional
import golden_indexing as indexing
import golden_layers as layers
import golden_losses as losses
import golden_metrics as metrics
import golden_optim as optim
import golden_recurrent as recurrent
import golden_training as training
import golden_transformer as transformer
from golden_write import Writer

FAMILIES = [
    ("binary", "Element by element, two arguments.", elementwise.two_arguments),
    ("unary", "Element by element, one argument.", elementwise.one_argument),
    ("compare", "Comparisons and logic.", elementwise.comparisons),
    ("select", "Selection and conversion.", elementwise.selection),
    ("reduce", "Reductions, softmax.", arrays.reductions),
    ("shape", "Shape ops.", arrays.shapes),
    ("product", "Products.", arrays.products),
    ("index", "Indexing.", arrays.indexing),
    ("conv", "Convolutions.", conv.convolutions),
    ("scan", "Scans.", sorting.scans),
    ("sort", "Sorting, searching, counting.", sorting.sorting),
    ("order", "Order statistics, norms, further reductions.", sorting.order_statistics),
    ("pool", "Pooling.", pool.pooling),
    ("resize", "Images in another size, shuffled, and as columns.", pool.resizing),
    ("grid", "Sampling along grids.", pool.sampling),
    ("functional", "Derivatives as tensors.", derivatives.derivatives),
    ("cotangent", "Ops that change the gradient.", derivatives.cotangents),
    ("einsum", "Einstein's summation.", linalg.equations),
    ("contract", "Products of tensors.", linalg.products),
    ("linalg", "Linear algebra.", linalg.algebra),
    ("scatter", "Scattering, several indices.", indexing.scattering),
    ("mask", "Masks.", indexing.masks),
    ("window", "Windows, diagonals, parts replaced.", indexing.windows),
    ("rearrange", "Rearranging, repeating, padding, joining, splitting.", indexing.rearranging),
    ("create", "Creation.", arrays.creation),
    ("math", "Further functions, quotients, kinds of numbers.", golden_math.functions),
    ("special", "Special functions.", golden_math.special),
    ("activation", "Activations.", golden_math.activations),
    ("bitwise", "Bits of integers.", golden_math.bits),
    ("normalise", "Normalisation.", functional.normalisation),
    ("distance", "Distances.", functional.distances),
    ("fft", "Fourier transforms.", functional.fourier),
    ("attention", "Attention, embeddings.", functional.attention_and_embeddings),
    ("ctc", "Connectionist temporal classification.", functional.temporal),
    ("transformer", "Attention, transformers, positions.", transformer.transformers),
    ("loss", "Losses and layers.", training.losses),
    ("layer", "Layers.", layers.layers),
    ("layer_init", "First values of layers.", layers.first_values),
    ("loss_binary", "Losses of two outcomes, and smooth_l1.", losses.binary),
    ("loss_class", "Losses of classes.", losses.classes),
    ("loss_distribution", "Losses of distributions.", losses.distributions),
    ("loss_margin", "Losses with margins.", losses.margins),
    ("metric", "Metrics.", metrics.metrics),
    ("cell", "Steps of recurrent layers.", recurrent.cells),
    ("recurrent", "Recurrent layers.", recurrent.layers),
    ("curve", "Training runs.", curves.curves),
    ("init", "Initialisers.", training.initialisers),
    ("scalar", "Gains and schedules.", optim.scalars),
    ("optim", "Optimizers and clipping.", optim.optimizers),
    ("average", "Moving averages of weights.", average.averages),
]


def main():
    warnings.filterwarnings("ignore", message=".*degrees of freedom is <= 0")  # cases of their own
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, title, fill in FAMILIES:
        writer = Writer(folder, name, title)
        fill(writer)
        writer.write()
        print(f"{os.path.getsize(writer.path):8d} bytes, {len(writer.seen):4d} cases  {name}.txt")


if __name__ == "__main__":
    main()
