"""What a golden case is and how it is written: inputs, PyTorch's results, their first and second gradients.

The text format is described in README.md; tests/golden.h reads it.
"""
import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # the same kernels on every x86-64 processor
import zlib

import numpy as np
import torch

torch.set_num_threads(1)

NAN = float("nan")
INF = float("inf")
NAMES = {torch.float32: "f32", torch.float64: "f64", torch.int32: "i32", torch.int64: "i64", torch.bool: "bool"}
DTYPES = {name: dtype for dtype, name in NAMES.items()}


def tensor(dtype, values):
    return torch.tensor(values, dtype=DTYPES[dtype])


def f64(values):
    return tensor("f64", values)


def f32(values):
    return tensor("f32", values)


def i64(values):
    return tensor("i64", values)


def i32(values):
    return tensor("i32", values)


def boolean(values):
    return tensor("bool", values)


def draw(name, shape, low=-2.0, high=2.0, decimals=2):
    """Uniform f64 values of few decimals; a function of the name and the shape alone."""
    state = np.random.RandomState(zlib.crc32(f"{name} {list(shape)}".encode()))
    return torch.from_numpy(np.asarray(np.round(state.uniform(low, high, size=tuple(shape)), decimals)))


def integers(name, shape, low, high, dtype="i64"):
    state = np.random.RandomState(zlib.crc32(f"{name} {list(shape)}".encode()))
    return torch.from_numpy(np.asarray(state.randint(low, high, size=tuple(shape)))).to(DTYPES[dtype])


def pattern(shape, dtype, factor, modulus, shift):
    """A fixed cotangent: not constant, never zero, multiples of 1/8."""
    count = int(np.prod(shape, dtype=np.int64))
    values = ((factor * np.arange(count)) % modulus - shift) / 4
    return torch.from_numpy(np.asarray(values.reshape(tuple(shape)))).to(dtype)


def number(value):
    if isinstance(value, (np.bool_, bool, int, np.integer)):
        return str(int(value))
    text = str(value)  # NumPy's shortest text that reads back as the same float
    return text[:-2] if text.endswith(".0") else text


def array_text(x):
    x = x.detach()
    values = [number(v) for v in x.contiguous().numpy(force=True).reshape(-1)]
    if len(values) > 1 and len(set(values)) == 1:
        values = ["*" + values[0]]  # all the same
    dims = ",".join(str(d) for d in x.shape)
    return " ".join([NAMES[x.dtype], f"[{dims}]"] + values)


class Writer:
    """One family: a list of cases and the file that they go into."""

    def __init__(self, folder, family, title):
        self.path = os.path.join(folder, family + ".txt")
        self.lines = [f"# {title} Written by make_golden.py with PyTorch {torch.__version__.split('+')[0]}: do not edit."]
        self.seen = set()

    def begin(self, key, variant):
        assert (key, variant) not in self.seen, (key, variant)
        self.seen.add((key, variant))
        self.lines += ["", f"case {key} {variant}"]

    def put(self, word, x):
        self.lines.append(f"{word} {array_text(x)}")

    def case(self, key, variant, function, *inputs, order=2, attributes=None):
        """Forward, and the gradients of sum(out * cotangent) up to the given order (the second for f64 alone).

        f32 inputs are computed with in f64, and what comes out is rounded to f32 once. Of several results, the
        cotangent is that of all the float ones, flattened and joined.
        """
        there = [i for i in inputs if i is not None]
        single = any(i.dtype == torch.float32 for i in there) and not key.startswith("cast_")
        x = [None if i is None else i.detach().double() if single and i.is_floating_point() else i.detach().clone()
             for i in inputs]
        x = [None if i is None else i.requires_grad_(order > 0 and i.is_floating_point()) for i in x]
        out = function(*x)
        round_off = lambda y: y.float() if single and y.dtype == torch.float64 else y
        self.begin(key, variant)
        if attributes:
            self.lines.append(f"with {attributes}")
        for i in inputs:
            if i is None:
                self.lines.append("in nil")
            else:
                self.put("in", i)
        outs = out if isinstance(out, (tuple, list)) else (out,)
        for o in outs:
            self.put("out", round_off(o))
        leaves = [(n, i) for n, i in enumerate(x) if i is not None and i.requires_grad]
        if order == 0:
            return
        if len(outs) > 1:
            out = torch.cat([o.reshape(-1) for o in outs if o.is_floating_point()])
        else:
            out = outs[0]
        assert leaves, (key, variant, "nothing to differentiate: say order=0")
        cotangent = pattern(out.shape, out.dtype, 7, 11, 4.5)
        if out.numel() > 0 or out.requires_grad:
            assert out.requires_grad, (key, variant, "no gradient: say order=0")
        self.put("cotangent", round_off(cotangent))
        grads = gradients(out, cotangent, leaves)
        for (n, _), g in zip(leaves, grads):
            self.put(f"grad {n}", round_off(g))
        if order < 2 or single or any(i.dtype != torch.float64 for _, i in leaves) or out.dtype != torch.float64:
            return
        second = [pattern(i.shape, i.dtype, 5, 13, 5.5) for _, i in leaves]
        for (n, _), c in zip(leaves, second):
            self.put(f"cotangent {n}", c)
        total = sum((g * c).sum() for g, c in zip(grads, second))
        for (n, _), g in zip(leaves, gradients(total, torch.ones_like(total), leaves)):
            self.put(f"second {n}", g)

    def both(self, key, variant, function, *inputs, order=2, attributes=None):
        """The case in f64, and with the same inputs in f32."""
        self.case(key, variant, function, *inputs, order=order, attributes=attributes)
        single = [i if i is None or not i.is_floating_point() else i.float() for i in inputs]
        self.case(key, variant + ".f32", function, *single, order=min(order, 1), attributes=attributes)

    def apply(self, op, variant, attributes, function, *inputs, order=2, single=True):
        """A case that is called by the op's name, with attributes as rg_apply takes them; in f32, too, if `single`."""
        (self.both if single else self.case)(op, variant, function, *inputs, order=order, attributes=attributes)

    def values(self, key, variant, values):
        """A case of results alone."""
        self.begin(key, variant)
        self.put("out", values)

    def write(self):
        with open(self.path, "w", encoding="ascii", newline="\n") as file:
            file.write("\n".join(self.lines) + "\n")


def gradients(y, cotangent, leaves):
    """Gradients of sum(y * cotangent), recorded; zeros where y does not depend on a leaf."""
    x = [i for _, i in leaves]
    if not y.requires_grad:
        return [torch.zeros_like(i) for i in x]
    found = torch.autograd.grad(y, x, grad_outputs=cotangent, create_graph=True, allow_unused=True)
    return [torch.zeros_like(i) if g is None else g for i, g in zip(x, found)]
