"""Cases of scans, sorting and searching, order statistics and norms."""
import torch

from golden_write import INF, NAN, boolean, draw, f64, i32, i64, integers

MINUS_ZERO = -0.0


def distinct(name, shape):
    """f64 values of which no two are equal."""
    x = draw(name, shape)
    order = x.reshape(-1).argsort(stable=True)
    return (torch.empty_like(order, dtype=torch.float64).scatter_(0, order, torch.arange(x.numel()).double()) * 0.25
            - x.numel() / 8).reshape(x.shape)


def whole(name, shape, low=-2, high=3):
    """Whole numbers in f64: many are equal."""
    return integers(name, shape, low, high).double()


SHAPES = [("vector", (6,), 0), ("last", (3, 4), -1), ("first", (3, 4), 0), ("middle", (2, 4, 3), 1), ("one", (3, 1), 1),
          ("scalar", (), 0), ("scalar_minus", (), -1), ("empty", (0, 3), 0), ("empty_lanes", (0, 3), 1)]


# ---- scans ---------------------------------------------------------------------------------------------------------


def scans(w):
    for name, f in [("cumsum", torch.cumsum), ("cumprod", torch.cumprod), ("logcumsumexp", torch.logcumsumexp),
                    ("cummax", torch.cummax), ("cummin", torch.cummin)]:
        for variant, shape, axis in SHAPES:
            if name in ("cummax", "cummin") and shape == (0, 3):
                continue
            order = 1 if name == "logcumsumexp" and variant == "one" else 2  # 0, but for rounding
            w.apply(name, variant, f"axis={axis}", lambda x, f=f, axis=axis: f(x, axis), draw(name, shape), order=order)
        if name != "logcumsumexp":
            w.apply(name, "integer", "axis=1", lambda x, f=f: f(x, 1), integers(name, (2, 5), -3, 4), order=0, single=False)
    for variant, values in [("zero", [2.0, 0.0, 3.0, -1.5]), ("zeros", [2.0, 0.0, 3.0, 0.0, -1.5, 0.5]),
                            ("first_zero", [0.0, 2.0, 3.0]), ("last_zero", [1.5, 2.0, 0.0]), ("all_zero", [0.0, 0.0, 0.0])]:
        w.apply("cumprod", variant, "axis=0", lambda x: torch.cumprod(x, 0), f64(values))
    w.apply("cumprod", "zeros_matrix", "axis=0", lambda x: torch.cumprod(x, 0),
            f64([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5], [4.0, 0.0, -1.0], [0.0, 2.0, 2.0]]))
    w.apply("cumsum", "special", "axis=0", lambda x: torch.cumsum(x, 0), f64([1.0, INF, 2.0, -INF, 3.0]), order=1)
    w.apply("cumsum", "nan", "axis=0", lambda x: torch.cumsum(x, 0), f64([1.0, NAN, 2.0]), order=1)
    w.apply("cumprod", "special", "axis=0", lambda x: torch.cumprod(x, 0), f64([2.0, INF, -2.0, NAN, 3.0]), order=0)
    for name, f in [("cummax", torch.cummax), ("cummin", torch.cummin)]:
        for variant, values in [("ties", [1.0, 3.0, 3.0, 2.0, 3.0, 4.0, 1.0, 1.0]), ("equal", [2.0, 2.0, 2.0]),
                                ("nan", [1.0, NAN, 5.0, -5.0, NAN, 2.0]), ("infinite", [-INF, INF, INF, -INF, 0.0]),
                                ("zeros", [0.0, MINUS_ZERO, 0.0, MINUS_ZERO])]:
            w.apply(name, variant, "axis=0", lambda x, f=f: f(x, 0), f64(values))
        w.apply(name, "ties_matrix", "axis=0", lambda x, f=f: f(x, 0), whole(name, (4, 3)))
        w.apply(name, "i32", "axis=-1", lambda x, f=f: f(x, -1), integers(name, (2, 5), -2, 3, "i32"), order=0, single=False)
    w.apply("logcumsumexp", "large", "axis=0", lambda x: torch.logcumsumexp(x, 0), f64([700.0, 701.0, 699.5, -800.0]))
    w.apply("logcumsumexp", "far", "axis=0", lambda x: torch.logcumsumexp(x, 0), f64([-700.0, 0.0, -40.0, 3.0]))
    w.apply("logcumsumexp", "infinite", "axis=0", lambda x: torch.logcumsumexp(x, 0), f64([-INF, -INF, 1.0, INF, 2.0]),
            order=0)
    w.apply("logcumsumexp", "nan", "axis=0", lambda x: torch.logcumsumexp(x, 0), f64([1.0, NAN, 2.0]), order=0)
    differences(w)


def differences(w):
    for n in (0, 1, 2, 3, 5):
        for axis in (0, -1):
            w.apply("diff", f"n{n}_axis{axis}", f"n={n} axis={axis}", lambda x, n=n, axis=axis: torch.diff(x, n, axis),
                    draw("diff", (4, 3)), single=n == 1)
    w.apply("diff", "vector", None, lambda x: torch.diff(x), draw("diff", (5,)))
    w.apply("diff", "empty", None, lambda x: torch.diff(x), draw("diff", (3, 0)))
    w.apply("diff", "joined", "axis=1 n=2", lambda x, a, b: torch.diff(x, 2, 1, a, b), draw("diff", (2, 3)),
            draw("before", (2, 1)), draw("behind", (2, 2)))
    w.apply("diff", "appended", "axis=0", lambda x, a, b: torch.diff(x, 1, 0, None, b), draw("diff", (2, 3)), None,
            draw("behind", (1, 3)))
    w.apply("diff", "integer", "n=2", lambda x: torch.diff(x, 2), integers("diff", (6,), -9, 9), order=0, single=False)
    w.apply("diff", "bool", None, lambda x: torch.diff(x), boolean([True, True, False, True]), order=0, single=False)
    for name, f in [("trapezoid", torch.trapezoid), ("cumulative_trapezoid", torch.cumulative_trapezoid)]:
        for axis in (0, 1, -1):
            w.apply(name, f"axis{axis}", f"dx=0.5 axis={axis}", lambda y, f=f, axis=axis: f(y, dx=0.5, dim=axis),
                    draw(name, (3, 4, 2)))
        w.apply(name, "plain", None, lambda y, f=f: f(y), draw(name, (5,)))
        w.apply(name, "one", None, lambda y, f=f: f(y), draw(name, (2, 1)))
        w.apply(name, "places", "axis=1", lambda y, x, f=f: f(y, x, dim=1), draw(name, (2, 4, 3)), draw("places", (4,)))
        w.apply(name, "places_each", "axis=0", lambda y, x, f=f: f(y, x, dim=0), draw(name, (4, 3)), draw("places", (4, 3)))
        w.apply(name, "places_vector", None, lambda y, x, f=f: f(y, x), draw(name, (4,)), draw("places", (4,)))


# ---- sorting and searching -------------------------------------------------------------------------------------------


def sorting(w):
    stable = lambda x, axis=-1, descending=False: torch.sort(x, dim=axis, descending=descending, stable=True)
    for variant, shape, axis in SHAPES:
        for descending in (False, True):
            order = "descending" if descending else "ascending"
            w.apply("sort", f"{variant}_{order}", f"axis={axis} descending={str(descending).lower()}",
                    lambda x, axis=axis, d=descending: stable(x, axis, d), distinct("sort", shape), single=descending)
    special = [3.0, NAN, -INF, 0.0, 3.0, MINUS_ZERO, INF, NAN, -1.0, 3.0, 0.0]
    for descending in (False, True):
        word = f"descending={str(descending).lower()}"
        order = "descending" if descending else "ascending"
        f = lambda x, d=descending: stable(x, -1, d)
        w.apply("sort", f"special_{order}", word, f, f64(special))
        w.apply("sort", f"ties_{order}", word, f, whole("sort", (3, 7)))
        w.apply("sort", f"i32_{order}", word, f, i32([5, -2147483648, 0, 2147483647, -1, 5, 0]), order=0, single=False)
        w.apply("sort", f"i64_{order}", word, f, i64([5, -2 ** 63, 0, 2 ** 63 - 1, -1, 5, 0]), order=0, single=False)
        w.apply("sort", f"bool_{order}", word, f, boolean([True, False, True, False]), order=0, single=False)
        w.apply("argsort", f"ties_{order}", f"axis=0 {word}",
                lambda x, d=descending: torch.argsort(x, dim=0, descending=d, stable=True), whole("argsort", (6, 2)), order=0)
        w.apply("argsort", f"special_{order}", word,
                lambda x, d=descending: torch.argsort(x, descending=d, stable=True), f64(special), order=0)
    w.apply("msort", "matrix", None, torch.msort, distinct("msort", (4, 3)))
    w.apply("msort", "scalar", None, torch.msort, draw("msort", ()))
    largest(w)
    searching(w)
    counting(w)


def largest(w):
    for variant, shape, axis in SHAPES:
        extent = 1 if shape == () else shape[axis]
        for k in sorted({0, 1, 2, extent}):
            if k > extent or (shape == () and k == 0):
                continue
            for most in (True, False):
                w.apply("topk", f"{variant}_{k}_{'largest' if most else 'smallest'}",
                        f"k={k} axis={axis} largest={str(most).lower()}",
                        lambda x, k=k, axis=axis, most=most: torch.topk(x, k, axis, most), distinct("topk", shape),
                        single=k == 2 and most)
    w.apply("topk", "nan", "k=2", lambda x: torch.topk(x, 2), f64([1.0, NAN, INF, 0.0]))
    w.apply("topk", "nan_smallest", "k=3 largest=false", lambda x: torch.topk(x, 3, largest=False), f64([1.0, NAN, INF, 0.0]))
    w.apply("topk", "integer", "k=3", lambda x: torch.topk(x, 3), i64([4, -1, 9, 2, 7]), order=0, single=False)
    for variant, shape, axis in SHAPES:
        extent = 1 if shape == () else shape[axis]
        for k in range(1, extent + 1):
            if 0 in shape:
                continue
            keep = k % 2 == 0
            w.apply("kthvalue", f"{variant}_{k}", f"k={k} axis={axis} keepdim={str(keep).lower()}",
                    lambda x, k=k, axis=axis, keep=keep: torch.kthvalue(x, k, axis, keep), distinct("kthvalue", shape),
                    single=k == 2)
    w.apply("kthvalue", "nan", "k=3", lambda x: torch.kthvalue(x, 3), f64([1.0, NAN, -INF, 0.0]))
    w.apply("kthvalue", "integer", "k=2", lambda x: torch.kthvalue(x, 2), i64([4, -1, 9, 2, 7]), order=0, single=False)


def searching(w):
    row = f64([-2.0, -1.0, -1.0, 0.0, 0.5, 2.0])
    values = f64([[-3.0, -2.0, -1.0, 0.25], [0.5, 2.0, 3.0, 0.0]])
    for right in (False, True):
        word = f"right={str(right).lower()}"
        name = "right" if right else "left"
        f = lambda s, v, right=right: torch.searchsorted(s, v, right=right)
        w.apply("searchsorted", f"vector_{name}", word, f, row, values, order=0)
        w.apply("searchsorted", f"scalar_{name}", word, f, row, f64(-1.0), order=0)
        w.apply("searchsorted", f"rows_{name}", word, f, whole("rows", (2, 3, 5)).sort(-1)[0], whole("places", (2, 3, 4)), order=0)
        w.apply("searchsorted", f"special_{name}", word, f, f64([-INF, 0.0, 0.0, INF, INF, NAN]),
                f64([-INF, MINUS_ZERO, INF, NAN, 1.0]), order=0)
        w.apply("searchsorted", f"empty_{name}", word, f, row[:0], values, order=0)
        w.apply("searchsorted", f"nothing_{name}", word, f, row, values[:0], order=0)
        w.apply("searchsorted", f"i32_{name}", word, f, i32([1, 3, 3, 7]), i32([[0, 3], [7, 8]]), order=0, single=False)
        w.apply("searchsorted", f"i64_{name}", word, f, i64([1, 3, 3, 7]), i64([3, 1, 9]), order=0, single=False)
        b = lambda x, s, right=right: torch.bucketize(x, s, right=right)
        w.apply("bucketize", f"matrix_{name}", word, b, values, row, order=0)
        w.apply("bucketize", f"scalar_{name}", word, b, f64(0.5), row, order=0)
        w.apply("bucketize", f"integer_{name}", word, b, i64([3, 1, 9, 7]), i64([1, 3, 3, 7]), order=0, single=False)
    for invert in (False, True):
        word = f"invert={str(invert).lower()}"
        f = lambda x, of, invert=invert: torch.isin(x, of, invert=invert)
        w.apply("isin", f"matrix_{word[7:]}", word, f, whole("isin", (3, 4)), f64([[2.0, -1.0], [7.0, -1.0]]), order=0)
        w.apply("isin", f"scalar_{word[7:]}", word, f, f64(2.0), f64([2.0, 3.0]), order=0)
        w.apply("isin", f"nothing_{word[7:]}", word, f, f64([2.0, 3.0]), f64([]), order=0)
        w.apply("isin", f"special_{word[7:]}", word, f, f64([NAN, INF, MINUS_ZERO, 1.0]), f64([NAN, 0.0, INF]), order=0)
        w.apply("isin", f"integer_{word[7:]}", word, f, i64([1, 5, 9, 5]), i64([5, 1]), order=0, single=False)


def counting(w):
    inputs = [("floats", whole("unique", (3, 5))), ("vector", f64([3.0, 3.0, 1.0, 1.0, 3.0])), ("one", f64([4.0])),
              ("scalar", f64(4.0)), ("empty", f64([])), ("infinite", f64([INF, -INF, 0.0, INF, -INF])), ("nan", f64([NAN, 1.0, NAN, NAN, 1.0, MINUS_ZERO])),
              ("i64", integers("unique", (4, 3), -2, 3)), ("i32", integers("unique", (7,), -2, 3, "i32")),
              ("bool", boolean([[True, False], [True, True]]))]
    for variant, x in inputs:
        floats = x.is_floating_point()
        w.apply("unique", variant, None, lambda x: torch.unique(x, return_inverse=True, return_counts=True), x, order=0,
                single=floats)
        w.apply("unique_consecutive", variant, None,
                lambda x: torch.unique_consecutive(x, return_inverse=True, return_counts=True), x, order=0, single=floats)
    for variant, x, least in [("plain", [3, 0, 3, 1, 3], 0), ("longer", [3, 0, 3, 1, 3], 6), ("shorter", [3, 0, 3], 2),
                              ("one", [5], 0), ("empty", [], 0), ("empty_longer", [], 3)]:
        for make, name in ((i64, "i64"), (i32, "i32")):
            w.apply("bincount", f"{variant}_{name}", f"minlength={least}", lambda x, n=least: torch.bincount(x, minlength=n),
                    make(x), order=0, single=False)
        # torch.bincount has no gradient: the same sums by index_add
        size = max(max(x, default=-1) + 1, least)
        w.apply("bincount", f"{variant}_weights", f"minlength={least}",
                lambda x, v, size=size: torch.zeros(size, dtype=v.dtype).index_add(0, x, v), i64(x),
                draw("weights", (len(x),)))
    x = f64([[-1.0, 0.5, 0.25, 2.0], [0.5, 1.0, 3.0, -1.0]])
    for variant, bins, low, high, values in [("plain", 4, 0, 0, x), ("range", 4, 0, 1, x), ("one", 1, 0, 2, x),
                                             ("wide", 3, -4, 5, x), ("outside", 5, 10, 11, x), ("equal", 4, 0, 0, f64([2.0, 2.0])),
                                             ("nan", 2, 0, 1, f64([NAN, 0.25, INF, 1.0])), ("empty", 3, 0, 0, f64([])),
                                             ("scalar", 3, 0, 0, f64(1.5))]:
        w.apply("histc", variant, f"bins={bins} min={low} max={high}",
                lambda x, b=bins, low=low, high=high: torch.histc(x, b, low, high), values, order=0)
    edges = f64([-2, -1, 0.5, 0.5, 2])
    for variant, values, at, attributes in (
            ("plain", draw("histogram", (3, 4)), edges, ""), ("density", draw("histogram", (7,)), edges, "density=true"),
            ("at_edges", f64([-2, -1, 0.5, 2, 2.5, -3, 1]), edges, ""), ("empty", f64([]), edges, ""),
            ("scalar", f64(0.25), edges, ""), ("one_bin", draw("histogram", (2, 2)), f64([-1, 1]), ""),
            ("infinite", f64([INF, -INF, 0]), edges, "")):
        dense = attributes != ""
        w.apply("histogram", variant, attributes,
                lambda x, e, dense=dense: torch.histogram(x, e, density=dense)[0], values, at, order=0)
        if values.numel():
            w.apply("histogram", variant + "_weights", attributes,
                    lambda x, e, v, dense=dense: torch.histogram(x, e, weight=v, density=dense)[0], values, at,
                    draw("weights", values.shape, 0.5, 2), order=0)


# ---- order statistics and norms --------------------------------------------------------------------------------------


def flattened(x, axes):
    """x with the axes joined to one last axis, all of them where none is given, for functions of one axis."""
    axes = [a % x.dim() for a in axes] if axes else list(range(x.dim()))
    kept = [a for a in range(x.dim()) if a not in axes]
    return x.permute(kept + axes).reshape([x.shape[a] for a in kept] + [-1])


def over(x, axes, keep, f):
    y = f(flattened(x, axes))
    if not keep:
        return y
    axes = [a % x.dim() for a in axes] if axes else list(range(x.dim()))
    lead = y.dim() - (x.dim() - len(axes))
    return y.reshape(list(y.shape[:lead]) + [1 if a in axes else x.shape[a] for a in range(x.dim())])


def order_statistics(w):
    w.apply("median", "odd", None, torch.median, distinct("median", (5,)))
    w.apply("median", "even", None, torch.median, distinct("median", (2, 3)))
    w.apply("median", "ties", None, torch.median, f64([1.0, 2.0, 2.0, 0.0, 2.0, 3.0, 5.0]))
    w.apply("median", "scalar", None, torch.median, draw("median", ()))
    w.apply("median", "empty", None, torch.median, f64([]), order=0)
    w.apply("median", "nan", None, torch.median, f64([1.0, NAN, 2.0, NAN]), order=1)
    w.apply("median", "infinite", None, torch.median, f64([-INF, -INF, 2.0, -INF]), order=1)
    w.apply("median", "integer", None, torch.median, i64([4, 1, 7, 7, 2, 0]), order=0, single=False)
    w.apply("nanmedian", "ties", None, torch.nanmedian, f64([1.0, NAN, 2.0, 2.0, NAN, 7.0, NAN]))
    w.apply("nanmedian", "all_nan", None, torch.nanmedian, f64([NAN, NAN]), order=0)
    w.apply("nanmedian", "plain", None, torch.nanmedian, distinct("nanmedian", (2, 4)))
    for axes in ([0], [1], [0, 2], [-1, 1]):
        for keep in (False, True):
            text = f"axes={axes} keepdim={str(keep).lower()}".replace(" ", "", len(axes) - 1)
            name = "".join(map(str, axes)) + ("_keep" if keep else "")
            x = distinct("medians", (2, 3, 4))
            w.apply("median", f"axes{name}", text,
                    lambda x, a=axes, k=keep: over(x, a, k, lambda r: torch.median(r, -1)[0]), x, single=keep)
            x = torch.where(x > 1.5, NAN, x)
            w.apply("nanmedian", f"axes{name}", text,
                    lambda x, a=axes, k=keep: over(x, a, k, lambda r: torch.nanmedian(r, -1)[0]), x, single=keep)
    with_index(w)
    quantiles(w)
    extremes(w)
    norms(w)


def with_index(w):
    single = lambda f: lambda x, axis, keep: tuple(f(x, dim=axis, keepdim=keep))
    for name, f in [("max_with_index", single(torch.max)), ("min_with_index", single(torch.min)),
                    ("median_with_index", single(torch.median)), ("nanmedian_with_index", single(torch.nanmedian)),
                    ("mode_with_index", single(torch.mode))]:
        for variant, shape, axis in SHAPES:
            if shape == (0, 3) and axis == 0:
                continue
            for keep in (False, True):
                w.apply(name, variant + ("_keep" if keep else ""), f"axis={axis} keepdim={str(keep).lower()}",
                        lambda x, f=f, axis=axis, keep=keep: f(x, axis, keep), distinct(name, shape), single=keep)
        w.apply(name, "integer", None, lambda x, f=f: f(x, -1, False), i64([[5, 3, 9, 1], [-4, -3, -9, 0]]), order=0,
                single=False)
        if name != "mode_with_index":
            w.apply(name, "nan", None, lambda x, f=f: f(x, -1, False), f64([[1.0, NAN, -2.0], [3.0, 1.0, NAN]]))
            w.apply(name, "infinite", None, lambda x, f=f: f(x, -1, False), f64([[INF, 0.0, -INF], [3.0, -INF, 1.0]]))
    for name, f in [("max_with_index", torch.max), ("min_with_index", torch.min)]:
        w.apply(name, "ties", "axis=0", lambda x, f=f: tuple(f(x, 0)), whole(name, (5, 3)))
        w.apply(name, "nans", "axis=0", lambda x, f=f: tuple(f(x, 0)), f64([2.0, NAN, 7.0, NAN]))
    for variant, values in [("ties", [3.0, 1.0, 2.0, 1.0, 3.0, 0.0]), ("most", [3.0, 1.0, 3.0, 1.0, 3.0, 0.0]),
                            ("equal", [2.0, 2.0, 2.0])]:
        w.apply("mode_with_index", variant, None, lambda x: tuple(torch.mode(x)), f64(values))
    w.apply("mode_with_index", "ties_matrix", "axis=0", lambda x: tuple(torch.mode(x, 0)), whole("mode", (6, 3)))


def quantiles(w):
    for name, f in [("quantile", torch.quantile), ("nanquantile", torch.nanquantile)]:
        def case(variant, x, q, axes=(), keep=False, how="linear", order=2, single=False):
            take = lambda x: over(x, list(axes), keep, lambda r: f(r, f64(q), -1, interpolation=how))
            text = "axes=[" + ",".join(map(str, axes)) + "]" if axes else "axes=all"
            w.apply(name, variant, f"q={q} {text} keepdim={str(keep).lower()} interpolation={how}", take, x, order=order,
                    single=single)

        for how in ("linear", "lower", "higher", "midpoint", "nearest"):
            case(f"all_{how}", distinct(name, (2, 3)), [0.3, 0.5], how=how, single=True)
            case(f"axis_{how}", distinct(name, (3, 4)), [0.0, 0.1, 0.5, 0.9, 1.0], axes=(0,), how=how)
            case(f"last_{how}", distinct(name, (2, 5)), [0.7], axes=(-1,), keep=True, how=how)
            case(f"axes_{how}", distinct(name, (2, 3, 2)), [0.25, 0.6], axes=(0, 2), keep=True, how=how)
            holes = torch.where(distinct(name, (3, 5)) > 0.5, NAN, distinct(name, (3, 5)))
            case(f"nan_{how}", holes, [0.0, 0.4, 1.0], axes=(1,), how=how)
            case(f"half_{how}", distinct(name, (6,)), [0.1, 0.3, 0.5, 0.7, 0.9], how=how)
        case("one", distinct(name, (1,)), [0.5])
        case("scalar", draw(name, ()), [0.0, 1.0])
        case("none", distinct(name, (4,)), [], order=0)
        case("all_nan", f64([[NAN, NAN], [1.0, NAN]]), [0.5], axes=(1,), order=0)
        case("ties", f64([1.0, 2.0, 2.0, 2.0, 5.0]), [0.1, 0.9])


def extremes(w):
    for axes in ([], [0], [-1], [0, 2]):
        for keep in (False, True):
            name = "".join(map(str, axes)) + ("_keep" if keep else "")
            text = ("axes=[" + ",".join(map(str, axes)) + "]" if axes else "axes=all") + f" keepdim={str(keep).lower()}"
            dims = axes or [0, 1, 2]
            x = whole("extremes", (2, 3, 4))
            w.apply("amax", f"axes{name}", text, lambda x, d=dims, k=keep: torch.amax(x, d, k), x, single=keep)
            w.apply("amin", f"axes{name}", text, lambda x, d=dims, k=keep: torch.amin(x, d, k), x, single=keep)
            w.apply("aminmax", f"axes{name}", text, lambda x, d=dims, k=keep: (torch.amin(x, d, k), torch.amax(x, d, k)), x,
                    single=keep)
            w.apply("count_nonzero", f"axes{name}", text,
                    lambda x, d=dims, k=keep: (x != 0).sum(d, k), whole("nonzero", (2, 3, 4)), order=0)
            holes = torch.where(draw("holes", (2, 3, 4)) > 1, NAN, draw("holes", (2, 3, 4)))
            w.apply("nansum", f"axes{name}", text, lambda x, d=dims, k=keep: torch.nansum(x, d, k), holes, single=keep)
            w.apply("nanmean", f"axes{name}", text, lambda x, d=dims, k=keep: torch.nanmean(x, d, k), holes, single=keep)
            x = draw("spread", (3, 2, 4))
            for correction in (0, 1):
                both = f"{text} correction={correction}"
                w.apply("var_mean", f"axes{name}_{correction}", both,
                        lambda x, d=dims, k=keep, c=correction: torch.var_mean(x, d, correction=c, keepdim=k), x, single=keep)
                w.apply("std_mean", f"axes{name}_{correction}", both,
                        lambda x, d=dims, k=keep, c=correction: torch.std_mean(x, d, correction=c, keepdim=k), x, single=False)
    w.apply("aminmax", "scalar", None, lambda x: tuple(torch.aminmax(x)), draw("extremes", ()))
    w.apply("aminmax", "along", "axes=1", lambda x: tuple(torch.aminmax(x, dim=1)), whole("extremes", (3, 4)))
    w.apply("aminmax", "nan", None, lambda x: tuple(torch.aminmax(x)), f64([1.0, NAN, 2.0]), order=0)
    w.apply("amax", "integer", None, torch.amax, i64([1, 5, 5]), order=0, single=False)
    w.apply("amin", "integer", None, torch.amin, i32([1, 5, 5]), order=0, single=False)
    w.apply("count_nonzero", "special", None, torch.count_nonzero, f64([0.0, MINUS_ZERO, NAN, INF]), order=0)
    w.apply("count_nonzero", "integer", "axes=0", lambda x: torch.count_nonzero(x, 0), integers("nonzero", (3, 4), -1, 2),
            order=0, single=False)
    w.apply("count_nonzero", "bool", None, torch.count_nonzero, boolean([[True, False], [True, True]]), order=0, single=False)
    w.apply("count_nonzero", "empty", "axes=1", lambda x: torch.count_nonzero(x, 1), draw("nonzero", (3, 0)), order=0)
    w.apply("nansum", "all_nan", None, torch.nansum, f64([NAN, NAN]))
    w.apply("nansum", "infinite", None, torch.nansum, f64([NAN, INF, 1.0]), order=1)
    w.apply("nansum", "integer", None, torch.nansum, i64([1, 5, 5]), order=0, single=False)
    w.apply("nansum", "empty", "axes=0", lambda x: torch.nansum(x, 0), draw("holes", (0, 2)))
    w.apply("nanmean", "all_nan", None, torch.nanmean, f64([NAN, NAN]), order=0)
    w.apply("nanmean", "empty", "axes=0", lambda x: torch.nanmean(x, 0), draw("holes", (0, 2)), order=0)


def norms(w):
    norm = torch.linalg.vector_norm
    nonzero = lambda shape: torch.where(distinct("norm", shape) == 0, 0.125, distinct("norm", shape))
    for p in (0, 0.5, 1, 1.5, 2, 2.5, 3, 4, -0.5, -1, -2, -3, INF, -INF):
        text = f"p={p}"
        name = str(p).replace(".", "_")
        w.apply("norm", f"p{name}_all", text, lambda x, p=p: norm(x, p), nonzero((2, 3)), order=2 if p else 0)
        w.apply("norm", f"p{name}_axis", f"{text} axes=0", lambda x, p=p: norm(x, p, 0), nonzero((3, 2)), order=2 if p else 0, single=False)
        w.apply("norm", f"p{name}_axes", f"{text} axes=[0,-1] keepdim=true", lambda x, p=p: norm(x, p, (0, -1), True),
                nonzero((2, 2, 3)), order=2 if p else 0, single=False)
        w.apply("norm", f"p{name}_scalar", text, lambda x, p=p: norm(x, p), f64(-1.5), order=1 if p else 0, single=False)
        # at zeros: some, and nothing else; the second derivatives there are what formulas leave
        w.apply("norm", f"p{name}_zero", text, lambda x, p=p: norm(x, p), f64([1.0, 0.0, -2.0]), order=1 if p else 0)
        if p > 0:
            w.apply("norm", f"p{name}_zeros", text, lambda x, p=p: norm(x, p), f64([0.0, 0.0]), order=1)
        if p >= 0 and p != INF:
            w.apply("norm", f"p{name}_empty", f"{text} axes=1", lambda x, p=p: norm(x, p, 1), draw("norm", (2, 0)),
                    order=2 if p else 0, single=False)
    w.apply("norm", "largest_ties", "p=inf axes=1", lambda x: norm(x, INF, 1), f64([[1.0, -3.0, 3.0], [2.0, 2.0, -2.0]]))
    w.apply("norm", "smallest_ties", "p=-inf axes=1", lambda x: norm(x, -INF, 1), f64([[1.0, -3.0, -1.0], [2.0, 2.0, -2.0]]))
    w.apply("norm", "infinite", "p=2", lambda x: norm(x, 2), f64([1.0, INF]), order=0)
    w.apply("norm", "nan", "p=3", lambda x: norm(x, 3), f64([1.0, NAN]), order=0)
    w.apply("norm", "nan_largest", "p=inf", lambda x: norm(x, INF), f64([1.0, NAN]), order=0)
