#!/usr/bin/env python3
"""PyTorch's side of the benchmarks: f32 on the CPU, one case a process.

    peers_torch.py CASE THREADS [--compile | --channels-last]

It holds the conversation of measure.h with run.py: a first step, a line of JSON that says so, then for each line of
stdin, which holds a number of seconds, one of JSON with what was measured. Each case is written as a user of PyTorch
would write it, in place and without gradients where that is the case.
"""
import ctypes
import gc
import json
import math
import re
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CHANNELS_LAST = "--channels-last" in sys.argv[3:]

CHAIN = 1000


# ---- timing and memory, as in measure.c -----------------------------------------------------------------------------

def status_mb(row):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(row + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def peak_mb():
    return status_mb("VmHWM") - status_mb("RssFile") - status_mb("RssShmem")


def forget_past():
    """What was freed before the first step goes back to the system, and the peak begins here."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except AttributeError:
        pass  # not glibc
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def time_block(step, steps):
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return time.perf_counter() - began


def measure(step, per, seconds, block):
    step()
    samples = []
    end = time.perf_counter() + seconds
    while not samples or time.perf_counter() < end:
        samples.append(time_block(step, block) / block / per)
    samples.sort()
    return {"ms": 1e3 * samples[len(samples) // 2], "best": 1e3 * samples[0], "steps": block * len(samples)}


def say(answer):
    print(json.dumps(answer), flush=True)


def serve(step, per):
    forget_past()
    memory_before = status_mb("RssAnon")
    step()
    block = 1
    while time_block(step, block) < 4e-3 and block < 1 << 22:
        block *= 2
    say({"ready": True})
    for line in sys.stdin:
        answer = measure(step, per, float(line), block)
        answer["mb"] = peak_mb() - memory_before
        say(answer)


# ---- single operations ----------------------------------------------------------------------------------------------

def parameter(*shape):
    return torch.randn(shape, requires_grad=True)


def forward(compiled, f, *inputs):
    f = compiled(f)

    def step():
        with torch.no_grad():
            f(*inputs)
    return step


def forward_backward(compiled, f, *inputs):
    """From a ready-made cotangent; a loss (no dimensions) starts from 1."""
    f = compiled(f)
    with torch.no_grad():
        shape = f(*inputs).shape
    cotangent = torch.randn(shape) if shape else None

    def step():
        for x in inputs:
            x.grad = None
        f(*inputs).backward(cotangent)
    return step


def add_chain(backward, *shape):
    """CHAIN adds with gradient."""
    a, b, cotangent = parameter(*shape), parameter(*shape), torch.randn(shape)

    def step():
        y = a
        for _ in range(CHAIN):
            y = y + b
        if backward:
            a.grad = b.grad = None
            y.backward(cotangent)
    return step


def composite(x):
    return x * torch.sigmoid(x) + torch.tanh(x) * 0.5


def cross_entropy(compiled):
    labels = torch.randint(0, 1000, (4096,))
    return forward_backward(compiled, lambda x: F.cross_entropy(x, labels), parameter(4096, 1000))


def images(x):
    """As the run has them in memory: channels first or, with --channels-last, last."""
    return x.contiguous(memory_format=torch.channels_last) if CHANNELS_LAST and x.dim() == 4 else x


def convolution(compiled, backward, x, weight, padding, groups=1):
    f = lambda x, w, b: F.conv2d(x, w, b, padding=padding, groups=groups)
    inputs = [images(torch.randn(x)), images(torch.randn(weight)), torch.randn(weight[0])]
    if not backward:
        return forward(compiled, f, *inputs)
    return forward_backward(compiled, f, *[i.requires_grad_() for i in inputs])


def image_op(compiled, f, *more):
    """Of [64, 64, 32, 32]."""
    x = images(torch.randn(64, 64, 32, 32)).requires_grad_()
    return forward_backward(compiled, f, x, *more)


def batch_norm(compiled):
    mean, var = torch.zeros(64), torch.ones(64)
    return image_op(compiled, lambda x, w, b: F.batch_norm(x, mean, var, w, b, True, 0.1), parameter(64), parameter(64))


def indexed(compiled, f, limit, index, *shapes):
    at = torch.randint(0, limit, index)
    return forward_backward(compiled, lambda *x: f(at, *x), *[parameter(*s) for s in shapes])


def adam(compiled):
    parameters = [parameter(1000000) for _ in range(10)]
    for p in parameters:
        p.grad = torch.randn(1000000) * 0.01
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    return compiled(lambda: optimizer.step())


def cases(compiled):
    def fwd(f, *shapes):
        return lambda: forward(compiled, f, *[torch.randn(s) for s in shapes])

    def fb(f, *shapes):
        return lambda: forward_backward(compiled, f, *[parameter(*s) for s in shapes])

    def conv(x, weight, padding, backward=True, groups=1):
        return lambda: convolution(compiled, backward, x, weight, padding, groups)

    wide, square, classes, rows = (4096, 3072), (4096, 4096), (4096, 1000), (4096, 1024)
    return {
        "oh-add-scalar-fwd": lambda: add_chain(False),
        "oh-add-scalar-fb": lambda: add_chain(True),
        "oh-add-16-fwd": lambda: add_chain(False, 16),
        "oh-add-16-fb": lambda: add_chain(True, 16),
        "composite-fwd": fwd(composite, wide),
        "composite": fb(composite, wide),
        "softmax-fwd": fwd(lambda x: F.softmax(x, 1), classes),
        "softmax": fb(lambda x: F.softmax(x, 1), classes),
        "cross_entropy": lambda: cross_entropy(compiled),
        "layer_norm-fwd": fwd(lambda x: F.layer_norm(x, (768,)), (4096, 768)),
        "layer_norm": fb(lambda x, w, b: F.layer_norm(x, (768,), w, b), (4096, 768), (768,), (768,)),
        "gelu-fwd": fwd(F.gelu, wide),
        "gelu": fb(F.gelu, wide),
        "relu": fb(F.relu, wide),
        "dropout": fb(lambda x: F.dropout(x, 0.5, True), wide),
        "exp-fwd": fwd(torch.exp, wide),
        "add-fwd": fwd(lambda a, b: a + b, wide, wide),
        "sum0": fwd(lambda x: x.sum(0), square),
        "sum1": fwd(lambda x: x.sum(1), square),
        "sum-all": fwd(lambda x: x.sum(), square),
        "transpose-copy": fwd(lambda x: x.t().contiguous(), square),
        "conv-64x64x32x32-64-3-fwd": conv((64, 64, 32, 32), (64, 64, 3, 3), 1, backward=False),
        "conv-64x64x32x32-64-3": conv((64, 64, 32, 32), (64, 64, 3, 3), 1),
        "conv-32x128x28x28-128-3": conv((32, 128, 28, 28), (128, 128, 3, 3), 1),
        "conv-100x1x28x28-16-5": conv((100, 1, 28, 28), (16, 1, 5, 5), 0),
        "conv-32x128x28x28-depthwise": conv((32, 128, 28, 28), (128, 1, 3, 3), 1, groups=128),
        "max_pool2d": lambda: image_op(compiled, lambda x: F.max_pool2d(x, 2)),
        "batch_norm2d": lambda: batch_norm(compiled),
        "embedding": lambda: indexed(compiled, F.embedding, 50000, (8192,), (50000, 512)),
        "attention": fb(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), *[(16, 6, 256, 64)] * 3),
        "gather": lambda: indexed(compiled, lambda at, x: x.gather(1, at), 1024, rows, rows),
        "scatter_add": lambda: indexed(compiled, lambda at, x, y: x.scatter_add(1, at, y), 1024, rows, rows, rows),
        "cumsum": fb(lambda x: x.cumsum(1), rows),
        "sort": fb(lambda x: x.sort(1)[0], (1024, 4096)),
        "copy": fwd(lambda x: x.clone(), square),
        "adam-10M": lambda: adam(compiled),
        **{name: lambda name=name: training(name, compiled) for name in ("d1", "d2", "d3", "d4", "d5", "d6")},
    }


def product(name):
    """mm-N or mm-KIND-ROWSxINNERxCOLUMNS, see product.h."""
    cube = re.fullmatch(r"mm-(\d+)", name)
    found = re.fullmatch(r"mm-([NT])([NT])-(\d+)x(\d+)x(\d+)", name)
    if not cube and not found:
        return None
    kind = "NN" if cube else found[1] + found[2]
    m, k, n = [int(cube[1])] * 3 if cube else [int(size) for size in found.groups()[2:]]
    a = torch.randn(k, m).t() if kind[0] == "T" else torch.randn(m, k)
    b = torch.randn(n, k).t() if kind[1] == "T" else torch.randn(k, n)
    out = torch.empty(m, n)
    return lambda: torch.mm(a, b, out=out)


# ---- training steps -------------------------------------------------------------------------------------------------

class Deep(nn.Sequential):
    """Deep Learning from Scratch, chapter 8: the fourth convolution pads by 2."""

    def __init__(self):
        channels, layers = (1, 16, 16, 32, 32, 64, 64), []
        for i in range(6):
            layers += [nn.Conv2d(channels[i], channels[i + 1], 3, padding=2 if i == 3 else 1), nn.ReLU()]
            if i % 2:
                layers.append(nn.MaxPool2d(2))
        super().__init__(*layers, nn.Flatten(), nn.Linear(1024, 50), nn.ReLU(), nn.Dropout(0.5), nn.Linear(50, 10),
                         nn.Dropout(0.5))
        for layer in self:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)


def normed(in_channels, out_channels, kernel, stride):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
                         nn.BatchNorm2d(out_channels))


class Residual(nn.Module):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.first = normed(in_channels, out_channels, 3, stride)
        self.second = normed(out_channels, out_channels, 3, 1)
        self.shortcut = normed(in_channels, out_channels, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def resnet():
    stages = [Residual(64 << max(0, (i - 1) // 2), 64 << (i // 2), 2 if i and i % 2 == 0 else 1) for i in range(8)]
    return nn.Sequential(normed(3, 64, 3, 1), nn.ReLU(), *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(512, 10))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2)
                   for part in self.qkv(self.norm1(x)).split(width, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(y.transpose(1, 2).reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary=65, context=256, width=384, heads=6, blocks=6):
        super().__init__()
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(blocks)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, x):
        y = self.embedding(x) + self.position(torch.arange(x.shape[1]))
        return self.head(self.norm(self.blocks(y))).flatten(0, 1)


class Characters(nn.Module):
    def __init__(self, vocabulary=65, width=256):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(vocabulary, width), nn.LSTM(width, width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, x):
        return self.head(self.lstm(self.embedding(x))[0]).flatten(0, 1)


def network(name):
    """Model, optimizer, shape of a batch, classes; floats in [0, 1), or tokens where the model embeds them."""
    if name == "d1":
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        return model, torch.optim.SGD(model.parameters(), lr=0.1), (64, 784), 10
    if name == "d2":
        model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
        return model, torch.optim.Adam(model.parameters(), lr=1e-3), (128, 784), 10
    if name == "d3":
        model = Deep()
        return model, torch.optim.Adam(model.parameters(), lr=1e-3), (100, 1, 28, 28), 10
    if name == "d4":
        model = resnet()
        return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4), (64, 3, 32, 32), 10
    if name == "d5":
        model = GPT()
        return model, torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1), (16, 256), 65
    if name == "d6":
        model = Characters()
        return model, torch.optim.Adam(model.parameters(), lr=2e-3), (64, 64), 65
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (4, 8), 4


def training(name, compiled):
    model, optimizer, shape, classes = network(name)
    # A step costs the same, and the parameters stay where they began, so that units neither die nor learn the few
    # batches by heart, either of which would make gradients of zero.
    for group in optimizer.param_groups:
        group["lr"] *= 1e-3
    tokens = name in ("d5", "d6")
    batches = 16 if name in ("d1", "d2", "d3", "tiny") else 4
    x = torch.randint(0, classes, (batches, *shape)) if tokens else torch.rand(batches, *shape)
    x = [images(batch) for batch in x]
    if len(shape) == 4 and CHANNELS_LAST:
        model = model.to(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (61, math.prod(shape) if tokens else shape[0]))
    loss = compiled(lambda x, y: F.cross_entropy(model(x), y))
    update = compiled(lambda: optimizer.step())
    done = 0

    def step():
        nonlocal done
        optimizer.zero_grad(set_to_none=True)
        loss(x[done % batches], labels[done % 61]).backward()
        update()
        done += 1
    return step


# ---- running --------------------------------------------------------------------------------------------------------

def run(name, compiled):
    # What a runtime loads once is there before the first step: a tiny training run loads it.
    tiny = training("tiny", lambda f: f)
    tiny()
    tiny()
    if name.startswith("mm-"):
        with torch.no_grad():
            serve(product(name), 1)
    else:
        serve(cases(compiled)[name](), CHAIN if name.startswith("oh-") else 1)


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    try:
        run(name, torch.compile if "--compile" in sys.argv[3:] else lambda f: f)
    except Exception as problem:  # whatever torch.compile may raise: the driver leaves the place empty
        say({"error": "%s: %s" % (type(problem).__name__, str(problem).strip().split("\n")[0][:200])})
        sys.exit(1)


if __name__ == "__main__":
    main()
