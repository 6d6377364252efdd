"""Cases of scattering, masks, rearranging and windows, called by the ops' names."""
import torch

from golden_write import INF, NAN, boolean, draw, f64, i32, i64, integers

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def whole(index):
    return index.long()


def flag(value):
    return "true" if value else "false"


def scattering(w):
    rows, columns = i64([[2, 0, 1], [1, 2, 0]]), i64([[3, 0, 2], [1, 1 + 1, 3], [0, 3, 1]])
    again = i64([[0, 2, 1, 0, 0], [2, 2, 2, 1, 0], [1, 1, 0, 0, 1]])
    x = draw("scatter x", (3, 4))

    # ---- scatter: no place twice, where PyTorch is defined ----
    def scatter(axis):
        return lambda x, i, s: torch.scatter(x, axis, whole(i), s)

    w.apply("scatter", "last", "axis=1", scatter(1), x, columns, draw("s", (3, 3)))
    w.apply("scatter", "negative_axis", "axis=-1", scatter(-1), x, columns, draw("s2", (3, 3)))
    w.apply("scatter", "first", "axis=0", scatter(0), draw("scatter x", (3, 3)), rows, draw("s", (2, 3)))
    w.apply("scatter", "i32_index", "axis=0", scatter(0), draw("scatter x", (3, 3)), rows.int(), draw("s", (2, 3)), single=False)
    w.apply("scatter", "fewer", "axis=1", scatter(1), x, i64([[1, 3]]), draw("s", (1, 2)))
    w.apply("scatter", "larger_source", "axis=1", lambda x, i, s: torch.scatter(x, 1, i, s[:2, :2]), x, i64([[1, 3], [0, 2]]), draw("s", (3, 3)))
    w.apply("scatter", "rank1", "axis=0", scatter(0), draw("x", (5,)), i64([4, 0]), draw("s", (2,)))
    w.apply("scatter", "rank3", "axis=1", scatter(1), draw("x", (2, 4, 2)), i64([[[0, 1], [3, 2]], [[2, 2], [1, 3]]]), draw("s", (2, 2, 2)))
    w.apply("scatter", "scalar", "axis=0", scatter(0), f64(2.5), i64(0), f64(-1.5))
    w.apply("scatter", "empty", "axis=0", scatter(0), x, i64([]).reshape(0, 4), draw("s", (0, 4)))
    w.apply("scatter", "special", "axis=0", scatter(0), f64([NAN, INF, 1, -0.0]), i64([1, 3]), f64([-0.0, NAN]))
    for name in ("i32", "i64", "bool"):
        low = 0 if name == "bool" else -9
        high = 2 if name == "bool" else 9
        w.apply("scatter", name, "axis=1", scatter(1), integers("x", (3, 4), low, high, name), columns, integers("s", (3, 3), low, high, name), order=0, single=False)
    w.apply("scatter_scalar", "last", "axis=1 value=0.5", lambda x, i: torch.scatter(x, 1, i, 0.5), x, columns)
    w.apply("scatter_scalar", "twice", "axis=0 value=-2", lambda x, i: torch.scatter(x, 0, i, -2.0), draw("x", (3, 2)), i64([[1, 1], [1, 0]]))
    w.apply("scatter_scalar", "nan", "axis=0 value=nan", lambda x, i: torch.scatter(x, 0, i, NAN), draw("x", (3,)), i64([1]))
    w.apply("scatter_scalar", "i64", "axis=0 value=7", lambda x, i: torch.scatter(x, 0, i, 7), integers("x", (3,), -9, 9), i64([1]), order=0, single=False)

    # ---- scatter_add, by name: sources larger than the index ----
    w.apply("scatter_add", "larger_source", "axis=1", lambda x, i, s: torch.scatter_add(x, 1, i, s[:, :2]), x, i64([[1, 1], [0, 2], [3, 3]]), draw("s", (3, 5)))
    w.apply("scatter_add", "twice", "axis=1", lambda x, i, s: torch.scatter_add(x, 1, i, s), draw("x", (3, 3)), again, draw("s", (3, 5)))

    # ---- scatter_reduce ----
    def reduce(axis, how, own):
        return lambda x, i, s: torch.scatter_reduce(x, axis, whole(i), s, how, include_self=own)

    for how in REDUCTIONS:
        for own in (True, False):
            text = f"axis=%d reduce={how} include_self={flag(own)}"
            name = f"{how}_{'with' if own else 'without'}_self"
            second = 1 if how == "prod" else 2  # 0 there, of which PyTorch leaves a rounding error
            # no ties where x's own is left out: PyTorch lets it share
            w.apply("scatter_reduce", name, text % 1, reduce(1, how, own), draw("r x", (3, 3), decimals=3), again, draw("r s", (3, 5), decimals=3))
            w.apply("scatter_reduce", name + ".first", text % 0, reduce(0, how, own), draw("r x", (3, 2), decimals=3), i64([[1, 1], [1, 2], [0, 2], [0, 2]]), draw("r s", (4, 2), decimals=3))
            w.apply("scatter_reduce", name + ".fewer", text % 0, reduce(0, how, own), draw("r x", (3, 3), decimals=3), i64([[2], [2]]), draw("r s", (2, 1), decimals=3), order=second, single=False)
            w.apply("scatter_reduce", name + ".scalar", text % -1, reduce(-1, how, own), f64(0.75), i64(0), f64(-1.5), single=False)
            w.apply("scatter_reduce", name + ".empty", text % 0, reduce(0, how, own), draw("x", (2, 2)), i64([]).reshape(0, 2), draw("s", (0, 2)), order=second, single=False)
            w.apply("scatter_reduce", name + ".special", text % 0, reduce(0, how, own), f64([1, -INF, NAN, 2, 0]), i64([0, 0, 1, 3, 3, 2, 4]), f64([INF, 2, 3, NAN, 1, 5, -0.0]), order=0, single=False)
            if how != "mean":
                w.apply("scatter_reduce", name + ".i32", text % 0, reduce(0, how, own), integers("x", (3, 2), -9, 9, "i32"), i64([[1, 0], [1, 1]]), integers("s", (2, 2), -9, 9, "i32"), order=0, single=False)
                w.apply("scatter_reduce", name + ".i64", text % 0, reduce(0, how, own), integers("x", (3,), -9, 9), i32([1, 1, 0]), integers("s", (3,), -9, 9), order=0, single=False)
    for how in ("amax", "amin"):
        text = f"axis=0 reduce={how}"
        w.apply("scatter_reduce", how + "_ties", text, reduce(0, how, True), f64([1, 2, -1]), i64([0, 0, 1, 1, 2, 2]), f64([1, 1, 2, -2, -1, 3]), order=1)
    w.apply("scatter_reduce", "prod_zeros", "axis=0 reduce=prod", reduce(0, "prod", True), f64([2, 0, 3, 0]), i64([0, 0, 0, 1, 1, 2, 2, 3, 3]), f64([0, 2, 3, 0.5, 4, 5, 2, 0, 3]))
    w.apply("scatter_reduce", "prod_several_zeros", "axis=0 reduce=prod", reduce(0, "prod", True), f64([2, 0, 3]), i64([0, 0, 0, 1, 1]), f64([0, 0, 3, 0, 0]), order=1)

    # ---- take_along_dim ----
    def along(axis):
        return lambda x, i: torch.take_along_dim(x, whole(i), axis)

    w.apply("take_along_dim", "plain", "axis=1", along(1), x, columns)
    w.apply("take_along_dim", "index_repeated", "axis=0", along(0), x, i64([[2], [0], [0], [1]]))
    w.apply("take_along_dim", "x_repeated", "axis=-1", along(-1), draw("x", (1, 3)), i64([[2, 0], [1, 1], [0, 2]]))
    w.apply("take_along_dim", "both", "axis=1", along(1), draw("x", (2, 3, 1)), i64([[[2, 0]]]))
    w.apply("take_along_dim", "i32_index", "axis=1", along(1), x, columns.int(), single=False)
    w.apply("take_along_dim", "empty", "axis=0", along(0), x, i64([]).reshape(0, 4), single=False)

    # ---- slices ----
    for axis, shape, index in ((0, (2, 4), [2, 0]), (1, (3, 3), [3, 0, 1]), (-1, (3, 2), [1, 1]), (0, (0, 4), []), (0, (1, 4), 1)):
        name = f"axis{axis}_{index if isinstance(index, int) else len(index)}".replace("-", "m")
        s, i, text = draw("slices", shape), i64(index), f"axis={axis}"
        w.apply("index_add", name, text, lambda x, i, s: torch.index_add(x, axis, whole(i), s), x, i, s)
        w.apply("index_add", name + ".alpha", text + " alpha=-2.5", lambda x, i, s: torch.index_add(x, axis, whole(i), s, alpha=-2.5), x, i.int(), s, single=False)
        if index != [1, 1]:
            w.apply("index_copy", name, text, lambda x, i, s: torch.index_copy(x, axis, whole(i), s), x, i, s)
            w.apply("index_fill", name, text, lambda x, i, v: torch.index_fill(x, axis, whole(i), v), x, i, f64(1.25))
        w.apply("index_fill_scalar", name, text + " value=-3", lambda x, i: torch.index_fill(x, axis, whole(i), -3.0), x, i.int())
    w.apply("index_fill", "negative_index", "axis=1", lambda x, i, v: torch.index_fill(x, 1, i % 4, v), x, i64([-1, 0]), f64(1.25))
    w.apply("index_fill_scalar", "negative_index", "axis=0 value=nan", lambda x, i: torch.index_fill(x, 0, i, NAN), x, i64([-3]))
    w.apply("index_fill_scalar", "bool", "axis=0 value=1", lambda x, i: torch.index_fill(x, 0, i, True), boolean([False, False, True]), i64([1]), order=0, single=False)
    w.apply("index_add", "scalar", "axis=0", lambda x, i, s: torch.index_add(x, 0, i, s), f64(1.5), i64(0), f64(2))
    w.apply("index_copy", "scalar", "axis=0", lambda x, i, s: torch.index_copy(x, 0, i, s), f64(1.5), i64([0]), f64(2))
    w.apply("index_add", "rank3", "axis=1", lambda x, i, s: torch.index_add(x, 1, i, s), draw("x", (2, 3, 2)), i64([0, 2, 0, 0]), draw("s", (2, 4, 2)))
    w.apply("index_copy", "rank3", "axis=1", lambda x, i, s: torch.index_copy(x, 1, i, s), draw("x", (2, 3, 2)), i64([2, 0]), draw("s", (2, 2, 2)))
    w.apply("index_add", "i32", "axis=0 alpha=3", lambda x, i, s: torch.index_add(x, 0, i, s, alpha=3), integers("x", (3, 2), -9, 9, "i32"), i64([1, 1]), integers("s", (2, 2), -9, 9, "i32"), order=0, single=False)
    w.apply("index_copy", "i64", "axis=0", lambda x, i, s: torch.index_copy(x, 0, i, s), integers("x", (3, 2), -9, 9), i64([1, 2]), integers("s", (2, 2), -9, 9), order=0, single=False)

    # ---- several indices; None stands for a whole axis ----
    def chosen(index):
        return [n if n is None or n.dtype == torch.bool else whole(n) for n in index]

    def read(x, *index):
        return torch.ops.aten.index(x, chosen(index))

    def put(x, v, *index):
        return torch.ops.aten.index_put(x, chosen(index), v, False)

    def add(x, v, *index):
        return torch.ops.aten.index_put(x, chosen(index), v, True)

    i, j, k = i64([[1, 0], [-1, 1]]), i64([2, -3]), i64([[1], [0]])
    some, table = boolean([True, False, True]), boolean([[True, False, False], [False, True, True]])
    y = draw("index", (2, 3, 4))
    twice = ("one", "two", "apart", "three", "twice", "i32", "rank1")  # a place named several times
    for name, x, *index in (
        ("one", y, i), ("two", y, i, j), ("three", y, i, j, k), ("second", y, None, j), ("last", y, None, None, j),
        ("apart", y, i, None, j), ("apart_once", y, k, None, j), ("behind", y, None, j, k), ("scalar", y, i64(-1)),
        ("scalars_apart", y, i64(1), None, i64(0)), ("broadcast", y, k, j), ("i32", y, i.int()), ("none", y, i64([])),
        ("mask", y, None, some), ("mask_two", y, table), ("mask_apart", y, boolean([False, True]), None, i64([3])),
        ("mask_none", y, boolean([False, False])), ("mask_all", y, y > 0), ("mask_and_nil", y, table, None),
        ("rank1", draw("x", (3,)), i64([0, 0, 2])), ("empty", draw("x", (0, 2)), None, i64([1])), ("twice", y, i64([0, 1, 0, 0])),
    ):
        shape = read(x, *index).shape
        single = name in ("two", "apart", "mask")
        w.apply("index", name, None, read, x, *index, single=single)
        values = [("", draw("v", shape))]
        if name in ("two", "apart", "apart_once", "mask", "behind"):
            values += [(".scalar", f64(0.5)), (".row", draw("v", shape[-1:]))]
        for suffix, v in values:
            w.apply("index_put", name + suffix + ".add", "accumulate=true", add, x, v, *index, single=single and not suffix)
            if name not in twice:
                w.apply("index_put", name + suffix, None, put, x, v, *index, single=False)
    w.apply("index", "i64_values", None, lambda x, i: x[i], integers("x", (3, 2), -9, 9), i64([2, 0]), order=0, single=False)
    w.apply("index", "bool_values", None, lambda x, i: x[i], boolean([True, False]), i64([1, 1, 0]), order=0, single=False)
    w.apply("index_put", "i64_values", "accumulate=true", lambda x, v, i: torch.index_put(x, (i,), v, True), integers("x", (3,), -9, 9), i64([5, 6]), i64([2, 2]), order=0, single=False)

    # ---- take and put ----
    x = draw("put", (3, 2))
    w.apply("take", "negative", None, torch.take, x, i64([-1, 0, -6, 5]))
    w.apply("put", "plain", None, lambda x, i, s: torch.Tensor.put(x, i, s), x, i64([5, 0, 3]), draw("s", (3,)))
    w.apply("put", "negative", None, lambda x, i, s: torch.Tensor.put(x, i, s), x, i64([[-1, -6]]), draw("s", (2, 1)))
    w.apply("put", "add", "accumulate=true", lambda x, i, s: torch.Tensor.put(x, i, s, accumulate=True), x, i64([1, 1, -1]), draw("s", (3,)))
    w.apply("put", "empty", None, lambda x, i, s: torch.Tensor.put(x, i, s), x, i64([]), draw("s", (0,)))
    w.apply("put", "scalar", None, lambda x, i, s: torch.Tensor.put(x, i, s), f64(1.5), i64(0), f64(2))
    w.apply("put", "i32", None, lambda x, i, s: torch.Tensor.put(x, i, s), integers("x", (2, 2), -9, 9, "i32"), i64([3]), i32([7]), order=0, single=False)


def masks(w):
    x, mask = draw("mask x", (2, 3)), boolean([[True, False, True], [False, False, True]])
    row, column = boolean([True, False, True]), boolean([[True], [False]])
    shapes = [("plain", x, mask), ("row", x, row), ("column", x, column), ("x_repeated", draw("x", (3,)), mask), ("none", x, boolean([False, False, False])),
              ("all", x, boolean([True])), ("scalar", f64(1.5), boolean(True)), ("scalar_mask", x, boolean(False)), ("empty", draw("x", (0, 3)), row),
              ("special", f64([NAN, INF, -0.0]), row), ("both", draw("x", (2, 1)), row)]
    for name, x, m in shapes:
        single = name in ("plain", "row")
        w.apply("masked_fill", name, None, lambda x, m, v: torch.masked_fill(x, m, v), x, m, f64(0.25), single=single)
        w.apply("masked_fill_scalar", name, "value=-inf", lambda x, m: torch.masked_fill(x, m, -INF), x, m, single=single)
        w.apply("masked_select", name, None, torch.masked_select, x, m, single=single)
        count = torch.broadcast_tensors(x, m)[0].numel()
        whole_x = name not in ("x_repeated", "both")
        w.apply("masked_scatter", name, None, lambda x, m, s: torch.masked_scatter(x.expand(torch.broadcast_shapes(x.shape, m.shape)), m, s), x, m, draw("source", (count + 1,)), single=single and whole_x)
        w.apply("nonzero", name, None, torch.nonzero, x * m, order=0, single=False)
        w.apply("argwhere", name, None, torch.argwhere, m, order=0, single=False)
    w.apply("masked_scatter", "exact", None, torch.masked_scatter, shapes[0][1], mask, draw("s", (3,)))
    w.apply("masked_scatter", "source_rank2", None, torch.masked_scatter, shapes[0][1], mask, draw("s", (2, 2)))
    w.apply("masked_scatter", "nothing", None, lambda x, m, s: torch.masked_scatter(x, m, s) + 0 * s.sum(), shapes[0][1], boolean([False]), draw("s", (0,)))
    for name in ("i32", "i64", "bool"):
        x = integers("x", (2, 3), 0, 2, name)
        value = 1 if name == "bool" else 5
        w.apply("masked_fill", name, None, lambda x, m, v: torch.masked_fill(x, m, v), x, mask, torch.tensor(value, dtype=x.dtype), order=0, single=False)
        w.apply("masked_fill_scalar", name, "value=1", lambda x, m: torch.masked_fill(x, m, 1), x, mask, order=0, single=False)
        w.apply("masked_select", name, None, torch.masked_select, x, mask, order=0, single=False)
        w.apply("masked_scatter", name, None, torch.masked_scatter, x, mask, integers("s", (3,), 0, 2, name), order=0, single=False)
        w.apply("nonzero", name, None, torch.nonzero, x, order=0, single=False)
    w.apply("nonzero", "rank3", None, torch.nonzero, integers("x", (2, 3, 2), 0, 3).double(), order=0)


def windows(w):
    x = draw("windows", (2, 5))
    for name, x, axis, size, step in (
        ("plain", draw("u", (7,)), 0, 3, 2), ("overlapping", x, 1, 3, 1), ("first", x, 0, 2, 1), ("apart", x, -1, 2, 3), ("one", x, 1, 1, 1),
        ("whole", x, 1, 5, 1), ("wide_step", x, 1, 2, 100), ("size0", draw("u", (3,)), 0, 0, 1), ("rank3", draw("u", (2, 3, 2)), 1, 2, 1),
        ("empty", draw("u", (0, 3)), 1, 2, 1), ("scalar", f64(1.5), 0, 1, 1),
    ):
        w.apply("unfold", name, f"axis={axis} size={size} step={step}", lambda x: x.unfold(axis, size, step), x, single=name == "overlapping")
    w.apply("unfold", "bool", "axis=0 size=2 step=1", lambda x: x.unfold(0, 2, 1), boolean([True, False, True]), order=0, single=False)
    w.apply("unfold", "i32", "axis=1 size=2 step=1", lambda x: x.unfold(1, 2, 1), integers("u", (2, 3), -9, 9, "i32"), order=0, single=False)
    x = draw("strided", (3, 4))
    for name, shape, strides, offset in (
        ("plain", (3, 2), (4, 1), 1), ("overlapping", (3, 3), (1, 2), 2), ("repeated", (2, 3), (0, 1), 4), ("diagonal", (3,), (5,), 0), ("scalar", (), (), 7),
        ("one", (1, 1), (100, 100), 11), ("empty", (0, 2), (1, 1), 0), ("rank4", (2, 2, 2, 2), (4, 1, 4, 1), 0), ("whole", (3, 4), (4, 1), 0),
    ):
        text = f"shape={list(shape)} strides={list(strides)} offset={offset}"
        w.apply("as_strided", name, text, lambda x: torch.as_strided(x.contiguous(), shape, strides, offset), x, single=name == "overlapping")
    w.apply("as_strided", "i64", "shape=[2] strides=[2]", lambda x: torch.as_strided(x, (2,), (2,)), i64([1, 2, 3]), order=0, single=False)

    square, batch = draw("diagonal", (3, 4)), draw("diagonal", (2, 3, 2))
    for offset in (0, 1, -1, 3, -2, 4, -7, 2**62, -(2**63)):
        name = f"offset{offset}".replace("-", "m")
        near = max(min(offset, 9), -9)
        w.apply("diagonal", name, f"offset={offset}", lambda x: torch.diagonal(x, near), square, single=offset == 1)
        w.apply("diag", "matrix_" + name, f"diagonal={offset}", lambda x: torch.diag(x, near), square, single=False)
        w.apply("diagonal_scatter", name, f"offset={offset}", lambda x, s: torch.diagonal_scatter(x, s, near) + 0 * s.sum(), square, draw("s", torch.diagonal(square, near).shape), single=offset == 1)
        if abs(offset) < 4:
            w.apply("diag", "vector_" + name, f"diagonal={offset}", lambda x: torch.diag(x, offset), draw("v", (2,)), single=offset == 1)
            w.apply("diag_embed", name, f"offset={offset}", lambda x: torch.diag_embed(x, offset), draw("v", (2, 2)), single=offset == 1)
    for a, b in ((0, 1), (1, 0), (0, 2), (-1, -2), (2, 0)):
        name, text = f"axes{a}{b}".replace("-", "m"), f"axis0={a} axis1={b}"
        w.apply("diagonal", name, "offset=1 " + text, lambda x: torch.diagonal(x, 1, a, b), batch, single=False)
        w.apply("diag_embed", name, "offset=-1 " + text, lambda x: torch.diag_embed(x, -1, a, b), draw("v", (2, 2)), single=False)
        w.apply("diagonal_scatter", name, text, lambda x, s: torch.diagonal_scatter(x, s, 0, a, b), batch, draw("s", torch.diagonal(batch, 0, a, b).shape), single=False)
    w.apply("diagonal", "empty", None, torch.diagonal, draw("x", (0, 3)), single=False)
    w.apply("diag_embed", "empty", "offset=1", lambda x: torch.diag_embed(x, 1), draw("x", (2, 0)), single=False)
    w.apply("diag_embed", "vector", None, torch.diag_embed, f64([NAN, -0.5, INF]), single=False)
    w.apply("diag_embed", "bool", None, torch.diag_embed, boolean([True, False]), order=0, single=False)
    w.apply("diag_embed", "i32", None, torch.diag_embed, i32([1, 2]), order=0, single=False)

    x = draw("parts", (4, 3))
    for name, axis, start, stop, step in (("first", 0, 1, 3, 1), ("last", -1, 0, 2, 1), ("step", 0, 0, None, 3), ("negative", 0, -3, -1, 1), ("beyond", 1, 1, 99, 1),
                                          ("none", 0, 2, 2, 1), ("all", 0, None, None, 1), ("step2", 0, 1, None, 2)):
        text = f"axis={axis}" + "".join(f" {k}={v}" for k, v in (("start", start), ("stop", stop), ("step", step)) if v is not None)
        part = x[start:stop:step] if axis == 0 else x[:, start:stop:step]
        w.apply("slice_scatter", name, text, lambda x, s: torch.slice_scatter(x, s, axis, start, stop, step), x, draw("s", part.shape), single=name == "step")
    for axis, index in ((0, 0), (0, -1), (1, 2), (-1, -3)):
        w.apply("select_scatter", f"axis{axis}_{index}".replace("-", "m"), f"axis={axis} index={index}", lambda x, s: torch.select_scatter(x, s, axis, index), x, draw("s", x.select(axis, index).shape), single=index == 2)
    w.apply("select_scatter", "vector", "axis=0 index=1", lambda x, s: torch.select_scatter(x, s, 0, 1), f64([1, NAN, 2]), f64(-0.0), single=False)
    w.apply("slice_scatter", "i64", "start=1", lambda x, s: torch.slice_scatter(x, s, 0, 1), i64([1, 2, 3]), i64([8, 9]), order=0, single=False)


def rearranging(w):
    x, cube, scalar, empty = draw("r", (2, 3)), draw("r", (2, 3, 2)), f64(1.25), draw("r", (0, 3))

    def plain(op, name, text, f, *inputs, order=1, **more):
        """Linear in its inputs: the second gradients are zeros."""
        w.apply(op, name, text, f, *inputs, order=order, single=False, **more)

    # ---- axes ----
    for source, to in (((0,), (2,)), ((0, 1), (1, 0)), ((-1,), (0,)), ((2, 0), (0, 1)), ((0, 1, 2), (2, 0, 1)), ((), ())):
        plain("movedim", f"{len(source)}_{''.join(map(str, source))}_{''.join(map(str, to))}".replace("-", "m"), f"source={list(source)} destination={list(to)}", lambda x: torch.movedim(x, source, to), cube)
    plain("swapaxes", "plain", "axis0=0 axis1=-1", lambda x: torch.swapaxes(x, 0, -1), cube)
    plain("swapaxes", "same", "axis0=1 axis1=1", lambda x: torch.swapaxes(x, 1, 1), cube)
    for name, x0, shape in (("plain", draw("r", (2, 1)), (2, 3)), ("new_axes", x, (2, 2, 3)), ("scalar", scalar, (2,)), ("keep", draw("r", (1, 3)), (4, -1)), ("empty", draw("r", (1, 3)), (0, 3))):
        plain("broadcast_to", name, f"shape={list(shape)}", lambda x: torch.broadcast_to(x, shape), x0)
    for name, x0, start, end in (("all", cube, 0, -1), ("first", cube, 0, 1), ("last", cube, 1, 2), ("one", cube, 1, 1), ("scalar", scalar, 0, -1), ("empty", empty, 0, 1)):
        plain("flatten", name, f"start={start} end={end}", lambda x: torch.flatten(x, start, end), x0)
    for name, x0 in (("plain", cube), ("scalar", scalar), ("empty", empty)):
        plain("ravel", name, None, torch.ravel, x0)
        for k in (1, 2, 3):
            op = f"atleast_{k}d"
            plain(op, name, None, getattr(torch, op), x0)
            plain(op, "vector_" + name, None, getattr(torch, op), x0.reshape(-1))
    plain("atleast_3d", "matrix", None, torch.atleast_3d, x)
    for name, x0, axis, sizes in (("plain", draw("r", (2, 6)), 1, (2, 3)), ("unknown", draw("r", (2, 6)), -1, (-1, 3)), ("first", draw("r", (4, 2)), 0, (2, -1, 2)), ("one", x, 0, (2,)), ("empty", empty, 0, (0, 2))):
        plain("unflatten", name, f"axis={axis} sizes={list(sizes)}", lambda x: torch.unflatten(x, axis, sizes), x0)
    for k in (0, 1, 2, 3, 4, -1, -6):
        plain("rot90", f"k{k}".replace("-", "m"), f"k={k}", lambda x: torch.rot90(x, k), x)
    plain("rot90", "axes", "k=1 axis0=2 axis1=0", lambda x: torch.rot90(x, 1, (2, 0)), cube)
    plain("rot90", "negative_axes", "k=3 axis0=-1 axis1=1", lambda x: torch.rot90(x, 3, (-1, 1)), cube)
    for op in ("fliplr", "flipud"):
        for name, x0 in (("matrix", x), ("cube", cube), ("empty", empty)):
            plain(op, name, None, getattr(torch, op), x0)
    plain("flipud", "vector", None, torch.flipud, f64([1, 2, NAN]))

    # ---- triangles ----
    for d in (0, 1, -1, 2, -3, 7, -9, 2**63 - 1, -(2**63)):
        near, name = max(min(d, 9), -9), f"d{d}".replace("-", "m")
        for op in ("tril", "triu"):
            f = getattr(torch, op)
            plain(op, name, f"diagonal={d}", lambda x: f(x, near), draw("t", (3, 4)))
            plain(op, "batch_" + name, f"diagonal={d}", lambda x: f(x, near), draw("t", (2, 3, 2)))
            if abs(d) < 9:
                for rows, columns in ((3, 4), (4, 2), (0, 3), (2, 0), (1, 1)):
                    places = getattr(torch, op + "_indices")
                    plain(op + "_indices", f"{rows}x{columns}_{name}", f"rows={rows} columns={columns} offset={d}", lambda: places(rows, columns, d), order=0)
    for op in ("tril", "triu"):
        f = getattr(torch, op)
        w.apply(op, "plain", None, f, draw("t", (3, 3)))
        plain(op, "special", None, f, f64([[NAN, INF], [-INF, -0.0]]))
        plain(op, "empty", None, f, empty)
        plain(op, "bool", "diagonal=1", lambda x: f(x, 1), torch.ones(3, 3, dtype=torch.bool), order=0)
        plain(op, "i32", None, f, integers("t", (2, 3), -9, 9, "i32"), order=0)
    for name, x0, columns, increasing in (("plain", f64([1, -2, 0.5]), None, False), ("more", f64([1, -2, 0]), 5, False), ("increasing", f64([1.5, 0, -1]), 4, True), ("one", f64([2, 0]), 1, False), ("none", f64([2, 0]), 0, True), ("empty", f64([]), 3, False)):
        text = (f"columns={columns} " if columns is not None else "") + f"increasing={flag(increasing)}"
        exact = torch.vander(x0, columns, increasing=increasing)

        def powers(x):
            """torch.vander, whose own gradient fails: it is overwritten in place."""
            order = range(exact.shape[1]) if increasing else reversed(range(exact.shape[1]))
            out = torch.stack([x**k for k in order], 1) if exact.shape[1] else x[:, None][:, :0]
            assert torch.equal(out.detach(), exact)
            return out

        w.apply("vander", name, text, powers, x0, order=0 if name == "one" else 2, single=name == "more")
    plain("vander", "i64", "columns=3", lambda x: torch.vander(x, 3), i64([2, -3]), order=0)

    # ---- moving along, repeating ----
    for name, x0, shifts, axes in (("flat", x, (1,), ()), ("flat_back", x, (-8,), ()), ("first", x, (1,), (0,)), ("last", x, (2,), (-1,)), ("two", x, (1, -1), (0, 1)), ("twice", x, (1, 1), (1, 1)),
                                   ("round", x, (3,), (1,)), ("far", x, (2**62,), (1,)), ("scalar", scalar, (1,), ()), ("empty", empty, (1,), (0,)), ("cube", cube, (1, 2, 1), (2, 1, 0))):
        near = tuple(s % 12 if s > 99 else s for s in shifts)
        w.apply("roll", name, f"shifts={list(shifts)}" + (f" axes={list(axes)}" if axes else ""), lambda x: torch.roll(x, near, axes), x0, order=1, single=name == "two")
    for name, x0, counts in (("plain", x, (2, 3)), ("new_axis", x, (2, 1, 2)), ("ones", x, (1, 1)), ("last", x, (1, 2)), ("first", x, (3, 1)), ("scalar", scalar, (3,)), ("scalar_none", scalar, ()), ("zero", x, (0, 2)), ("empty", empty, (2, 2)), ("cube", cube, (2, 1, 2))):
        w.apply("repeat", name, f"counts={list(counts)}", lambda x: x.repeat(counts), x0, order=1, single=name == "plain")
        plain("tile", name, f"counts={list(counts)}", lambda x: torch.tile(x, counts), x0)
    plain("tile", "fewer", "counts=[2]", lambda x: torch.tile(x, (2,)), cube)
    for name, x0, count, axis in (("flat", x, 2, None), ("first", x, 3, 0), ("last", x, 2, -1), ("one", x, 1, 1), ("zero", x, 0, 0), ("middle", cube, 2, 1), ("scalar", scalar, 2, None), ("empty", empty, 2, 0)):
        text = f"count={count}" + ("" if axis is None else f" axis={axis}")
        w.apply("repeat_interleave_scalar", name, text, lambda x: torch.repeat_interleave(x, count, axis), x0, order=1, single=name == "middle")
    for name, x0, counts, axis, size in (("flat", x, i64([1, 0, 2, 1, 1, 3]), None, None), ("first", x, i64([2, 1]), 0, None), ("last", x, i64([0, 2, 1]), 1, None), ("size", x, i64([0, 2, 1]), -1, 3), ("i32", x, i32([2, 2]), 0, None),
                                         ("all_none", x, i64([0, 0]), 0, None), ("one_for_all", x, i64([2]), 1, None), ("middle", cube, i64([1, 2, 0]), 1, None), ("scalar", scalar, i64([3]), None, None), ("empty", empty, i64([]), 0, None)):
        text = " ".join(([] if axis is None else [f"axis={axis}"]) + ([] if size is None else [f"output_size={size}"])) or None
        w.apply("repeat_interleave", name, text, lambda x, n: torch.repeat_interleave(x, n, axis, output_size=size), x0, counts, order=1, single=name == "middle")
    plain("repeat_interleave", "bool", "axis=0", lambda x, n: torch.repeat_interleave(x, n, 0), boolean([True, False]), i64([2, 1]), order=0)

    # ---- padding ----
    vector, row, image, volume = draw("p", (2, 3)), draw("p", (1, 2, 4)), draw("p", (1, 3, 3)), draw("p", (1, 2, 2, 3))
    for mode in ("reflect", "replicate", "circular"):
        for name, x0, pad in (("one", row, (1, 2)), ("before", row, (3, 0)), ("after", row, (0, 3)), ("none", row, (0, 0)), ("two", image, (1, 2, 2, 0)), ("two_b", image, (0, 1, 1, 1)), ("three", volume, (1, 1, 0, 1, 1, 0)), ("cut", row, (-1, 2)), ("cut_both", row, (-1, -1))):
            f = lambda x: torch.nn.functional.pad(x, pad, mode=mode)
            w.apply("pad_mode", f"{mode}_{name}", f"pad={list(pad)} mode={mode}", f, x0, order=1, single=name == "two")
    w.apply("pad_mode", "replicate_far", "pad=[5, 7] mode=replicate", lambda x: torch.nn.functional.pad(x, (5, 7), mode="replicate"), draw("p", (1, 2)), order=1)
    w.apply("pad_mode", "circular_whole", "pad=[3, 3] mode=circular", lambda x: torch.nn.functional.pad(x, (3, 3), mode="circular"), vector, order=1)
    for name, x0, pad, value in (("plain", vector, (1, 2), 0), ("value", vector, (1, 0, 2, 1), 1.5), ("cut", vector, (-1, 1), -2), ("none", vector, (), 3), ("nan", vector, (1, 1), NAN), ("cube", cube, (0, 1, 1, 0, 1, 1), 0.5), ("empty", empty, (1, 0, 1, 0), 2), ("scalar", scalar, (), 0)):
        plain("pad_mode", "constant_" + name, f"pad={list(pad)} value={value}", lambda x: torch.nn.functional.pad(x, pad, value=value), x0)
    plain("pad_mode", "i32", "pad=[1, 1] value=7", lambda x: torch.nn.functional.pad(x, (1, 1), value=7), i32([1, 2]), order=0)
    plain("pad_mode", "bool", "pad=[1, 0] value=1", lambda x: torch.nn.functional.pad(x, (1, 0), value=True), boolean([False, False]), order=0)

    # ---- joining ----
    columns, other = draw("j", (2, 1)), draw("j2", (2, 3))
    for op, sets in (
        ("hstack", (("vectors", (f64([1, 2]), f64([3]))), ("matrices", (x, columns)), ("cubes", (cube, cube)), ("scalars", (scalar, f64(2))), ("scalar_vector", (scalar, f64([1, 2]))), ("single", (x,)), ("empty", (f64([]), f64([1]))))),
        ("vstack", (("vectors", (f64([1, 2]), f64([3, 4]))), ("matrices", (x, other)), ("mixed", (x, f64([1, 2, 3]))), ("scalars", (scalar, f64(2))), ("cubes", (cube, cube)), ("empty", (empty, x)))),
        ("dstack", (("vectors", (f64([1, 2]), f64([3, 4]))), ("matrices", (x, other)), ("scalars", (scalar, f64(2))), ("cubes", (cube, cube)), ("empty", (empty, empty)))),
        ("column_stack", (("vectors", (f64([1, 2]), f64([3, 4]))), ("mixed", (x, f64([1, 2]))), ("scalars", (scalar, f64(2))), ("cubes", (cube, cube)), ("empty", (f64([]), f64([]))))),
        ("block_diag", (("matrices", (x, columns)), ("vectors", (f64([1, 2]), f64([3]))), ("mixed", (scalar, x, f64([1, 2]))), ("single", (x,)), ("empty", (x, draw("j", (0, 2)), columns)), ("three", (columns, other, columns)))),
    ):
        f = getattr(torch, op)
        for name, given in sets:
            many = (lambda *x: f(*x)) if op == "block_diag" else (lambda *x: f(x))
            w.apply(op, name, None, many, *given, order=1, single=name == "matrices")
    plain("block_diag", "i32", None, torch.block_diag, i32([[1, 2]]), i32([[3]]), order=0)
    for name, given in (("two", (f64([1, 2]), f64([3, 4, 5]))), ("three", (f64([1, 2]), f64([-1]), f64([0.5, 3]))), ("single", (f64([1, 2]),)), ("empty", (f64([1, 2]), f64([])))):
        plain("cartesian_prod", name, None, torch.cartesian_prod, *given)
    plain("cartesian_prod", "i64", None, torch.cartesian_prod, i64([1, 2]), i64([3, 4]), order=0)

    # ---- several results ----
    long = draw("split", (2, 7))
    for chunks in (1, 2, 3, 5, 7, 9):
        plain("chunk", f"last_{chunks}", f"chunks={chunks} axis=1", lambda x: torch.chunk(x, chunks, 1), long)
        plain("tensor_split", f"last_{chunks}", f"sections={chunks} axis=-1", lambda x: torch.tensor_split(x, chunks, -1), long)
    plain("chunk", "first", "chunks=2", lambda x: torch.chunk(x, 2), long)
    plain("chunk", "empty", "chunks=3", lambda x: torch.chunk(x, 3), empty)
    plain("tensor_split", "empty", "sections=2", lambda x: torch.tensor_split(x, 2), empty)
    for name, places in (("plain", (2, 5)), ("none", ()), ("beyond", (3, 9)), ("back", (-3, -1)), ("falling", (5, 2)), ("same", (2, 2)), ("ends", (0, 7))):
        plain("tensor_split_at", name, f"places={list(places)} axis=1", lambda x: torch.tensor_split(x, places, 1), long)
    plain("unbind", "first", None, torch.unbind, x)
    plain("unbind", "last", "axis=-1", lambda x: torch.unbind(x, -1), cube)
    plain("unbind", "vector", None, torch.unbind, f64([1, 2, 3]))
    plain("unbind", "i32", "axis=1", lambda x: torch.unbind(x, 1), i32([[1, 2], [3, 4]]), order=0)
    for name, given in (("two", (columns, f64([1, 2, 3]))), ("three", (scalar, x, f64([[1], [2]]))), ("single", (x,)), ("empty", (empty, f64([1, 2, 3])))):
        plain("broadcast_tensors", name, None, torch.broadcast_tensors, *given)
    for indexing in ("ij", "xy"):
        for name, given in (("two", (f64([1, 2]), f64([3, 4, 5]))), ("three", (f64([1, 2]), scalar, f64([0.5, 3]))), ("single", (f64([1, 2]),)), ("empty", (f64([1, 2]), f64([])))):
            plain("meshgrid", f"{indexing}_{name}", f"indexing={indexing}", lambda *x: torch.meshgrid(*x, indexing=indexing), *given)
