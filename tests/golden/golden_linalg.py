"""Golden cases of products of tensors and of linear algebra."""
import torch

from golden_write import INF, NAN, draw, f64

L = torch.linalg


# ---- einsum ----

EQUATIONS = [
    # one operand
    ("copy", "ij->ij", [(2, 3)]), ("transpose", "ij->ji", [(2, 3)]), ("implicit", "ba", [(2, 3)]),
    ("upper_first", "aB", [(2, 3)]), ("permute", "ijk->kij", [(2, 3, 2)]), ("sum", "ij->", [(2, 3)]),
    ("sum_rows", "ij->j", [(2, 3)]), ("sum_middle", "ijk->ik", [(2, 3, 2)]), ("diagonal", "ii->i", [(3, 3)]),
    ("trace", "ii", [(3, 3)]), ("diagonal_batch", "bii->bi", [(2, 3, 3)]), ("diagonal_apart", "iji->ij", [(2, 3, 2)]),
    ("diagonal_of_three", "iii->i", [(2, 2, 2)]), ("two_diagonals", "iijj->ij", [(2, 2, 3, 3)]),
    ("interleaved_diagonals", "ijij->ji", [(2, 3, 2, 3)]), ("dots_alone", "...->...", [(2, 3)]),
    ("dots_transpose", "...ij->...ji", [(2, 2, 3)]), ("dots_moved", "i...->...i", [(2, 3, 2)]),
    ("dots_middle", "i...j->j...", [(2, 3, 2)]), ("dots_diagonal", "...ii->...i", [(2, 3, 3)]),
    ("dots_summed", "i...->i", [(2, 3, 2)]), ("dots_none", "ij...->ji...", [(2, 3)]), ("scalar", "->", [()]),
    ("no_elements", "ij->j", [(0, 3)]),
    # two
    ("product", "ij,jk->ik", [(2, 3), (3, 4)]), ("product_implicit", "ij,jk", [(2, 3), (3, 2)]),
    ("product_transposed", "ji,kj->ik", [(3, 2), (4, 3)]), ("product_turned", "ij,jk->ki", [(2, 3), (3, 4)]),
    ("batch", "bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("batch_last", "ijb,jkb->ikb", [(2, 3, 2), (3, 2, 2)]),
    ("row", "i,ij->j", [(2,), (2, 3)]), ("column", "ij,j->i", [(2, 3), (3,)]), ("dot", "i,i->", [(3,), (3,)]),
    ("outer", "i,j->ij", [(2,), (3,)]), ("outer_turned", "i,j->ji", [(2,), (3,)]), ("hadamard", "ij,ij->ij", [(2, 3), (2, 3)]),
    ("hadamard_turned", "ij,ji->ij", [(2, 3), (3, 2)]), ("frobenius", "ij,ij->", [(2, 3), (2, 3)]),
    ("row_dots", "ij,ij->i", [(2, 3), (2, 3)]), ("bilinear_half", "bi,oij->boj", [(2, 2), (3, 2, 2)]),
    ("two_summed", "ijk,jkl->il", [(2, 3, 2), (3, 2, 2)]), ("two_summed_apart", "ijkl,lj->ik", [(2, 3, 2, 2), (2, 3)]),
    ("alone_left", "ij,k->k", [(2, 3), (2,)]), ("alone_right", "i,ijk->i", [(2,), (2, 3, 2)]), ("scalar_times", ",ij->ij", [(), (2, 3)]),
    ("capitals", "Aa,aB->AB", [(2, 3), (3, 2)]), ("capitals_implicit", "bA,Ac", [(2, 3), (3, 2)]), ("spaces", " i j , j k -> i k ", [(2, 3), (3, 2)]),
    ("dots", "...ij,...jk->...ik", [(2, 2, 3), (2, 3, 2)]), ("dots_broadcast", "...ij,...jk", [(2, 1, 2, 3), (3, 3, 2)]),
    ("dots_one_side", "...ij,jk->...ik", [(2, 2, 3), (3, 2)]), ("dots_ranks", "...i,i...->...", [(2, 3), (3, 2)]),
    ("dots_and_summed", "...i,...i", [(2, 3), (2, 3)]), ("dots_result_summed", "...ij,...jk->ik", [(2, 2, 3), (2, 3, 2)]),
    ("diagonal_times", "ii,ij->j", [(3, 3), (3, 2)]), ("extent_1", "ij,jk->ik", [(2, 1), (3, 2)]), ("extent_1_kept", "bi,bj->bij", [(1, 2), (3, 2)]),
    ("no_inner", "ij,jk->ik", [(2, 0), (0, 3)]), ("no_batch", "bij,bjk->bik", [(0, 2, 3), (0, 3, 2)]),
    ("result_order", "abc,bd->dca", [(2, 3, 2), (3, 2)]),
    # more
    ("chain", "ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]), ("quadratic", "i,ij,j->", [(2,), (2, 3), (3,)]),
    ("bilinear", "bi,oij,bj->bo", [(2, 2), (3, 2, 2), (2, 2)]), ("attention", "bqhd,bkhd->bhqk", [(2, 2, 2, 3), (2, 3, 2, 3)]),
    ("star", "ai,bi,ci->abc", [(2, 3), (2, 3), (2, 3)]), ("khatri_rao", "ij,kj->ikj", [(2, 3), (4, 3)]),
    ("four", "i,ij,jk,k->", [(2,), (2, 2), (2, 3), (3,)]), ("four_dots", "...i,ij,j...,...->...", [(2, 2), (2, 3), (3, 2), (2,)]),
    ("five_scalars", ",,,,->", [(), (), (), (), ()]), ("tucker", "abc,ai,bj,ck->ijk", [(2, 2, 2), (2, 1), (2, 3), (2, 2)]),
]


def equations(w):
    for name, equation, shapes in EQUATIONS:
        inputs = [draw(f"einsum {name} {i}", s) for i, s in enumerate(shapes)]
        size = max([i.numel() for i in inputs] + [1])
        w.apply("einsum", name, f"equation='{equation}'", lambda *x, e=equation: torch.einsum(e, *x), *inputs,
                order=2 if size <= 12 else 1, single=size <= 6)
    w.apply("einsum", "nan", "equation='ij,jk->ik'", lambda a, b: torch.einsum("ij,jk->ik", a, b),
            f64([[NAN, 0], [0, 1]]), f64([[1, 2], [INF, 4]]), order=0)


# ---- products ----

def products(w):
    a, b = draw("tensordot a", (2, 3, 2)), draw("tensordot b", (3, 2, 2))
    for count in (0, 1, 2, 3):
        x, y = (draw("dot0 a", (2, 2)), draw("dot0 b", (3,))) if count == 0 else \
               (draw("dot1 a", (2, 3)), draw("dot1 b", (3, 2))) if count == 1 else \
               (a, b) if count == 2 else (a, draw("dot3 b", (2, 3, 2)))
        w.apply("tensordot", f"count_{count}", f"count={count}", lambda x, y, n=count: torch.tensordot(x, y, n), x, y)
    for name, p, q, s in (("one", [1], [0], (3, 2)), ("two", [2, 0], [1, 2], (3, 2, 2)), ("negative", [-1, -2], [0, -1], (2, 2, 3)),
                          ("extent_1", [1, 0], [0, 1], (1, 2, 2)), ("all", [0, 1, 2], [2, 0, 1], (3, 2, 2)), ("empty_list", [], [], (2,))):
        w.apply("tensordot", name, f"axes_a={p} axes_b={q}".replace(", ", ","),
                lambda x, y, d=(p, q): torch.tensordot(x, y, d), a, draw(f"tensordot {name}", s), order=2 if name != "empty_list" else 1)
    w.apply("tensordot", "empty", "count=1", lambda x, y: torch.tensordot(x, y, 1), draw("e", (2, 0)), draw("e", (0, 2)))
    for name, s, r in (("vectors", (3,), (3,)), ("matrices", (2, 3), (2, 3)), ("scalar", (), (2, 2)), ("vector_matrix", (2,), (3, 2)),
                       ("empty", (2, 0), (3, 0))):
        w.apply("inner", name, None, torch.inner, draw("inner a", s), draw("inner b", r))
    w.apply("vdot", "plain", None, torch.vdot, draw("vdot a", (4,)), draw("vdot b", (4,)))
    w.apply("vdot", "empty", None, torch.vdot, f64([]), f64([]))
    for name, s, r, axis in (("vectors", (3,), (3,), -1), ("first", (3, 2), (3, 2), 0), ("broadcast", (2, 3), (1, 3), -1),
                             ("ranks", (2, 3), (3,), -1), ("stretched", (2, 1), (2, 3), -1), ("empty", (2, 0), (2, 0), -1)):
        w.apply("vecdot", name, f"axis={axis}", lambda x, y, d=axis: L.vecdot(x, y, dim=d), draw("vecdot a", s), draw("vecdot b", r))
    for name, s, r, axis in (("vectors", (3,), (3,), -1), ("rows", (2, 3), (2, 3), -1), ("first", (3, 2), (3, 2), 0),
                             ("broadcast", (2, 1, 3), (1, 2, 3), 2), ("empty", (0, 3), (0, 3), 1)):
        w.apply("cross", name, f"axis={axis}", lambda x, y, d=axis: L.cross(x, y, dim=d), draw("cross a", s), draw("cross b", r))
    for name, s, r in (("matrices", (2, 2), (2, 3)), ("vectors", (2,), (3,)), ("ranks", (2,), (2, 2)), ("scalar", (), (2, 2)),
                       ("cubes", (2, 1, 2), (1, 2, 2)), ("empty", (0, 2), (2, 2))):
        w.apply("kron", name, None, torch.kron, draw("kron a", s), draw("kron b", r))
    w.apply("kron", "rank_8", None, torch.kron, draw("kron a", (2, 1, 1, 1, 1, 1, 1, 2)), draw("kron b", (1, 1, 2, 1, 1, 1)), order=1)
    w.apply("mm", "plain", None, torch.mm, draw("mm a", (2, 3)), draw("mm b", (3, 2)))
    w.apply("mm", "empty", None, torch.mm, draw("mm a", (2, 0)), draw("mm b", (0, 2)))
    w.apply("mv", "plain", None, torch.mv, draw("mv a", (2, 3)), draw("mv b", (3,)))
    w.apply("mv", "empty", None, torch.mv, draw("mv a", (2, 0)), draw("mv b", (0,)))
    w.apply("bmm", "plain", None, torch.bmm, draw("bmm a", (2, 2, 3)), draw("bmm b", (2, 3, 2)))
    w.apply("bmm", "empty", None, torch.bmm, draw("bmm a", (0, 2, 3)), draw("bmm b", (0, 3, 2)))
    for name, i, beta, alpha in (("plain", (2, 2), 1, 1), ("scaled", (2, 2), .5, -2), ("row", (2,), 1, 3), ("column", (2, 1), 2, 1),
                                 ("scalar", (), -1, 1), ("no_input", (2, 2), 0, 1.5), ("no_product", (2, 2), 2, 0)):
        given = f"beta={beta} alpha={alpha}"
        order = 1 if beta == 0 or alpha == 0 else 2
        w.apply("addmm", name, given, lambda i, a, b, p=beta, q=alpha: torch.addmm(i, a, b, beta=p, alpha=q),
                draw("addmm i", i), draw("addmm a", (2, 3)), draw("addmm b", (3, 2)), order=order)
        w.apply("baddbmm", name, given, lambda i, a, b, p=beta, q=alpha: torch.baddbmm(i, a, b, beta=p, alpha=q),
                draw("baddbmm i", i if len(i) < 2 else (2,) + i), draw("baddbmm a", (2, 2, 2)), draw("baddbmm b", (2, 2, 2)), order=order)
        if len(i) < 2:
            w.apply("addmv", name, given, lambda i, a, b, p=beta, q=alpha: torch.addmv(i, a, b, beta=p, alpha=q),
                    draw("addmv i", i), draw("addmv a", (2, 3)), draw("addmv b", (3,)))
    w.apply("addmm", "nan_not_looked_at", "beta=0", lambda i, a, b: torch.addmm(i, a, b, beta=0),
            f64([NAN]), draw("addmm a", (1, 2)), draw("addmm b", (2, 1)), order=0)
    w.apply("addmv", "nan_not_looked_at", "beta=0", lambda i, a, b: torch.addmv(i, a, b, beta=0),
            f64([NAN]), draw("addmv a", (1, 2)), draw("addmv b", (2,)), order=0)
    for name, shapes in (("two", [(2, 3), (3, 2)]), ("three", [(2, 3), (3, 1), (1, 3)]), ("vectors", [(2,), (2, 3), (3,)]),
                         ("row", [(3,), (3, 2), (2, 2)]), ("four", [(1, 2), (2, 3), (3, 1), (1, 2)]), ("empty", [(2, 0), (0, 3), (3, 2)])):
        w.apply("multi_dot", name, None, lambda *x: L.multi_dot(x), *[draw(f"chain {i}", s) for i, s in enumerate(shapes)])


# ---- linear algebra ----

def diagonal(x, *values):
    """x, rounded to few digits, with these numbers added to its diagonals."""
    m, n = x.shape[-2:]
    d = torch.zeros(m, n, dtype=x.dtype)
    for i, v in enumerate(values[:min(m, n)]):
        d[i, i] = v
    return x + d


def general(name, shape):
    return diagonal(draw(name, shape, -1, 1), 3, -2, 4, 2)


def symmetric(name, shape):
    x = draw(name, shape, -1, 1, decimals=1)
    return diagonal((x + x.mT) / 2, -3, 1, 4, 8)


def positive(name, shape):
    x = draw(name, shape, -1, 1, decimals=1)
    return diagonal(x @ x.mT, 1, 2, 1.5, 2)


def systems(w):
    for name, a, b in (("matrix", (3, 3), (3, 2)), ("vector", (3, 3), (3,)), ("batch", (2, 2, 2), (2, 2, 3)), ("batch_vectors", (2, 2, 2), (2, 2)),
                       ("batch_a", (2, 2, 2), (2, 1)), ("batch_b", (2, 2), (2, 2, 1)), ("broadcast", (2, 1, 2, 2), (2, 2, 1)),
                       ("vector_for_all", (2, 2, 2), (2,)), ("one", (1, 1), (1, 2)), ("no_columns", (2, 2), (2, 0)), ("no_rows", (0, 0), (0, 2)),
                       ("no_batch", (0, 2, 2), (0, 2, 1))):
        w.apply("solve", name, None, L.solve, general("solve a", a), draw("solve b", b))
    w.apply("solve", "exchange", None, L.solve, f64([[0, 1, 2], [3, 0, 1], [1, 1, 0]]), draw("solve", (3, 1)))
    w.apply("solve", "nan", None, L.solve, f64([[2, 0], [0, 1]]), f64([[NAN], [1]]), order=0)
    for name, a, b in (("plain", (3, 3), (3, 2)), ("batch", (2, 2, 2), (2, 2, 1)), ("broadcast", (2, 2), (2, 2, 2)), ("empty", (0, 0), (0, 2))):
        for upper in (False, True):
            for left in (True, False):
                for unit in (False, True):
                    if (name != "plain" and left == unit) or (name == "empty" and upper):
                        continue
                    y = draw("triangle b", b) if left else draw("triangle b", b).mT
                    w.apply("solve_triangular", f"{name}_{'upper' if upper else 'lower'}{'' if left else '_right'}{'_unit' if unit else ''}",
                            f"upper={str(upper).lower()} left={str(left).lower()} unitriangular={str(unit).lower()}",
                            lambda a, b, u=upper, l=left, o=unit: L.solve_triangular(a, b, upper=u, left=l, unitriangular=o),
                            general("triangle a", a), y.contiguous(), single=name == "plain" and left)
    for name, s, b in (("plain", (3, 3), (3, 2)), ("batch", (2, 2, 2), (2, 2, 1)), ("broadcast", (2, 2), (2, 2, 1)), ("empty", (0, 0), (0, 1))):
        for upper in (False, True):
            l = general("cholesky_solve", s).tril()
            w.apply("cholesky_solve", f"{name}_{'upper' if upper else 'lower'}", f"upper={str(upper).lower()}",
                    lambda b, l, u=upper: torch.cholesky_solve(b, l.triu() if u else l.tril(), upper=u), draw("cholesky_solve b", b), l.mT.contiguous() if upper else l)
    for name, s in (("plain", (3, 3)), ("batch", (2, 2, 2)), ("one", (1, 1)), ("empty", (0, 0)), ("no_batch", (0, 2, 2))):
        w.apply("inverse", name, None, L.inv, general("inverse", s))
    for name, a, b in (("tall", (4, 2), (4, 2)), ("square", (3, 3), (3, 1)), ("wide", (2, 4), (2, 2)), ("batch", (2, 3, 2), (2, 3, 1)),
                       ("batch_wide", (2, 2, 3), (2, 2, 1))):
        w.apply("lstsq", name, None, lambda a, b: L.lstsq(a, b).solution, general("lstsq a", a), draw("lstsq b", b))
    w.apply("lstsq", "vector", None, lambda a, b: L.lstsq(a, b.unsqueeze(-1)).solution.squeeze(-1), general("lstsq a", (4, 2)), draw("lstsq b", (4,)))
    for name, s in (("tall", (3, 2)), ("wide", (2, 3)), ("square", (2, 2)), ("batch", (2, 3, 2)), ("empty", (0, 2)), ("no_batch", (0, 2, 3))):
        w.apply("pinv", name, None, L.pinv, general("pinv", s))
    deficient = f64([[1, 2], [2, 4], [-1, -2]])
    w.apply("pinv", "deficient", None, L.pinv, deficient, order=1)
    w.apply("pinv", "zeros", None, L.pinv, torch.zeros(2, 3, dtype=torch.float64), order=0)
    w.apply("pinv", "atol", "atol=3", lambda a: L.pinv(a, atol=3.), general("pinv", (3, 3)), order=1)
    w.apply("pinv", "rtol", "rtol=.6", lambda a: L.pinv(a, rtol=.6), general("pinv", (3, 3)), order=1)
    w.apply("pinv", "both", "atol=1 rtol=.6", lambda a: L.pinv(a, atol=1., rtol=.6), general("pinv", (3, 3)), order=0)


def functions(w):
    singular = f64([[1, 2, 3], [4, 5, 6], [2, 4, 6]])
    for name, s in (("plain", (3, 3)), ("two", (2, 2)), ("batch", (2, 2, 2)), ("one", (1, 1)), ("empty", (0, 0)), ("no_batch", (0, 2, 2))):
        w.apply("det", name, None, L.det, general("det", s))
        w.apply("slogdet", name, None, L.slogdet, general("det", s))
    for name, x in (("singular", singular), ("zeros", torch.zeros(2, 2, dtype=torch.float64)), ("one_zero", torch.zeros(1, 1, dtype=torch.float64)),
                    ("rank_1", f64([[1, 2, 3], [2, 4, 6], [-1, -2, -3]]))):
        w.apply("det", name, None, L.det, x, order=1 if name == "singular" else 0)
        w.apply("slogdet", name, None, L.slogdet, x, order=0)
    w.apply("det", "identity", None, L.det, torch.eye(3, dtype=torch.float64))
    w.apply("det", "exchange", None, L.det, f64([[0, 1, 2], [3, 0, 1], [1, 1, 0]]))
    w.apply("det", "large", None, L.det, torch.eye(2, dtype=torch.float64) * 1e200, order=0, single=False)
    w.apply("slogdet", "large", None, L.slogdet, torch.eye(2, dtype=torch.float64) * 1e200, order=1, single=False)
    for n in (0, 1, 2, 3, 5, -1, -2, -3):
        w.apply("matrix_power", f"power_{n}".replace("-", "minus_"), f"n={n}", lambda a, n=n: L.matrix_power(a, n),
                general("power", (2, 2)), order=0 if n == 0 else 2)
    w.apply("matrix_power", "batch", "n=3", lambda a: L.matrix_power(a, 3), general("power", (2, 2, 2)))
    w.apply("matrix_power", "batch_identity", "n=0", lambda a: L.matrix_power(a, 0), general("power", (2, 2, 2)), order=0)
    w.apply("matrix_power", "empty", "n=2", lambda a: L.matrix_power(a, 2), general("power", (0, 0)))
    for name, x in (("plain", draw("exp", (3, 3), -1, 1)), ("batch", draw("exp", (2, 2, 2), -1, 1)), ("one", f64([[1.5]])),
                    ("large", draw("exp", (3, 3)) * 4), ("nilpotent", f64([[0, 1, 2], [0, 0, 3], [0, 0, 0]])), ("zeros", torch.zeros(2, 2, dtype=torch.float64)),
                    ("empty", torch.zeros(0, 0, dtype=torch.float64)), ("no_batch", torch.zeros(0, 2, 2, dtype=torch.float64))):
        w.apply("matrix_exp", name, None, L.matrix_exp, x, order=0 if x.numel() == 0 else 2, single=name != "large")
    for name, s in (("square", (3, 3)), ("tall", (3, 2)), ("wide", (2, 3)), ("empty", (0, 0)), ("one", (1, 1)), ("row", (1, 3))):
        w.apply("trace", name, None, torch.trace, draw("trace", s), order=0 if 0 in s else 2)
    w.apply("trace", "batch", None, lambda a: a.diagonal(dim1=-2, dim2=-1).sum(-1), draw("trace", (2, 2, 3)))


def factorisations(w):
    flag = lambda upper: f"upper={str(upper).lower()}"
    for upper in (False, True):
        suffix = "_upper" if upper else ""
        for name, s in (("plain", (3, 3)), ("batch", (2, 2, 2)), ("one", (1, 1)), ("empty", (0, 0)), ("no_batch", (0, 2, 2))):
            w.apply("cholesky", name + suffix, flag(upper), lambda a, u=upper: L.cholesky(a, upper=u), positive("cholesky", s))
            uplo = "U" if upper else "L"
            w.apply("eigvalsh", name + suffix, flag(upper), lambda a, u=uplo: L.eigvalsh(a, UPLO=u), symmetric("eigh", s))
            w.apply("eigh", name + suffix, flag(upper), lambda a, u=uplo: L.eigh(a, UPLO=u), symmetric("eigh", s))
        w.apply("cholesky", "one_triangle" + suffix, flag(upper), lambda a, u=upper: L.cholesky(a, upper=u),
                diagonal(draw("triangle", (2, 2), -1, 1), 2, 2), order=0)
        w.apply("eigh", "one_triangle" + suffix, flag(upper), lambda a, u="U" if upper else "L": L.eigh(a, UPLO=u),
                general("triangle 0", (3, 3)), order=0, single=False)
    w.apply("eigvalsh", "equal", None, L.eigvalsh, torch.eye(3, dtype=torch.float64) * 2, order=1)
    w.apply("eigh", "diagonal", None, L.eigh, torch.diag(f64([3, -1, 2])), order=0)
    for name, s in (("tall", (4, 2)), ("square", (3, 3)), ("wide", (2, 4)), ("batch", (2, 3, 2)), ("batch_wide", (2, 2, 3)), ("one", (1, 1)),
                    ("column", (3, 1)), ("row", (1, 3)), ("no_columns", (3, 0)), ("no_rows", (0, 3)), ("no_batch", (0, 3, 2))):
        x, empty = general("qr", s), 0 in s
        w.apply("qr", name, "mode=reduced", L.qr, x, order=0 if empty else 2)
        complete = s[-2] > s[-1]
        w.apply("qr", name + "_complete", "mode=complete", lambda a: L.qr(a, mode="complete"), x, order=0 if complete or empty else 2)
        if s[-2] < s[-1] and s[-2] == 2:  # far wider than high, libraries disagree about the signs
            s = (*s[:-2], 3, 4)
        spaced = diagonal(draw("svd", s, -1, 1), 3, 8, 14)
        w.apply("svd", name, "full_matrices=false", lambda a: L.svd(a, full_matrices=False), spaced, order=0 if empty else 2)
        w.apply("svd", name + "_full", None, L.svd, spaced, order=0 if empty or abs(s[-2] - s[-1]) > 1 else 2 if s[-2] == s[-1] else 1)
        w.apply("svdvals", name, None, L.svdvals, spaced, order=0 if empty else 2)
    w.apply("svdvals", "equal", None, L.svdvals, torch.eye(3, dtype=torch.float64) * 2, order=1)
    w.apply("svdvals", "rank_1", None, L.svdvals, f64([[1, 2], [2, 4]]), order=0)


def condition(a, p):
    """What L.cond is; its own gradient fails for these kinds."""
    return L.cond(a, p) if p in (2, -2) else L.matrix_norm(a, p) * L.matrix_norm(L.inv(a), p)


def norms(w):
    kinds = {"fro": "fro", "nuc": "nuc", "1": 1, "-1": -1, "2": 2, "-2": -2, "inf": INF, "-inf": -INF}
    for kind, value in kinds.items():
        name = kind.replace("-", "minus_")
        for shape_name, s in (("plain", (3, 3)), ("batch", (2, 3, 2)), ("wide", (2, 3))):
            w.apply("matrix_norm", f"{name}_{shape_name}", f"kind={kind}", lambda a, p=value: L.matrix_norm(a, p),
                    diagonal(draw("norm", s, -1, 1), 3, 8, 14))
        w.apply("matrix_norm", f"{name}_keepdim", f"kind={kind} axes=[0,-2] keepdim=true",
                lambda a, p=value: L.matrix_norm(a, p, dim=(0, -2), keepdim=True), draw("norm keep", (2, 3, 2)), order=1)
        w.apply("matrix_norm", f"{name}_turned", f"kind={kind} axes=[1,0]", lambda a, p=value: L.matrix_norm(a, p, dim=(1, 0)),
                draw("norm turned", (2, 3)), order=1)
        w.apply("matrix_norm", f"{name}_no_batch", f"kind={kind}", lambda a, p=value: L.matrix_norm(a, p), draw("norm", (0, 2, 2)), order=0)
        w.apply("cond", name, f"kind={kind}", lambda a, p=value: condition(a, p), diagonal(draw("cond", (3, 3), -1, 1), 3, 8, 14))
    w.apply("matrix_norm", "default", None, L.matrix_norm, draw("norm", (2, 2)))
    w.apply("matrix_norm", "zeros", None, L.matrix_norm, torch.zeros(2, 2, dtype=torch.float64), order=1)
    w.apply("matrix_norm", "fro_empty", "kind=fro", L.matrix_norm, draw("norm", (0, 2)), order=0)
    w.apply("matrix_norm", "nuc_empty", "kind=nuc", lambda a: L.matrix_norm(a, "nuc"), draw("norm", (2, 0)), order=0)
    w.apply("matrix_norm", "1_ties", "kind=1", lambda a: L.matrix_norm(a, 1), f64([[1, -2], [3, 2]]), order=1)
    w.apply("matrix_norm", "inf_nan", "kind=inf", lambda a: L.matrix_norm(a, INF), f64([[1, NAN], [3, 2]]), order=0)
    w.apply("cond", "default", None, L.cond, general("cond", (3, 2)))
    w.apply("cond", "default_batch", None, L.cond, general("cond", (2, 2, 2)))
    w.apply("cond", "minus_2_wide", "kind=-2", lambda a: L.cond(a, -2), general("cond", (2, 3)))
    deficient = f64([[1, 2, 3], [2, 4, 6], [1, 0, 1]])
    spread = torch.diag(f64([4, 1, .25]))
    for name, x, given, options in (("full", general("rank", (3, 2)), None, {}), ("deficient", deficient, None, {}), ("zeros", torch.zeros(2, 2, dtype=torch.float64), None, {}),
                                    ("batch", torch.stack([deficient, spread]), None, {}), ("atol", spread, "atol=.5", {"atol": .5}),
                                    ("rtol", spread, "rtol=.3", {"rtol": .3}), ("both", spread, "atol=.1 rtol=.3", {"atol": .1, "rtol": .3}),
                                    ("zero_rtol", spread, "rtol=0", {"rtol": 0.}), ("at_tolerance", spread, "atol=1", {"atol": 1.}),
                                    ("no_batch", torch.zeros(0, 2, 2, dtype=torch.float64), None, {}), ("empty", torch.zeros(0, 2, dtype=torch.float64), None, {})):
        w.apply("matrix_rank", name, given, lambda a, o=options: L.matrix_rank(a, **o), x, order=0)


def algebra(w):
    systems(w)
    functions(w)
    factorisations(w)
    norms(w)
