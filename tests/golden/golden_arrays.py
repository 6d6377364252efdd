"""Golden cases of the ops on whole arrays: reductions, shape, products, indexing, creation."""
import torch
import torch.nn.functional as F

from golden_write import DTYPES, INF, NAN, boolean, draw, f32, f64, i32, i64, integers


def over(function):
    """The reductions that every op has: key suffix, axes, keepdim. None is all axes."""
    for suffix, axes, keep in (("all", None, False), ("all_keep", None, True), ("last", -1, False),
                               ("first_keep", 0, True), ("outer", (0, 2), False), ("middle", (-2,), False)):
        yield suffix, lambda x, axes=axes, keep=keep: function(x, axes, keep)


def every(x, axes):
    return tuple(range(x.dim())) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)


def one_by_one(function):
    """A reduction over several axes from PyTorch's over one axis."""
    def reduce(x, axes, keep):
        if x.dim() == 0:
            return function(x.reshape(1), 0, False)
        for axis in sorted((a % x.dim() for a in every(x, axes)), reverse=True):
            x = function(x, axis, keep)
        return x
    return reduce


def prod(x, axes, keep):
    """Over all the axes at once, in PyTorch's rule for one axis: exact at several zeros."""
    if x.dim() == 0:
        return x.clone() if not x.is_floating_point() else x * 1
    axes = [a % x.dim() for a in every(x, axes)]
    rest = [a for a in range(x.dim()) if a not in axes]
    flat = x.permute(rest + axes).reshape([x.shape[a] for a in rest] + [-1]) if x.numel() else None
    if flat is None:
        return one_by_one(lambda x, axis, keep: torch.prod(x, axis, keep, dtype=x.dtype))(x, axes, keep)
    out = torch.prod(flat, -1, dtype=x.dtype)
    return out.reshape([1 if a in axes else x.shape[a] for a in range(x.dim())]) if keep else out


def variance(function, correction):
    return lambda x, axes, keep: function(x, None if axes is None else every(x, axes), correction=correction, keepdim=keep)


def reductions(w):
    table = [
        ("sum", lambda x, a, k: torch.sum(x, every(x, a), k, dtype=x.dtype)),
        ("mean", lambda x, a, k: torch.mean(x, every(x, a), k)),
        ("prod", prod),
        ("max", lambda x, a, k: torch.amax(x, every(x, a), k)),
        ("min", lambda x, a, k: torch.amin(x, every(x, a), k)),
        ("var", variance(torch.var, 1)), ("std", variance(torch.std, 1)),
        ("var0", variance(torch.var, 0)), ("std0", variance(torch.std, 0)),
        ("logsumexp", lambda x, a, k: torch.logsumexp(x, every(x, a), k)),
    ]
    for key, function in table:
        for suffix, reduce in over(function):
            w.both(f"{key}_{suffix}", "rank3", reduce, draw(key, (3, 3, 4) if key[:3] in ("var", "std") else (2, 3, 4)))
        if key in ("sum", "prod", "max", "min"):
            for dtype in ("i32", "i64"):
                w.case(f"{key}_outer", dtype, dict(over(function))["outer"], integers(key, (2, 3, 4), -5, 6, dtype), order=0)
                w.case(f"{key}_all", dtype, dict(over(function))["all"], integers(key, (2, 3), -5, 6, dtype), order=0)
        single = 0 if key.startswith(("var", "std")) else 2
        if key not in ("var", "std"):
            w.case(f"{key}_all", "scalar", dict(over(function))["all"], draw(key, ()), order=single)
        w.case(f"{key}_last", "one_row", dict(over(function))["last"], draw(key, (1, 5)))
        w.case(f"{key}_first_keep", "extent_0_elsewhere", dict(over(function))["first_keep"], draw(key, (2, 0)))
        if key not in ("max", "min"):
            w.case(f"{key}_first_keep", "empty", dict(over(function))["first_keep"], draw(key, (0, 3)), order=0)
            w.case(f"{key}_all", "empty", dict(over(function))["all"], draw(key, (2, 0)), order=0)

    for key in ("sum", "mean", "max", "min", "prod", "var", "std", "logsumexp"):
        function = dict(table)[key]
        for suffix, reduce in over(function):
            if suffix in ("all", "last"):
                order = 0 if key in ("prod", "var") else 1
                w.case(f"{key}_{suffix}", "nan", reduce, f64([[NAN, 1, 2], [3, NAN, 5], [1, 2, 3]]), order=order)
                w.case(f"{key}_{suffix}", "nan.f32", reduce, f32([[NAN, 1, 2], [3, NAN, 5], [1, 2, 3]]), order=order)
                w.case(f"{key}_{suffix}", "infinite", reduce, f64([[INF, 1, 2], [3, -INF, 5], [INF, 2, -INF]]), order=order)
    for key, function in (("max", torch.amax), ("min", torch.amin)):
        ties = f64([[[1, 3, 3, 0], [3, 1, 0, 0], [3, 3, 3, 3]], [[3, 3, 0, 0], [0, 1, 0, 1], [2, 2, 2, 3]]])
        for suffix, reduce in over(dict(table)[key]):
            w.both(f"{key}_{suffix}", "ties", reduce, ties)
        w.case(f"{key}_last", "signed_zeros", dict(over(dict(table)[key]))["last"], f64([[0, -0.0], [-0.0, 0]]))
        w.case(f"{key}_last", "infinite_ties", dict(over(dict(table)[key]))["last"], f64([[INF, INF, 1], [-INF, -INF, 1]]))
    zeros = [("one_zero", [[1.5, 0, -2], [1, 2, 3]]), ("two_zeros", [[1.5, 0, 0], [1, 2, 3]]),
             ("zeros_apart", [[0, 2, 3], [-1, 0.5, 0]]), ("three_zeros", [[0, 0, 0], [2, -1, 4]])]
    for name, x in zeros:
        for suffix, reduce in over(prod):
            if suffix in ("all", "last", "first_keep"):
                w.case(f"prod_{suffix}", name, reduce, f64(x))
    for suffix in ("all", "last"):
        w.case(f"var_{suffix}", "single", dict(over(variance(torch.var, 1)))[suffix], f64([[2]]), order=0)
        w.case(f"std_{suffix}", "constant", dict(over(variance(torch.std, 1)))[suffix], f64([[2, 2, 2], [-1, -1, -1]]), order=1 if suffix == "last" else 0)
        w.case(f"std_{suffix}", "single", dict(over(variance(torch.std, 1)))[suffix], f64([[2]]), order=0)
    w.both("std_last", "zero_spread", dict(over(variance(torch.std, 1)))["last"], f64([[2, 2, 2], [1, 2, 4]]))
    w.both("var_half", "plain", lambda x: torch.var(x, 1, correction=0.5), draw("var_half", (2, 4)))
    w.case("var_5", "too_few", lambda x: torch.var(x, 1, correction=5), draw("var_5", (2, 4)), order=0)
    w.case("var_5", "enough", lambda x: torch.var(x, 1, correction=5), draw("var_5", (2, 7)))
    w.case("var_last", "far_from_zero", lambda x: torch.var(x, -1), f64([[1000, 1001, 1002], [-1000, -999, -997]]))
    w.case("logsumexp_last", "large", lambda x: torch.logsumexp(x, -1), f64([[1000, 1001, 999], [-1000, -1001, -999]]))
    w.case("logsumexp_last", "large.f32", lambda x: torch.logsumexp(x, -1), f32([[1000, 1001, 999], [-200, -201, -199]]), order=1)
    w.case("logsumexp_last", "some_infinite", lambda x: torch.logsumexp(x, -1), f64([[-INF, 0, 1], [-INF, -INF, 2]]), order=1)
    w.case("logsumexp_last", "all_infinite", lambda x: torch.logsumexp(x, -1), f64([[-INF, -INF], [INF, 1]]), order=1)

    for key, op in (("any", torch.any), ("all", torch.all)):
        function = lambda x, a, k, op=op: op(x, dim=every(x, a), keepdim=k)
        mask = boolean([[[True, False], [False, False]], [[True, True], [True, False]]])
        for suffix, reduce in over(function):
            w.case(f"{key}_{suffix}", "rank3", reduce, mask, order=0)
        w.case(f"{key}_all", "scalar", lambda x, op=op: op(x), boolean(True), order=0)
        w.case(f"{key}_all", "empty", lambda x, op=op: op(x), boolean([[], []]), order=0)
        w.case(f"{key}_last", "empty", lambda x, op=op: op(x, -1), boolean([[], []]), order=0)
    for key, op in (("argmax", torch.argmax), ("argmin", torch.argmin)):
        for suffix, axis, keep in (("first", 0, False), ("last", -1, False), ("last_keep", -1, True)):
            function = lambda x, axis=axis, keep=keep, op=op: op(x, axis, keep)
            w.both(f"{key}_{suffix}", "plain", function, draw(key, (3, 4)), order=0)
            w.both(f"{key}_{suffix}", "ties", function, f64([[1, 3, 3], [2, 2, 2], [3, 1, 1]]), order=0)
            w.both(f"{key}_{suffix}", "nan", function, f64([[NAN, 3, NAN], [2, NAN, 1], [INF, 1, -INF]]), order=0)
            for dtype in ("i32", "i64"):
                w.case(f"{key}_{suffix}", dtype, function, integers(key, (3, 4), -2, 3, dtype), order=0)
        w.case(f"{key}_last", "extent_0_elsewhere", lambda x, op=op: op(x, -1), draw(key, (0, 3)), order=0)

    for key, op in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        for suffix, axis in (("last", -1), ("first", 0), ("middle", 1)):
            function = lambda x, axis=axis, op=op: op(x, axis)
            w.both(f"{key}_{suffix}", "plain", function, draw(key, (2, 3, 4)))
            w.case(f"{key}_{suffix}", "empty", function, draw(key, (2, 3, 0)))
        function = lambda x, op=op: op(x, -1)
        w.case(f"{key}_last", "large", function, f64([[1000, 1001, 999], [-1000, 0, -999]]))
        w.case(f"{key}_last", "large.f32", function, f32([[1000, 1001, 999], [-1000, 0, -999]]), order=1)
        w.case(f"{key}_last", "one", function, draw(key, (3, 1)))
        w.case(f"{key}_last", "minus_infinity", function, f64([[-INF, 0, 1], [2, -INF, 2]]), order=1)
        w.case(f"{key}_last", "not_finite", function, f64([[-INF, -INF], [INF, 1], [NAN, 1]]), order=1)
        w.case(f"{key}_last", "empty_axis", function, draw(key, (3, 0)))
        w.case(f"{key}_last", "rows", function, draw(key, (0, 3)))


def along(x, axis, picks):
    return torch.index_select(x, axis, torch.tensor(list(picks), dtype=torch.int64))


def sliced(axis, cut):
    return lambda x: along(x, axis, range(x.shape[axis])[cut])


def shapes(w):
    def op(key, function, *shape_list, kinds=True):
        """All of it in f64 with gradients; the first shape in the other dtypes too."""
        for n, shape in enumerate(shape_list):
            w.case(key, "f64" if n == 0 else "empty" if 0 in shape else "x".join(map(str, shape)) or "scalar", function, draw(key, shape))
        if kinds:
            first = shape_list[0]
            w.case(key, "f32", function, draw(key, first).float(), order=1)
            w.case(key, "i32", function, integers(key, first, -99, 99, "i32"), order=0)
            w.case(key, "i64", function, integers(key, first, -99, 99), order=0)
            w.case(key, "bool", function, integers(key, first, 0, 2, "bool"), order=0)

    op("reshape_6_2", lambda x: x.reshape(6, 2), (3, 4), (12,), (2, 2, 3, 1))
    op("reshape_guess", lambda x: x.reshape(2, -1), (4, 3), (0, 3))
    op("reshape_scalar", lambda x: x.reshape(()), (1, 1), (1,), kinds=False)
    op("reshape_from_scalar", lambda x: x.reshape(1, 1), (), kinds=False)
    op("view_3_4", lambda x: x.view(3, 4), (12,), (2, 6))
    op("permute", lambda x: x.permute(2, 0, 1), (2, 3, 4), (2, 0, 1))
    op("permute_negative", lambda x: x.permute(-1, 0, -2), (2, 3, 4), kinds=False)
    op("transpose", lambda x: x.transpose(0, -1), (2, 3, 4), (3, 2))
    op("squeeze_all", lambda x: x.squeeze(), (1, 3, 1), (1, 1), (2, 3))
    op("squeeze_first", lambda x: x.squeeze(0), (1, 3, 1), (2, 1))
    op("squeeze_outer", lambda x: x.squeeze((0, -1)), (1, 3, 1), (2, 3, 1), kinds=False)
    op("unsqueeze_first", lambda x: x.unsqueeze(0), (2, 3), ())
    op("unsqueeze_last", lambda x: x.unsqueeze(-1), (2, 3), (), (0,), kinds=False)
    op("unsqueeze_middle", lambda x: x.unsqueeze(1), (2, 3), kinds=False)
    op("expand", lambda x: x.expand(2, 3, 4), (3, 1), (1, 3, 4), ())
    op("expand_keep", lambda x: x.expand(2, -1, 4), (3, 1), (1, 3, 1), kinds=False)
    op("expand_empty", lambda x: x.expand(0, 3), (1, 3), (3,), kinds=False)
    op("slice_middle", sliced(0, slice(1, 3)), (5, 2), (5,))
    op("slice_step", sliced(1, slice(1, 6, 2)), (2, 7), (1, 6))
    op("slice_back", sliced(1, slice(-1, None, -1)), (2, 5))
    op("slice_back_step", sliced(0, slice(-2, 0, -2)), (7, 2), (6,))
    op("slice_negative", sliced(-1, slice(-3, -1)), (2, 5), kinds=False)
    op("slice_clipped", sliced(0, slice(-100, 100)), (3, 2), kinds=False)
    op("slice_none", sliced(0, slice(3, 1)), (5, 2))
    op("slice_end", sliced(0, slice(2, None)), (5, 2), (1, 2), kinds=False)
    op("select", lambda x: x.select(1, 2), (2, 4, 3), (0, 3))
    op("select_last", lambda x: x.select(0, -1), (3, 2), (3,), kinds=False)
    op("flip_all", lambda x: x.flip(tuple(range(x.dim()))), (2, 3), (4,), (0, 2))
    op("flip_last", lambda x: x.flip(-1), (2, 3), kinds=False)
    op("flip_outer", lambda x: x.flip((0, 2)), (2, 2, 3), kinds=False)
    op("contiguous", lambda x: x.clone(), (2, 3), (), (0, 2))
    op("pad", lambda x: F.pad(x, (2, 0, 1, 3), value=-1), (2, 3), (1, 1), (0, 3), kinds=False)
    op("pad_one", lambda x: F.pad(x, (2, 0, 1, 3), value=1), (2, 3))
    op("pad_cut", lambda x: F.pad(x, (-1, 1, 2, -2), value=1), (4, 3), (3, 2), kinds=False)
    op("pad_vector", lambda x: F.pad(x, (1, 2), value=0.5), (3,), (0,), kinds=False)
    op("pad_infinite", lambda x: F.pad(x, (1, 1), value=-INF), (2,), kinds=False)

    a, b, c = draw("cat a", (2, 3)), draw("cat b", (2, 1)), draw("cat c", (2, 2))
    w.both("cat_last", "three", lambda *x: torch.cat(x, -1), a, b, c)
    w.case("cat_last", "one", lambda *x: torch.cat(x, -1), a)
    w.case("cat_first", "two", lambda *x: torch.cat(x, 0), draw("cat a", (1, 3)), draw("cat b", (2, 3)))
    w.case("cat_first", "some_empty", lambda *x: torch.cat(x, 0), draw("cat", (0, 2)), draw("cat", (2, 2)), draw("cat", (0, 2)))
    w.case("cat_first", "vectors", lambda *x: torch.cat(x, 0), draw("cat a", (3,)), draw("cat b", (1,)))
    w.case("cat_first", "i64", lambda *x: torch.cat(x, 0), i64([1, 2]), i64([3]), order=0)
    w.case("cat_first", "i32", lambda *x: torch.cat(x, 0), i32([1, 2]), i32([3]), order=0)
    w.case("cat_first", "bool", lambda *x: torch.cat(x, 0), boolean([True]), boolean([False, True]), order=0)
    for key, axis in (("stack_first", 0), ("stack_last", -1), ("stack_middle", 1)):
        function = lambda *x, axis=axis: torch.stack(x, axis)
        w.both(key, "three", function, *[draw(f"stack {n}", (2, 3)) for n in range(3)])
        w.case(key, "i64", function, i64([1, 2]), i64([3, 4]), order=0) if axis < 1 else None
    w.case("stack_first", "scalars", lambda *x: torch.stack(x), f64(1), f64(2))
    w.case("stack_first", "empty", lambda *x: torch.stack(x), f64([]), f64([]))
    for key, size, axis in (("split_last", 2, -1), ("split_first", 3, 0)):
        back = lambda x, size=size, axis=axis: torch.cat(tuple(reversed(torch.split(x, size, axis))), axis)
        w.both(key, "uneven", back, draw(key, (5, 5)))
        w.case(key, "even", back, draw(key, (6, 4)))
        w.case(key, "short", back, draw(key, (2, 1)))
        w.case(key, "i64", back, integers(key, (4, 5), -9, 9), order=0)
    w.case("chain", "views", lambda x: x.transpose(0, 1).flip(0)[1:].reshape(2, 4).sum(1) * x[0, :2], draw("chain", (4, 3)))
    w.case("chain", "views.f32", lambda x: x.transpose(0, 1).flip(0)[1:].reshape(2, 4).sum(1) * x[0, :2],
           draw("chain", (4, 3)).float(), order=1)


def products(w):
    dims = [("vectors", (4,), (4,)), ("row", (4,), (4, 3)), ("column", (2, 4), (4,)), ("matrices", (2, 4), (4, 3)),
            ("batch", (3, 2, 4), (3, 4, 2)), ("batch_broadcast", (2, 1, 2, 3), (3, 3, 2)), ("batch_matrix", (3, 2, 4), (4, 2)),
            ("matrix_batch", (2, 4), (3, 4, 2)), ("row_batch", (4,), (3, 4, 2)), ("batch_column", (2, 3, 4), (4,)),
            ("ones", (1, 1), (1, 1)), ("no_rows", (0, 4), (4, 3)), ("no_columns", (2, 4), (4, 0)), ("no_inner", (2, 0), (0, 3)),
            ("no_batch", (0, 2, 3), (3, 2)), ("empty_vectors", (0,), (0,))]
    for name, a, b in dims:
        w.both("matmul", name, torch.matmul, draw("matmul a", a), draw("matmul b", b))
    a, b = integers("large a", (40, 52), -4, 5).double() / 4, integers("large b", (52, 33), -4, 5).double() / 4
    w.case("matmul", "large", torch.matmul, a, b, order=1)
    w.case("matmul", "large.f32", torch.matmul, a.float(), b.float(), order=1)
    w.case("matmul", "nan", torch.matmul, f64([[NAN, 0], [0, 1]]), f64([[1, 2], [INF, 4]]), order=0)
    w.both("outer", "plain", torch.outer, draw("outer a", (3,)), draw("outer b", (2,)))
    w.case("outer", "empty", torch.outer, draw("outer", (0,)), draw("outer", (2,)))
    w.both("dot", "plain", torch.dot, draw("dot a", (5,)), draw("dot b", (5,)))
    w.case("dot", "empty", torch.dot, f64([]), f64([]))
    for name, x in (("matrix", (3, 4)), ("vector", (4,)), ("batch", (2, 3, 4)), ("empty", (0, 4))):
        w.both("affine", name, F.linear, draw("affine x", x), draw("affine weight", (2, 4)), draw("affine bias", (2,)))
        w.both("affine_no_bias", name, F.linear, draw("affine x", x), draw("affine weight", (2, 4)))


def indexing(w):
    whole = lambda index: index.long()
    x = draw("gather", (3, 4))
    columns, rows = i64([[0, 3, 3], [1, 1, 2], [3, 0, 0]]), i64([[2, 0, 1, 1], [0, 0, 2, 1]])
    for dtype in (torch.int64, torch.int32):
        name = "i64" if dtype == torch.int64 else "i32"
        w.both("gather_last", name, lambda x, i: torch.gather(x, -1, whole(i)), x, columns.to(dtype))
        w.both("gather_first", name, lambda x, i: torch.gather(x, 0, whole(i)), x, rows.to(dtype))
        w.both("index_select_first", name, lambda x, i: torch.index_select(x, 0, whole(i)), x, i64([2, 0, 2, 1]).to(dtype))
        w.both("index_select_last", name, lambda x, i: torch.index_select(x, -1, whole(i)), x, i64([3, 3, 0]).to(dtype))
        w.both("take", name, lambda x, i: torch.take(x, whole(i)), x, i64([[11, 0], [5, 5]]).to(dtype))
        w.both("scatter_add_last", name, lambda x, i, s: torch.scatter_add(x, -1, whole(i), s), x, columns.to(dtype),
               draw("scatter", (3, 3)))
        w.both("scatter_add_first", name, lambda x, i, s: torch.scatter_add(x, 0, whole(i), s), x, rows.to(dtype),
               draw("scatter", (2, 4)))
    w.case("gather_last", "fewer_rows", lambda x, i: torch.gather(x, -1, i), x, i64([[1, 0]]))
    w.case("gather_last", "empty", lambda x, i: torch.gather(x, -1, i), x, columns[:, :0])
    w.case("gather_first", "rank1", lambda x, i: torch.gather(x, 0, i), f64([1, 2, 3]), i64([2, 2, 0, 1, 2]))
    w.case("gather_first", "rank3", lambda x, i: torch.gather(x, 0, i), draw("gather", (2, 2, 3)), integers("gather", (3, 2, 2), 0, 2))
    w.case("gather_last", "i32_values", lambda x, i: torch.gather(x, -1, i), integers("gather", (3, 4), -9, 9, "i32"), columns, order=0)
    w.case("gather_last", "bool_values", lambda x, i: torch.gather(x, -1, i), integers("gather", (3, 4), 0, 2, "bool"), columns, order=0)
    w.case("index_select_first", "empty", lambda x, i: torch.index_select(x, 0, i), x, i64([]))
    w.case("index_select_first", "rank3", lambda x, i: torch.index_select(x, 0, i), draw("select", (3, 2, 2)), i64([1, 1]))
    w.case("index_select_first", "i64_values", lambda x, i: torch.index_select(x, 0, i), integers("select", (3, 2), -9, 9), i64([2, 0]), order=0)
    w.case("take", "scalar", torch.take, x, i64(7))
    w.case("take", "empty", torch.take, x, i64([]))
    w.case("take", "i64_values", torch.take, i64([[4, 5], [6, 7]]), i64([3, 0]), order=0)
    w.case("scatter_add_last", "fewer_rows", lambda x, i, s: torch.scatter_add(x, -1, i, s), x, i64([[1, 1]]), f64([[0.5, 0.25]]))
    w.case("scatter_add_last", "empty", lambda x, i, s: torch.scatter_add(x, -1, i, s), x, columns[:, :0], draw("s", (3, 0)))
    w.case("scatter_add_first", "rank1", lambda x, i, s: torch.scatter_add(x, 0, i, s), f64([0, 0]), i64([1, 1, 0, 1]), f64([1, 2, 3, 4]))
    w.case("scatter_add_first", "i64_values", lambda x, i, s: torch.scatter_add(x, 0, i, s), i64([5, 6]), i64([1, 1, 1]), i64([1, 2, 3]), order=0)
    for name in ("f32", "f64", "i32", "i64", "bool"):
        one_hot = lambda i, name=name: F.one_hot(whole(i), 4).to(DTYPES[name])
        w.case("one_hot_" + name, "i64", one_hot, i64([[0, 3], [2, 2]]), order=0)
        w.case("one_hot_" + name, "i32", one_hot, i32([1]), order=0)
    w.case("one_hot_f64", "scalar", lambda i: F.one_hot(i, 4).double(), i64(2), order=0)
    w.case("one_hot_f64", "empty", lambda i: F.one_hot(i, 4).double(), i64([]), order=0)


def creation(w):
    for name, dtype in DTYPES.items():
        w.values("zeros_" + name, "plain", torch.zeros(2, 3, dtype=dtype))
        w.values("ones_" + name, "plain", torch.ones(2, 3, dtype=dtype))
        w.values("full_" + name, "plain", torch.full((2, 2), 1 if name == "bool" else -3, dtype=dtype))
        w.values("eye_" + name, "plain", torch.eye(3, 3, dtype=dtype))
        x = integers("like", (2, 3), 0, 2).to(dtype)
        w.case("zeros_like", name, torch.zeros_like, x, order=0)
        w.case("ones_like", name, torch.ones_like, x, order=0)
        w.case("full_like_1", name, lambda x: torch.full_like(x, 1), x, order=0)
    w.case("full_like_quarter", "f64", lambda x: torch.full_like(x, 0.25), draw("like", ()), order=0)
    w.case("zeros_like", "empty", torch.zeros_like, draw("like", (0, 2)), order=0)
    w.values("zeros_scalar", "f64", torch.zeros((), dtype=torch.float64))
    w.values("ones_empty", "f64", torch.ones(0, 3, dtype=torch.float64))
    w.values("full_tenth", "f32", torch.full((2,), 0.1, dtype=torch.float32))
    w.values("full_nan", "f64", torch.full((2,), NAN, dtype=torch.float64))
    w.values("eye_wide", "f64", torch.eye(2, 4, dtype=torch.float64))
    w.values("eye_tall", "f32", torch.eye(4, 2, dtype=torch.float32))
    w.values("eye_empty", "f64", torch.eye(0, 2, dtype=torch.float64))
    for name in ("f32", "f64"):
        w.values("arange_tenths_" + name, "plain", torch.arange(0, 1, 0.1, dtype=DTYPES[name]))
        w.values("arange_down_" + name, "plain", torch.arange(1, -1, -0.375, dtype=DTYPES[name]))
        w.values("linspace_" + name, "plain", torch.linspace(-1, 2, 7, dtype=DTYPES[name]))
        w.values("linspace_tenths_" + name, "plain", torch.linspace(0, 1, 11, dtype=DTYPES[name]))
        w.values("linspace_down_" + name, "plain", torch.linspace(3, -1, 4, dtype=DTYPES[name]))
    for name in ("i32", "i64"):
        w.values("arange_" + name, "plain", torch.arange(2, 9, 3, dtype=DTYPES[name]))
        w.values("arange_down_" + name, "plain", torch.arange(5, -2, -2, dtype=DTYPES[name]))
    w.values("arange_empty", "f64", torch.arange(1, 1, 0.5, dtype=torch.float64))
    w.values("linspace_one", "f64", torch.linspace(3, 5, 1, dtype=torch.float64))
    w.values("linspace_none", "f64", torch.linspace(3, 5, 0, dtype=torch.float64))
    w.values("linspace_same", "f64", torch.linspace(0.3, 0.3, 3, dtype=torch.float64))
    w.values("bernoulli_never", "bool", torch.bernoulli(torch.zeros(2, 3)).bool())
    w.values("bernoulli_always", "bool", torch.bernoulli(torch.ones(2, 3)).bool())
    w.values("randint_one_choice", "i64", torch.randint(-4, -3, (2, 3)))
    w.values("randperm_one", "i64", torch.randperm(1))
    w.values("randperm_none", "i64", torch.randperm(0))
