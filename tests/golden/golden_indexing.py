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
