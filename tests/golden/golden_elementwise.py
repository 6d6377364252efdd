"""Golden cases of the element-wise ops: arithmetic, functions of one argument, comparisons, selection, conversion."""
import torch
import torch.nn.functional as F

from golden_write import INF, NAN, boolean, draw, f32, f64, i32, i64, integers, tensor

# Pairs that broadcast, by name of the variant.
PAIRS = [("same", (2, 3), (2, 3)), ("broadcast", (3, 1), (1, 4)), ("scalar", (2, 3), ()), ("scalars", (), ()),
         ("rank4", (2, 1, 3, 1), (4, 1, 2)), ("empty", (0, 3), (1, 3)), ("to_empty", (1,), (2, 0))]

# All pairs of these meet in the "edges" variant of two-argument ops.
MEET = [0.0, -0.0, 1.0, -1.0, 2.5, INF, -INF, NAN]
EDGES = [0.0, -0.0, INF, -INF, NAN, 1.0, -1.0, 0.5, -0.5, 1e-8, -1e-8, 30.0, -30.0]


def meet(values):
    """Each value with each: as many elements in both, so that no gradient is a sum."""
    return f64([[v] * len(values) for v in values]), f64([values] * len(values))


def two_arguments(w):
    def number_op(key, function, whole=True):
        for name, a, b in PAIRS:
            w.case(key, name, function, draw(key + " a", a), draw(key + " b", b))
        w.case(key, "f32", function, draw(key, (3, 1)).float(), draw(key, (1, 4)).float(), order=1)
        if whole:
            for dtype in ("i32", "i64"):
                w.case(key, dtype, function, integers(key, (2, 3), -50, 50, dtype),
                       integers(key, (3,), -50, 50, dtype), order=0)

    for key, function in (("add", torch.add), ("sub", torch.sub), ("mul", torch.mul)):
        for dtype, n in (("i32", 2**31), ("i64", 2**63)):
            w.case(key, dtype + ".wraps", function, tensor(dtype, [n - 1, -n, n // 2 + 1]), tensor(dtype, [n - 1, n - 1, 3]),
                   order=0)
    number_op("add", torch.add)
    number_op("sub", torch.sub)
    number_op("mul", torch.mul)
    number_op("div", torch.div, whole=False)
    number_op("maximum", torch.maximum)
    number_op("minimum", torch.minimum)
    for key, function in (("add", torch.add), ("sub", torch.sub), ("mul", torch.mul)):
        w.case(key, "edges", function, *meet(MEET), order=1)
    w.case("div", "edges", torch.div, *meet(MEET), order=1)
    for key, function in (("maximum", torch.maximum), ("minimum", torch.minimum)):
        w.case(key, "ties", function, f64([1, 2, -3, 0, -0.0]), f64([1, -2, -3, -0.0, 0]))
        w.case(key, "tie_of_broadcast", function, f64([[1, 2], [2, 2]]), f64([2, 2]))
        w.case(key, "infinite", function, *meet([0.0, 1.0, INF, -INF]))
        w.case(key, "nan", function, f64([NAN, 1, NAN, INF]), f64([2, NAN, NAN, NAN]), order=1)
        w.case(key, "nan.f32", function, f32([NAN, 1, NAN, INF]), f32([2, NAN, NAN, NAN]), order=1)

    for name, a, b in PAIRS:
        w.case("pow", name, torch.pow, draw("pow a", a, 0.2, 3), draw("pow b", b))
    w.case("pow", "f32", torch.pow, draw("pow", (3, 1), 0.2, 3).float(), draw("pow", (1, 4)).float(), order=1)
    w.case("pow", "zeros", torch.pow, f64([0, 0, 0, 0, 2, -2]), f64([0, 1, 2, 3, 0, 0]), order=1)
    w.case("pow", "zero_below_zero", torch.pow, f64([0, 0]), f64([-1, -0.5]), order=1)
    w.case("pow", "negative_base", torch.pow, f64([-2, -2, -2, -0.5, -2]), f64([2, 3, -1, 4, 0.5]), order=1)
    w.case("pow", "edges", torch.pow, *meet([0.0, 1.0, -1.0, 2.0, 0.5, INF, -INF, NAN]), order=1)

    for key, c, whole in (("add_scalar", 2.5, 7), ("mul_scalar", -1.5, -3)):
        op = torch.add if key == "add_scalar" else torch.mul
        w.both(key, "plain", lambda x, c=c: op(x, c), draw(key, (2, 3)))
        w.case(key, "scalar", lambda x, c=c: op(x, c), draw(key, ()))
        w.case(key, "empty", lambda x, c=c: op(x, c), draw(key, (0, 2)))
        for dtype in ("i32", "i64"):
            w.case(key + "_whole", dtype, lambda x, c=whole: op(x, c), integers(key, (2, 3), -50, 50, dtype), order=0)
    w.case("add_scalar_tenth", "f32", lambda x: x + 0.1, f32([0, 1, -0.1, 1e6]), order=1)
    for key, c in (("0", 0), ("1", 1), ("2", 2), ("3", 3), ("half", 0.5), ("minus_1", -1), ("minus_2.5", -2.5)):
        key = "pow_scalar_" + key.replace(".", "_")
        w.both(key, "positive", lambda x, c=c: torch.pow(x, c), draw(key, (2, 3), 0.2, 3))
        if c == int(c):
            w.case(key, "negative", lambda x, c=c: torch.pow(x, c), f64([-2, -0.5, -1]))
        if c >= 0 and c == int(c):
            w.case(key, "zero", lambda x, c=c: torch.pow(x, c), f64([0, -0.0, 1]))


def softplus(x):
    """PyTorch's, but with its switch to the identity where that is exact in f64: at 40 instead of 20."""
    return F.softplus(x, threshold=40)


# key, function, the interval of the plain inputs, further inputs
FUNCTIONS = [
    ("neg", torch.neg, -2, 2, EDGES), ("abs", torch.abs, -2, 2, EDGES), ("square", torch.square, -2, 2, EDGES),
    ("sqrt", torch.sqrt, 0.1, 3, [0.0, INF, NAN, -1.0, 1e-300, 1e300]),
    ("rsqrt", torch.rsqrt, 0.1, 3, [0.0, INF, NAN, -1.0, 1e-100, 1e100]),
    ("reciprocal", torch.reciprocal, 0.1, 3, EDGES),
    ("exp", torch.exp, -3, 3, EDGES + [709.0, 710.0, -745.0, -746.0]),
    ("expm1", torch.expm1, -3, 3, EDGES + [1e-15, 710.0]),
    ("log", torch.log, 0.1, 3, [0.0, INF, NAN, -1.0, 1.0, 1e-300, 1e300]),
    ("log1p", torch.log1p, -0.9, 3, [0.0, -0.0, INF, NAN, -1.0, -2.0, 1e-15, -1e-8, 1e300]),
    ("sin", torch.sin, -4, 4, EDGES + [1e6]), ("cos", torch.cos, -4, 4, EDGES + [1e6]),
    ("tan", torch.tan, -1.4, 1.4, EDGES), ("tanh", torch.tanh, -3, 3, EDGES + [1e-15, 400.0]),
    ("erf", torch.erf, -3, 3, EDGES + [5.5, 1e-15]),
    ("sigmoid", torch.sigmoid, -4, 4, EDGES + [400.0, -400.0, 800.0, -800.0]),
    ("leaky_relu_tenth", lambda x: F.leaky_relu(x, 0.1), -2, 2, EDGES),
    ("leaky_relu_zero", lambda x: F.leaky_relu(x, 0.0), -2, 2, [0.0, 1.0, -1.0, INF]),
    ("softplus", softplus, -4, 4, EDGES + [39.5, 41.0, 800.0, -800.0]),
    ("gelu", F.gelu, -3, 3, EDGES), ("silu", F.silu, -3, 3, EDGES + [400.0, -400.0]),
]

# The same without a gradient of PyTorch's that is worth holding: 0 everywhere, or taken apart below.
STEPS = [
    ("sign", torch.sign, EDGES), ("floor", torch.floor, EDGES + [2.0, -2.0, 2.9, -2.1, 4503599627370497.5]),
    ("ceil", torch.ceil, EDGES + [2.0, -2.0, 2.1, -2.9, -0.2, 4503599627370497.5]),
    ("round", torch.round, EDGES + [1.5, 2.5, -1.5, -2.5, 3.5, 0.49999999999999994, 4503599627370497.5]),
]


def one_argument(w):
    for key, function, low, high, edges in FUNCTIONS:
        w.both(key, "plain", function, draw(key, (2, 5), low, high))
        w.case(key, "scalar", function, draw(key, (), low, high))
        w.case(key, "empty", function, draw(key, (3, 0)))
        w.case(key, "edges", function, f64(edges), order=1)
        w.case(key, "edges.f32", function, f64(edges).float(), order=1)
    for key, function, edges in STEPS:
        w.both(key, "plain", function, draw(key, (2, 5)))
        w.case(key, "scalar", function, draw(key, ()))
        w.case(key, "empty", function, draw(key, (3, 0)))
        w.case(key, "edges", function, f64(edges), order=1)
        w.case(key, "edges.f32", function, f64(edges).float(), order=1)
    for key, function in (("neg", torch.neg), ("abs", torch.abs), ("sign", torch.sign), ("square", torch.square)):
        for dtype in ("i32", "i64"):
            w.case(key, dtype, function, integers(key, (2, 3), -9, 9, dtype), order=0)

    w.both("relu", "plain", F.relu, draw("relu", (2, 5)))
    w.case("relu", "scalar", F.relu, draw("relu", ()))
    w.case("relu", "empty", F.relu, draw("relu", (0,)))
    w.both("relu", "kink", F.relu, f64([0, -0.0, 1e-300, -1e-300, INF, -INF, 1, -1]))
    w.both("relu", "nan", F.relu, f64([NAN, 1, -1]))

    for key, low, high in (("clamp", -0.5, 1), ("clamp_low", -0.5, None), ("clamp_high", None, 1)):
        function = lambda x, low=low, high=high: torch.clamp(x, low, high)
        w.both(key, "plain", function, draw(key, (3, 5)))
        w.case(key, "scalar", function, draw(key, ()))
        w.case(key, "empty", function, draw(key, (0, 2)))
        w.both(key, "borders", function, f64([-0.5, 1, 0, -0.0, -0.75, 1.25, INF, -INF]))
        w.both(key, "nan", function, f64([NAN, 0.5]))
    for dtype in ("i32", "i64"):
        x = integers("clamp", (9,), -9, 9, dtype)
        w.case("clamp_whole", dtype, lambda x: torch.clamp(x, -3, 4), x, order=0)
        w.case("clamp_whole_low", dtype, lambda x: torch.clamp(x, min=-3), x, order=0)
    # f64 cannot hold these
    w.case("clamp_whole_low", "i64.large", lambda x: torch.clamp(x, min=-3), i64([2**53 + 1, 2**63 - 1, -2**63]), order=0)


def comparisons(w):
    ops = [("eq", torch.eq), ("ne", torch.ne), ("lt", torch.lt), ("le", torch.le), ("gt", torch.gt), ("ge", torch.ge)]
    for key, function in ops:
        w.case(key, "edges", function, *meet(MEET), order=0)
        w.case(key, "edges.f32", function, *[x.float() for x in meet(MEET)], order=0)
        w.case(key, "scalar", function, f64(1.5), f64([1, 1.5, 2]), order=0)
        w.case(key, "scalars", function, f64(1.5), f64(2.5), order=0)
        w.case(key, "empty", function, draw(key, (0, 3)), draw(key, (1, 3)), order=0)
        for dtype in ("i32", "i64"):
            w.case(key, dtype, function, integers(key, (3, 1), -2, 3, dtype), integers(key, (1, 4), -2, 3, dtype), order=0)
        w.case(key, "i64.large", function, i64([9007199254740993, -9007199254740993, 2**62]),
               i64([9007199254740992, -9007199254740992, 2**62 + 1]), order=0)
    both = boolean([[False], [True]]), boolean([False, True])
    for key, function in (ops[0], ops[1], ("logical_and", torch.logical_and), ("logical_or", torch.logical_or),
                          ("logical_xor", torch.logical_xor)):
        w.case(key, "bool", function, *both, order=0)
    for key, function in (("logical_and", torch.logical_and), ("logical_or", torch.logical_or),
                          ("logical_xor", torch.logical_xor)):
        w.case(key, "empty", function, boolean([]), boolean([True]), order=0)
        w.case(key, "scalars", function, boolean(True), boolean(False), order=0)
    w.case("logical_not", "bool", torch.logical_not, both[0], order=0)
    w.case("logical_not", "empty", torch.logical_not, boolean([]), order=0)


def selection(w):
    c = boolean([[True, False, True], [False, False, True]])
    w.both("where", "plain", torch.where, c, draw("where a", (2, 3)), draw("where b", (2, 3)))
    w.case("where", "broadcast", torch.where, boolean([[True], [False]]), draw("where a", (1, 3)), draw("where b", ()))
    w.case("where", "broadcast_up", torch.where, boolean(False), draw("where a", (2, 1)), draw("where b", (4, 1, 3)))
    w.case("where", "scalars", torch.where, boolean(True), f64(2), f64(3))
    w.case("where", "empty", torch.where, boolean([[True]]), draw("where", (0, 2)), draw("where", (1, 2)))
    w.case("where", "hides_nan", torch.where, boolean([True, False]), f64([1, NAN]), f64([INF, 2]))
    w.case("where", "i32", torch.where, c, integers("where a", (2, 3), -9, 9, "i32"), i32(4), order=0)
    w.case("where", "i64", torch.where, c, integers("where a", (3,), -9, 9), integers("where b", (2, 1), -9, 9), order=0)
    w.case("where", "bool", torch.where, c, boolean([True, True, False]), boolean([[False], [True]]), order=0)

    def cast(to, variant, x, order=0):
        w.case("cast_" + to, variant, lambda x: x.to({"f32": torch.float32, "f64": torch.float64, "i32": torch.int32,
                                                      "i64": torch.int64, "bool": torch.bool}[to]), x, order=order)

    x = draw("cast", (2, 3), -9, 9)
    halves = f64([0, -0.0, 0.5, -0.5, 0.99, -0.99, 1.5, -1.5, 2.5, 1e9, -1e9, 123456.789])
    cast("f32", "f64", x, order=1)
    cast("f32", "f64.range", f64([0.1, 1e-46, 1e-40, 1e38, 1e39, -INF, NAN, 1 + 2.0**-25]))
    cast("f64", "f32", x.float(), order=1)
    cast("f64", "f64", x, order=2)
    for to in ("i32", "i64"):
        cast(to, "f64", halves)
        cast(to, "f32", halves.float())
        cast(to, "bool", boolean([True, False]))
        cast(to, "empty", f64([]))
    cast("i64", "f64.large", f64([2.0**53, -2.0**62]))
    cast("i64", "i32", i32([-5, 0, 7]))
    cast("i32", "i64", i64([-5, 0, 7]))
    for to in ("f32", "f64"):
        cast(to, "i32", i32([-5, 0, 7, 16777217, 2147483647]))
        cast(to, "i64", i64([-5, 0, 7, 16777217, 9007199254740993]))
        cast(to, "bool", boolean([[True], [False]]))
    cast("bool", "f64", f64([0, -0.0, 0.5, -1, NAN, INF, 1e-300]))
    cast("bool", "f32", f32([0, -0.0, 0.5, -1, NAN, INF, 1e-30]))
    cast("bool", "i64", i64([0, 1, -1, 2**32]))
    cast("bool", "i32", i32([0, 1, -1, 256]))
    cast("bool", "scalar", f64(2))
