"""Golden cases of the further element-wise ops: functions, special functions, activations, bits. All are called by name."""
import math

import torch
import torch.nn.functional as F

from golden_elementwise import EDGES, MEET, PAIRS, meet
from golden_write import INF, NAN, boolean, draw, f32, f64, i32, i64, integers

SHAPES = [("plain", (2, 5)), ("scalar", ()), ("empty", (3, 0))]


def one(w, op, function, low, high, edges, attributes=None, order=2, prefix=""):
    """Plain, scalar and empty; and the edges, with first gradients."""
    for name, shape in SHAPES:
        single = name == "plain"
        w.apply(op, prefix + name, attributes, function, draw(op, shape, low, high), order=order, single=single)
    if edges:
        w.apply(op, prefix + "edges", attributes, function, f64(edges), order=min(order, 1))


def two(w, op, function, first, second, order=2, single=True):
    """Every way to broadcast, drawn from two intervals."""
    for name, a, b in PAIRS:
        w.apply(op, name, None, function, draw(op + " a", a, *first), draw(op + " b", b, *second), order=order,
                single=single and name == "same")


def of_integers(w, op, function, low=-9, high=9, attributes=None):
    for dtype in ("i32", "i64"):
        w.apply(op, dtype, attributes, function, integers(op + " a", (3, 1), low, high, dtype),
                integers(op + " b", (1, 4), low, high, dtype), order=0, single=False)


UNIT = [0.0, -0.0, 1.0, -1.0, 1.5, -1.5, INF, -INF, NAN, 1e-9, 0.99]
FUNCTIONS = [
    ("exp2", torch.exp2, -3, 3, EDGES + [1023.5, 1024.0, -1080.0]),
    ("log2", torch.log2, 0.1, 3, [0.0, INF, NAN, -1.0, 1.0, 8.0, 1e-300, 1e300]),
    ("log10", torch.log10, 0.1, 3, [0.0, INF, NAN, -1.0, 1.0, 1000.0, 1e-300, 1e300]),
    ("asin", torch.asin, -0.95, 0.95, UNIT), ("acos", torch.acos, -0.95, 0.95, UNIT),
    ("atan", torch.atan, -4, 4, EDGES + [1e10]),
    ("sinh", torch.sinh, -3, 3, EDGES + [710.0, 711.0]), ("cosh", torch.cosh, -3, 3, EDGES + [710.0, 711.0]),
    ("asinh", torch.asinh, -3, 3, EDGES + [1e10, -1e10]),
    ("acosh", torch.acosh, 1.2, 5, [1.0, 1e10, INF, NAN, 0.5, 1.5]),
    ("atanh", torch.atanh, -0.95, 0.95, UNIT),
    ("deg2rad", torch.deg2rad, -180, 180, EDGES), ("rad2deg", torch.rad2deg, -4, 4, EDGES),
    ("trunc", torch.trunc, -4, 4, EDGES + [2.0, -2.0, 2.9, -2.9, 4503599627370497.5]),
    ("frac", torch.frac, -4, 4, EDGES + [2.0, -2.0, 2.9, -2.9, 4503599627370497.5]),
]


def functions(w):
    for op, function, low, high, edges in FUNCTIONS:
        one(w, op, function, low, high, edges)
    one(w, "sinc", torch.sinc, 0.3, 3, [v for v in EDGES if abs(v) != 1e-8])  # there, PyTorch's gradient is of rounding
    w.apply("sinc", "small", None, torch.sinc, f64([1e-8, -1e-8, 1e-3]), order=0)
    w.apply("sinc", "negative", None, torch.sinc, draw("sinc", (4,), -4, -0.3))
    two_arguments(w)
    division(w)
    kinds(w)
    several(w)


def two_arguments(w):
    away = (0.4, 3)
    two(w, "atan2", torch.atan2, (-3, 3), away)
    w.apply("atan2", "quadrants", None, torch.atan2, *meet([1.0, -1.0, 2.5, -0.5]))
    w.apply("atan2", "edges", None, torch.atan2, *meet(MEET), order=0)
    two(w, "hypot", torch.hypot, (-3, 3), away)
    w.apply("hypot", "edges", None, torch.hypot, *meet(MEET), order=0)
    w.apply("hypot", "large", None, torch.hypot, f64([3e300, 3e-300, 0]), f64([4e300, 4e-300, 2]), order=1)
    for op, function in (("logaddexp", torch.logaddexp), ("logaddexp2", torch.logaddexp2)):
        two(w, op, function, (-3, 3), (-3, 3), order=1)
        # The second derivatives of a and b cancel where they are weighted alike.
        for name, a, b in (("second", (3, 1), (1, 4)), ("second_rank4", (2, 1, 3, 1), (4, 1, 2))):
            w.apply(op, name, None, function, draw(op + " a", a), draw(op + " b", b), single=False)
        w.apply(op, "ties", None, function, f64([[1, 0, -3]]), f64([[1], [-0.0], [-3]]))
        w.apply(op, "far", None, function, f64([1000, -1000, 0, -40, 800]), f64([-1000, -1001, -40, 0, -800]), order=1)
        w.apply(op, "edges", None, function, *meet(MEET), order=0)
    two(w, "copysign", torch.copysign, (-3, 3), (-3, 3), order=1)
    w.apply("copysign", "edges", None, torch.copysign, *meet([0.0, -0.0, 1.0, -2.5, INF, -INF]), order=0)
    w.apply("copysign", "signs", None, torch.copysign, *meet([0.0, -0.0, 1.0, -2.5]), order=1)
    for op, function in (("fmax", torch.fmax), ("fmin", torch.fmin)):
        two(w, op, function, (-3, 3), (-3, 3))
        of_integers(w, op, function)
        w.apply(op, "edges", None, function, *meet(MEET), order=1)
    w.apply("heaviside", "plain", None, torch.heaviside, f64([[0, -1, 2], [-0.0, 0, 3]]), f64([0.5, 1, -7]), order=0)
    w.apply("heaviside", "edges", None, torch.heaviside, *meet(MEET), order=0)
    w.apply("heaviside", "scalars", None, torch.heaviside, f64(0), f64(2), order=0)
    w.apply("heaviside", "empty", None, torch.heaviside, draw("heaviside", (0, 2)), draw("heaviside", (2,)), order=0)
    of_integers(w, "heaviside", torch.heaviside, -2, 3)
    two(w, "float_power", torch.float_power, (0.2, 3), (-2, 2), single=False)
    of_integers(w, "float_power", torch.float_power, -3, 4)


def division(w):
    """Gradients at divisors of 0 are left out: the results are NaN or infinite."""
    numbers = [1.0, -1.0, 2.5, -2.5, 0.5, 7.0, -7.0, 0.0]
    for op, function, order in (("fmod", torch.fmod, 2), ("remainder", torch.remainder, 2),
                                ("floor_divide", torch.floor_divide, 0)):
        two(w, op, function, (-9, 9), (0.4, 3), order=order)
        w.apply(op, "negative", None, function, draw(op, (6,), -9, 9), draw(op + " b", (6,), -3, -0.4), order=order)
        w.apply(op, "exact", None, function, *meet(numbers[:-1]), order=order)
        w.apply(op, "edges", None, function, *meet(MEET + [2.0, -3.0]), order=0)
        w.apply(op, "tenths", None, function, f64([0.3, 0.6, 1, -1, 1, 0.7]), f64([0.1, 0.2, 0.1, 0.1, -0.1, 0.1]), order=0,
                single=False)
        for dtype in ("i32", "i64"):
            a = integers(op, (3, 4), -30, 30, dtype)
            b = (integers(op + " b", (4,), 1, 7, dtype) * torch.tensor([1, -1, 1, -1])).to(a.dtype)
            w.apply(op, dtype, None, function, a, b, order=0, single=False)
            w.apply(op, dtype + ".empty", None, function, a[:0], b, order=0, single=False)
        w.apply(op, "i64.large", None, function, i64([2**63 - 1, -2**63, -2**63, 2**53 + 1, 5]),
                i64([10, 10, 2**63 - 1, -2, -2**63]), order=0, single=False)


def kinds(w):
    for name in ("isnan", "isinf", "isposinf", "isneginf", "isfinite", "signbit"):
        function = getattr(torch, name)
        w.apply(name, "edges", None, function, f64(EDGES), order=0)
        w.apply(name, "scalar", None, function, f64(-INF), order=0, single=False)
        w.apply(name, "empty", None, function, f64([]), order=0, single=False)
        for x in (i32([-1, 0, 2**31 - 1]), i64([-1, 0, -2**63])):
            w.apply(name, str(x.dtype)[6:], None, function, x, order=0, single=False)
        if name != "signbit":
            w.apply(name, "bool", None, function, boolean([True, False]), order=0, single=False)
    plain = lambda x: torch.nan_to_num(x)
    w.apply("nan_to_num", "plain", None, plain, f64(EDGES), single=False)
    largest = torch.finfo(torch.float32).max  # cases of f32 are computed in f64
    w.case("nan_to_num", "f32", lambda x: torch.nan_to_num(x, 0, largest, -largest), f32(EDGES), order=1)
    some = lambda x: torch.nan_to_num(x, nan=1.5, posinf=100.0, neginf=-7.0)
    w.apply("nan_to_num", "given", "nan=1.5 posinf=100 neginf=-7", some, f64(EDGES))
    w.apply("nan_to_num", "one", "posinf=9", lambda x: torch.nan_to_num(x, posinf=9.0), f64([INF, NAN, 2]))
    w.apply("nan_to_num", "scalar", None, plain, f64(NAN), single=False)
    w.apply("nan_to_num", "empty", None, plain, f64([]), single=False)
    w.apply("nan_to_num", "i32", "nan=3", plain, i32([-5, 7]), order=0, single=False)


def several(w):
    """Ops of three arguments."""
    triples = [("same", (2, 3), (2, 3), (2, 3)), ("broadcast", (3, 1), (1, 4), (3, 4)), ("rank3", (2, 1, 3), (4, 1), (3,)),
               ("scalars", (), (), ()), ("empty", (0, 3), (1, 3), (3,))]
    for name, a, b, c in triples:
        x, y = draw("lerp a", a), draw("lerp b", b)
        single = name == "broadcast"
        w.apply("lerp", name, None, torch.lerp, x, y, draw("lerp w", c, -1, 2), single=single)
        for value in (1, -0.5):
            at = f"{name}_{value}"
            w.apply("addcmul", at, f"value={value}", lambda x, a, b, v=value: torch.addcmul(x, a, b, value=v),
                    draw("addc", c), x, y, single=single)
            w.apply("addcdiv", at, f"value={value}", lambda x, a, b, v=value: torch.addcdiv(x, a, b, value=v),
                    draw("addc", c), x, draw("addcdiv", b, 0.4, 3), single=single)
        full = torch.broadcast_shapes(a, b, c)  # PyTorch cannot differentiate where the bounds enlarge x
        w.apply("clamp_tensor", name, None, torch.clamp, draw("clamp x", full), draw("clamp low", a, -2, 0),
                draw("clamp high", b, 0, 2), single=single)
    w.apply("addcdiv", "by_zero", None, torch.addcdiv, f64([1, 2, 0]), f64([1, -1, 0]), f64([0, 0, 0]), order=0)
    for dtype in ("i32", "i64"):
        w.apply("addcmul", dtype, "value=-3", lambda x, a, b: torch.addcmul(x, a, b, value=-3),
                integers("addcmul x", (2, 3), -9, 9, dtype), integers("addcmul a", (3,), -9, 9, dtype),
                integers("addcmul b", (2, 1), -9, 9, dtype), order=0, single=False)
        w.apply("clamp_tensor", dtype, None, torch.clamp, integers("clamp x", (2, 3), -9, 9, dtype),
                integers("clamp low", (3,), -9, 1, dtype), integers("clamp high", (2, 1), 0, 9, dtype), order=0,
                single=False)
    w.apply("lerp", "ends", None, torch.lerp, f64([0.1] * 6), f64([0.7] * 6), f64([0, 1, 0.5, -1, 2, 0.49999]))
    w.apply("lerp", "edges", None, torch.lerp, f64([1, INF, 1, NAN]), f64([2, 1, INF, 1]), f64([NAN, 0.25, 0.25, 0.5]),
            order=0)
    for weight in (0, 0.25, 0.5, 0.75, 1, -1.5):
        function = lambda a, b, v=weight: torch.lerp(a, b, v)
        w.apply("lerp_scalar", f"{weight}", f"weight={weight}", function, draw("lerp a", (3, 1)), draw("lerp b", (1, 4)))
    w.apply("lerp_scalar", "scalars", "weight=0.3", lambda a, b: torch.lerp(a, b, 0.3), f64(1), f64(2), single=False)
    w.apply("lerp_scalar", "empty", "weight=0.3", lambda a, b: torch.lerp(a, b, 0.3), f64([]), f64([1]), single=False)
    x, low, high = f64([-3, -1, 0, 1, 3, 2, INF, -INF]), f64([-1] * 8), f64([1] * 8)
    w.apply("clamp_tensor", "borders", None, torch.clamp, x, low, high)
    w.apply("clamp_tensor", "crossed", None, torch.clamp, f64([-2, 0, 2]), f64([1, 1, 1]), f64([-1, -1, -1]), order=0)
    w.apply("clamp_tensor", "nan", None, torch.clamp, f64([NAN, 1, 1, NAN]), f64([0, NAN, 0, 0]), f64([2, 2, NAN, 2]),
            order=0)
    w.apply("clamp_tensor", "low", None, lambda x, low, high: torch.clamp(x, low), x, f64(-1), None)
    w.apply("clamp_tensor", "high", None, lambda x, low, high: torch.clamp(x, None, high), x, None, high)


# ---- special functions ----

class Polygamma(torch.autograd.Function):
    """By the zeta function, which torch.special has to full precision: torch.polygamma(1, x) is off by 1e-9."""

    @staticmethod
    def forward(ctx, x, n):
        ctx.save_for_backward(x)
        ctx.n = n
        if n == 0:
            return torch.digamma(x)
        return (-1) ** (n + 1) * float(math.factorial(n)) * torch.special.zeta(n + 1.0, x)

    @staticmethod
    def backward(ctx, g):
        return g * Polygamma.apply(ctx.saved_tensors[0], ctx.n + 1), None


class LogGamma(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.lgamma(x)

    @staticmethod
    def backward(ctx, g):
        return g * Polygamma.apply(ctx.saved_tensors[0], 0)


def special(w):
    digamma = lambda x: Polygamma.apply(x, 0)
    one(w, "lgamma", LogGamma.apply, 0.1, 5, None)
    w.apply("lgamma", "negative", None, LogGamma.apply, f64([-0.5, -1.25, -2.75, -7.5, -20.3]))
    w.apply("lgamma", "edges", None, torch.lgamma, f64([0.0, -0.0, -1.0, -2.0, INF, -INF, NAN, 1.0, 2.0, 1e-300, 1e300, 1e10]),
            order=0)
    one(w, "digamma", digamma, 0.1, 5, None)
    w.apply("digamma", "negative", None, digamma, f64([-0.25, -1.3, -2.75, -7.6, -20.3]))
    w.apply("digamma", "edges", None, torch.digamma,
            f64([0.0, -0.0, -1.0, -2.0, INF, NAN, 1.0, 2.0, 1e-300, 1e300, 1e10, 9.999, 10.0]), order=0)
    for n in (0, 1, 2, 3, 5):
        function = lambda x, n=n: Polygamma.apply(x, n)
        w.apply("polygamma", f"{n}", f"n={n}", function, draw("polygamma", (2, 4), 0.3, 6))
        w.apply("polygamma", f"{n}.large", f"n={n}", function, f64([9.5, 15, 100, 1e5]), order=1, single=False)
        if n > 0:
            w.apply("polygamma", f"{n}.negative", f"n={n}", function, f64([-0.3, -1.3, -2.75, -7.6]), single=False)
    w.apply("polygamma", "20", "n=20", lambda x: Polygamma.apply(x, 20), f64([0.5, 3, 30]), order=1, single=False)
    w.apply("polygamma", "scalar", "n=2", lambda x: Polygamma.apply(x, 2), f64(1.5), single=False)
    w.apply("polygamma", "empty", "n=2", lambda x: Polygamma.apply(x, 2), f64([]), single=False)
    for n in (2, 3):
        w.apply("polygamma", f"{n}.edges", f"n={n}", lambda x, n=n: torch.polygamma(n, x), f64([0, -1, -2, NAN]), order=0)
    one(w, "erfc", torch.erfc, -3, 3, EDGES + [5.5, 26.0, -5.5])
    one(w, "erfinv", torch.erfinv, -0.97, 0.97, [0.0, -0.0, 1.0, -1.0, 1.5, -1.5, NAN, INF, 0.5, 1e-9, 0.999, -0.999])
    w.apply("erfinv", "tails", None, torch.erfinv, f64([1 - 1e-5, 1e-5 - 1, 1 - 1e-9, 1e-300]), order=1, single=False)
    one(w, "logit", torch.logit, 0.05, 0.95, [0.0, 1.0, 0.5, NAN, 1e-9])
    w.apply("logit", "beyond", None, torch.logit, f64([-0.5, 1.5, INF, -INF]), order=0)
    for eps in (0.1, 1e-6, 0.5):
        function = lambda x, eps=eps: torch.logit(x, eps)
        w.apply("logit", f"eps{eps}", f"eps={eps}", function, f64([0.02, 0.3, 0.7, 0.999, 0, 1, -2, 2]), order=1,
                single=eps > 1e-3)
    w.apply("logit", "eps0", "eps=0", lambda x: torch.logit(x, 0.0), f64([0.25, 0.75]))
    for op, function, low in (("xlogy", torch.xlogy, 0.0), ("xlog1py", torch.special.xlog1py, -1.0)):
        two(w, op, function, (-2, 2), (low + 0.2, low + 3))
        w.apply(op, "zeros", None, function, f64([0, 0, 0, 0]), f64([low + 0.5, low + 1, low + 2, low - 1]), order=1)
        w.apply(op, "edges", None, function, *meet([0.0, -0.0, 1.0, -1.0, 2.5, INF, -INF, NAN]), order=0)
        w.apply(op, "poles", None, function, f64([1, -1, 2]), f64([low, low, INF]), order=0)


# ---- activations ----

def hardsigmoid(x):
    """PyTorch's own gradient is that of a sixth in f32, and has no derivative."""
    return F.relu6(x + 3) / 6



def activations(w):
    # PyTorch's gradient at NaN is 0 in vectors and that of the result in what is left of them.
    def held(op, function, *rest, prefix="", attributes=None):
        one(w, op, function, *rest, [v for v in kinks if v == v], attributes, prefix=prefix)
        w.apply(op, prefix + "nan", attributes, function, f64([NAN, 1, NAN]), order=0)

    kinks = EDGES + [3.0, -3.0, 6.0, 0.25, -0.25, 2.9, -2.9, 3.1, -3.1, 6.5]
    held("relu6", F.relu6, -4, 7)
    held("hardsigmoid", hardsigmoid, -4, 4)
    w.apply("hardsigmoid", "values", None, F.hardsigmoid, f64(kinks), order=0)
    simple = [("hardswish", F.hardswish), ("selu", F.selu),
              ("mish", F.mish), ("softsign", F.softsign), ("tanhshrink", F.tanhshrink), ("logsigmoid", F.logsigmoid),
              ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"))]
    for op, function in simple:
        one(w, op, function, -4, 4, kinks)
    for name, low, high in (("default", None, None), ("given", -0.5, 0.25), ("one_sided", 0.0, 6.0), ("point", 0.5, 0.5)):
        attributes = None if low is None else f"low={low} high={high}"
        function = F.hardtanh if low is None else lambda x, low=low, high=high: F.hardtanh(x, low, high)
        held("hardtanh", function, -2, 2, attributes=attributes, prefix=name + "_")
    for alpha in (None, 0.5, 2.0, -1.0):
        attributes, a = (None, 1.0) if alpha is None else (f"alpha={alpha}", alpha)
        if a > 0:
            one(w, "elu", lambda x, a=a: F.elu(x, a), -3, 3, kinks, attributes, prefix=f"{alpha}_")
        one(w, "celu", lambda x, a=a: F.celu(x, a), -3, 3, kinks, attributes, prefix=f"{alpha}_")
    for l in (None, 0.25, 0.0):
        attributes, a = (None, 0.5) if l is None else (f"lambda={l}", l)
        held("softshrink", lambda x, a=a: F.softshrink(x, a), -1, 1, attributes=attributes, prefix=f"{l}_")
        held("hardshrink", lambda x, a=a: F.hardshrink(x, a), -1, 1, attributes=attributes, prefix=f"{l}_")
    for th, value in ((0.0, 0.0), (0.25, -20.0), (-1.0, 0.5)):
        one(w, "threshold", lambda x, th=th, v=value: F.threshold(x, th, v), -2, 2, kinks, f"threshold={th} value={value}",
            prefix=f"{th}_")
    for beta, th in ((1, 20), (2, 20), (0.5, 3), (-1, 20), (3, 0)):
        function = lambda x, b=beta, th=th: F.softplus(x, b, th)
        attributes = None if (beta, th) == (1, 20) else f"beta={beta} threshold={th}"
        one(w, "softplus_scaled", function, -3, 3, EDGES, attributes, prefix=f"{beta}_{th}_")

    for name, x, weight in (("channels", (2, 3), (3,)), ("one", (2, 3), (1,)), ("images", (2, 3, 2, 2), (3,)),
                            ("vector", (5,), (1,)), ("scalar", (), (1,)), ("scalars", (), ()), ("empty", (0, 3), (3,))):
        w.apply("prelu", name, None, F.prelu, draw("prelu", x), draw("prelu w", weight), single=name == "images")
    w.apply("prelu", "edges", None, F.prelu, f64([EDGES]), f64([0.25] * len(EDGES)), order=1)
    for lower, upper in ((0.125, 1 / 3), (0.1, 0.5), (-0.5, 0.5)):
        function = lambda x, l=lower, u=upper: F.rrelu(x, l, u, training=False)
        attributes = None if lower == 0.125 else f"lower={lower} upper={upper}"
        one(w, "rrelu", function, -2, 2, EDGES, attributes, prefix=f"{lower}_")
    function = lambda x: F.rrelu(x, 0.25, 0.25, training=True)
    w.apply("rrelu", "training", "lower=0.25 upper=0.25 training=true", function, draw("rrelu", (2, 5)))

    for name, shape, axis in (("last", (2, 6), -1), ("first", (4, 3), 0), ("middle", (2, 4, 3), 1), ("vector", (6,), 0),
                              ("empty", (0, 4), 1), ("nothing", (3, 0), 1)):
        w.apply("glu", name, None if axis == -1 else f"axis={axis}", lambda x, axis=axis: F.glu(x, axis), draw("glu", shape))
    w.apply("glu", "edges", None, F.glu, f64([[1, INF, NAN, 1, 0, 1, 1, 800], [0, 0, 0, INF, -INF, NAN, -800, 800]]).T,
            order=0)
    for name, shape, axis in (("last", (2, 4), -1), ("first", (3, 2), 0), ("middle", (2, 3, 2), 1), ("scalar", (), 0),
                              ("empty", (0, 3), 1)):
        w.apply("softmin", name, f"axis={axis}", lambda x, axis=axis: F.softmin(x, axis), draw("softmin", shape))


# ---- bits ----

def bits(w):
    wide = i64([0, -1, 5, -2**63, 2**63 - 1, 12, 1, -2])
    for op, function in (("bitwise_and", torch.bitwise_and), ("bitwise_or", torch.bitwise_or),
                         ("bitwise_xor", torch.bitwise_xor)):
        of_integers(w, op, function, -300, 300)
        w.apply(op, "i64.large", None, function, wide, wide.flip(0), order=0, single=False)
        w.apply(op, "bool", None, function, boolean([[False], [True]]), boolean([False, True]), order=0, single=False)
        w.apply(op, "scalars", None, function, i32(6), i32(3), order=0, single=False)
        w.apply(op, "empty", None, function, i64([]), i64([1]), order=0, single=False)
    w.apply("bitwise_not", "i64", None, torch.bitwise_not, wide, order=0, single=False)
    w.apply("bitwise_not", "i32", None, torch.bitwise_not, i32([[0, -1, 7], [2**31 - 1, -2**31, 9]]), order=0, single=False)
    w.apply("bitwise_not", "bool", None, torch.bitwise_not, boolean([True, False]), order=0, single=False)
    w.apply("bitwise_not", "empty", None, torch.bitwise_not, i32([]), order=0, single=False)
    for op, function in (("bitwise_left_shift", torch.bitwise_left_shift), ("bitwise_right_shift", torch.bitwise_right_shift)):
        for dtype, n in (("i32", 32), ("i64", 64)):
            few = integers(op, (3, 4), -300, 300, dtype)
            w.apply(op, dtype, None, function, few, integers(op + " b", (4,), 0, n // 2, dtype), order=0, single=False)
            by = torch.tensor([[0, 1, n - 2, n - 1, n, n + 1, -1, -n]], dtype=few.dtype)
            top = torch.tensor([[1], [-1], [2 ** (n - 1) - 1], [-2 ** (n - 1)], [5], [-6]], dtype=few.dtype)
            w.apply(op, dtype + ".edges", None, function, top, by, order=0, single=False)
        w.apply(op, "scalars", None, function, i64(6), i64(2), order=0, single=False)
        w.apply(op, "empty", None, function, i64([]), i64([1]), order=0, single=False)
