#!/usr/bin/env python3
"""examples/systems/char_models.c in PyTorch: the same text, models, segments, rate and clipping, other first weights.

Prints the loss on the last tenth of the text, in nats a byte, for each seed.
"""
import argparse
import math

import torch
from torch.nn import functional

STEPS, BATCH, HIDDEN = 32, 16, 128
CELLS = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def detached(states):
    return tuple(s.detach() for s in states) if isinstance(states, tuple) else states.detach()


class Model:
    def __init__(self, cell, vocabulary):
        self.vocabulary = vocabulary
        self.cell = CELLS[cell](vocabulary, HIDDEN)
        self.out = torch.nn.Linear(HIDDEN, vocabulary)
        self.parameters = [*self.cell.parameters(), *self.out.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters)

    def read_part(self, ids, train):
        """Reads a part of the text once, BATCH places of it at a time. Gives the mean loss."""
        lane = (len(ids) - 1) // BATCH
        segments = lane // STEPS
        states, total = None, 0.0
        for s in range(segments):
            at = torch.arange(STEPS)[:, None] + s * STEPS + torch.arange(BATCH)[None] * lane
            with torch.set_grad_enabled(train):
                output, states = self.cell(functional.one_hot(ids[at], self.vocabulary).float(), states)
                states = detached(states)
                loss = functional.cross_entropy(self.out(output).reshape(-1, self.vocabulary), ids[at + 1].reshape(-1))
            if train:
                self.optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.parameters, 1)
                self.optimizer.step()
            total += loss.item()
        return total / segments


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="/usr/share/common-licenses/GPL-3", help="the text")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("cells", nargs="*", default=[], help="rnn, gru, lstm; all by default")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with open(options.data, "rb") as file:
        data = file.read()
    byte = {}
    ids = torch.tensor([byte.setdefault(b, len(byte)) for b in data])
    seen = len(ids) - len(ids) // 10
    for cell in options.cells or CELLS:
        losses = []
        for seed in range(1, options.seeds + 1):
            torch.manual_seed(seed)
            model = Model(cell, len(byte))
            for epoch in range(options.epochs):
                rate = 4e-4 + (4e-3 - 4e-4) * (1 + math.cos(math.pi * epoch / options.epochs)) / 2
                for group in model.optimizer.param_groups:
                    group["lr"] = rate
                model.read_part(ids[:seen], True)
            losses.append(model.read_part(ids[seen:], False))
        print(f"{cell:4}  {'  '.join(f'{loss:.3f}' for loss in losses)}  mean {sum(losses) / len(losses):.3f}", flush=True)


if __name__ == "__main__":
    main()
