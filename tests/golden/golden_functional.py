"""Golden cases of the ops of networks: normalisation, attention, embeddings, connectionist temporal classification,
distances, Fourier transforms."""
import torch
import torch.nn.functional as F

from golden_write import INF, NAN, boolean, draw, f64, i32, i64, integers


def shuffled(name, shape, step=0.25):
    """Distinct values, so that nothing ties."""
    count = int(torch.tensor(shape).prod()) if shape else 1
    order = integers(name, (count,), 0, 1 << 30).argsort()
    return ((order.double() - count / 2) * step).reshape(shape)


# ---- normalisation -----------------------------------------------------------------------------------------------------


def layers(w):
    for name, shape, rank in (("last", (3, 4), 1), ("two", (2, 2, 3), 2), ("all", (2, 3), 2), ("vector", (5,), 1)):
        ends = shape[len(shape) - rank:]
        text = f"normalized={list(ends)}"
        x, weight, bias = shuffled("layer_norm", shape), draw("ln weight", ends), draw("ln bias", ends)
        w.apply("layer_norm", name, text, lambda x, w, b, e=ends: F.layer_norm(x, e, w, b), x, weight, bias)
        w.apply("rms_norm", name, text, lambda x, w, e=ends: F.rms_norm(x, e, w), x, weight)
        w.apply("rms_norm", name + "_eps", text + " eps=0.5", lambda x, w, e=ends: F.rms_norm(x, e, w, 0.5), x, weight)
    x = shuffled("layer_norm plain", (2, 3))
    w.apply("layer_norm", "plain", "normalized=[3]", lambda x: F.layer_norm(x, (3,)), x)
    w.apply("layer_norm", "eps", "normalized=[3] eps=0.5", lambda x: F.layer_norm(x, (3,), eps=0.5), x)
    w.apply("layer_norm", "weight", "normalized=[3]", lambda x, w, b: F.layer_norm(x, (3,), w), x,
            draw("ln w", (3,)), None)
    w.apply("layer_norm", "bias", "normalized=[3]", lambda x, w, b: F.layer_norm(x, (3,), torch.ones_like(b), b), x, None,
            draw("ln b", (3,)))
    w.apply("layer_norm", "equal", "normalized=[3]", lambda x: F.layer_norm(x, (3,)), f64([[2, 2, 2], [1, 2, 4]]))
    w.apply("layer_norm", "one", "normalized=[1]", lambda x: F.layer_norm(x, (1,)), f64([[2], [5]]))
    w.apply("layer_norm", "no_rows", "normalized=[3]", lambda x: F.layer_norm(x, (3,)), f64([]).reshape(0, 3))
    w.apply("layer_norm", "nan", "normalized=[3]", lambda x: F.layer_norm(x, (3,)), f64([[1, NAN, 2], [1, 2, 4]]),
            order=0)
    w.apply("rms_norm", "plain", "normalized=[3]", lambda x: F.rms_norm(x, (3,)), x)
    w.apply("rms_norm", "zeros", "normalized=[3] eps=0.25", lambda x: F.rms_norm(x, (3,), eps=0.25),
            f64([[0, 0, 0], [1, 2, 3]]))
    w.apply("rms_norm", "no_rows", "normalized=[3]", lambda x: F.rms_norm(x, (3,)), f64([]).reshape(0, 3))


def channels(w):
    shapes = (("rank2", (3, 2)), ("rank3", (2, 2, 3)), ("rank4", (2, 2, 2, 2)), ("rank5", (2, 2, 1, 2, 2)))
    for name, shape in shapes:
        x, c = shuffled("batch_norm", shape), shape[1]
        weight, bias = draw("bn weight", (c,)), draw("bn bias", (c,))
        mean, var = draw("bn mean", (c,)), draw("bn var", (c,), 0.5, 2)

        def tracked(function):
            """With the updated running statistics as further results, which have no gradient."""
            def run(x, mean, var, w, b):
                mean, var = mean.detach().clone(), var.detach().clone()
                y = function(x, mean, var, w, b)
                return y, mean, var
            return run
        trained = lambda m: tracked(lambda x, mean, var, w, b: F.batch_norm(x, mean, var, w, b, True, m))
        w.apply("batch_norm", name, "training=true", lambda x, m, v, w, b: F.batch_norm(x, None, None, w, b, True), x,
                None, None, weight, bias)
        w.apply("batch_norm", name + "_running", "training=true", trained(0.1), x, mean, var, weight, bias,
                single=name == "rank3")
        w.apply("batch_norm", name + "_evaluated", None,
                lambda x, m, v, w, b: F.batch_norm(x, m.detach(), v.detach(), w, b), x, mean, var, weight, bias)
        if name == "rank4":
            w.apply("batch_norm", "momentum", "training=true momentum=0.5", trained(0.5), x, mean, var, None, None)
            w.apply("batch_norm", "momentum_one", "training=true momentum=1", trained(1.0), x, mean, var, None, None,
                    single=False)
            w.apply("batch_norm", "momentum_zero", "training=true momentum=0", trained(0.0), x, mean, var, None, None,
                    single=False)
            w.apply("batch_norm", "eps", "training=true eps=0.5",
                    lambda x: F.batch_norm(x, None, None, None, None, True, eps=0.5), x)
            w.apply("batch_norm", "weight_alone", "training=true",
                    lambda x, m, v, w: F.batch_norm(x, None, None, w, None, True), x, None, None, weight)
            w.apply("batch_norm", "bias_alone", "training=true",
                    lambda x, m, v, w, b: F.batch_norm(x, None, None, torch.ones_like(b), b, True), x, None, None, None,
                    bias)
            w.apply("batch_norm", "evaluated_plain", "eps=0.125",
                    lambda x, m, v: F.batch_norm(x, m.detach(), v.detach(), eps=0.125), x, mean, var)
            w.apply("batch_norm", "equal", "training=true", lambda x: F.batch_norm(x, None, None, training=True),
                    f64([[[2, 2], [1, 3]], [[2, 2], [5, 3]]]))
            w.apply("batch_norm", "far_off", "training=true", lambda x: F.batch_norm(x, None, None, training=True),
                    1000 + x, single=False)
        if name != "rank2":
            w.apply("instance_norm", name, None, lambda x, m, v, w, b: F.instance_norm(x, None, None, w, b), x, None, None,
                    weight, bias)
            w.apply("instance_norm", name + "_running", "momentum=0.25",
                    tracked(lambda x, mean, var, w, b: F.instance_norm(x, mean, var, w, b, True, 0.25)), x, mean, var, weight,
                    bias, single=name == "rank4")
            w.apply("instance_norm", name + "_evaluated", "training=false eps=0.125",
                    lambda x, m, v, w, b: F.instance_norm(x, m.detach(), v.detach(), w, b, False, eps=0.125), x, mean, var,
                    weight, bias, single=False)
    w.apply("instance_norm", "plain", "eps=0.25", lambda x: F.instance_norm(x, eps=0.25), shuffled("in", (1, 3, 4)))
    for name, shape, groups in (("two", (2, 4, 3), 2), ("one", (2, 4, 2), 1), ("each", (2, 2, 3), 2),
                                ("rank2", (2, 6), 2), ("rank4", (2, 4, 1, 2), 2), ("rank2_one", (3, 4), 1)):
        c = shape[1]
        x = shuffled("group_norm", shape)
        w.apply("group_norm", name, f"groups={groups}", lambda x, w, b, g=groups: F.group_norm(x, g, w, b), x,
                draw("gn weight", (c,)), draw("gn bias", (c,)))
        w.apply("group_norm", name + "_plain", f"groups={groups} eps=0.5",
                lambda x, g=groups: F.group_norm(x, g, eps=0.5), x, single=False)


def weight_norm(v, g, axis):
    """As torch._weight_norm, whose second derivative is another one than that of its formula."""
    y = v * (g / torch.norm_except_dim(v, 2, axis))
    assert torch.allclose(y, torch._weight_norm(v, g, axis))
    return y


def lengths(w):
    x = shuffled("normalize", (2, 4))
    for name, p in (("2", 2.0), ("1", 1.0), ("3", 3.0), ("1.5", 1.5), ("inf", INF), ("0", 0.0)):
        for axis in (1, 0, -1):
            w.apply("normalize", f"p{name}_axis{axis}", f"p={name} axis={axis}",
                    lambda x, p=p, a=axis: F.normalize(x, p, a), x + 0.125, single=axis == 1)
        # The second derivative at 0 is infinite for p = 1.5, and NaN in PyTorch.
        w.apply("normalize", f"p{name}_zero", f"p={name}", lambda x, p=p: F.normalize(x, p), x, order=1)
    w.apply("normalize", "default", None, lambda x: F.normalize(x), shuffled("normalize", (2, 2, 2)))
    w.apply("normalize", "vector", "axis=0", lambda x: F.normalize(x, dim=0), f64([3, 4]))
    w.apply("normalize", "short", "eps=10", lambda x: F.normalize(x, eps=10), f64([[3, 4], [6, 8], [30, 40]]))
    w.apply("normalize", "zeros", None, lambda x: F.normalize(x), f64([[0, 0], [0, 2]]), order=1)
    w.apply("normalize", "empty", None, lambda x: F.normalize(x), f64([]).reshape(0, 2))
    w.apply("normalize", "inf_ties", "p=inf", lambda x: F.normalize(x, INF), f64([[2, -2, 1], [1, 1, 1]]), order=1)
    for name, shape, size in (("three", (2, 4, 2), 3), ("two", (1, 4, 2), 2), ("one", (1, 3, 2), 1),
                              ("wide", (1, 3, 1, 2), 7), ("even", (1, 5, 1), 4)):
        x = draw("local_response_norm", shape)
        w.apply("local_response_norm", name, f"size={size}", lambda x, s=size: F.local_response_norm(x, s), x)
        w.apply("local_response_norm", name + "_strong", f"size={size} alpha=0.5 beta=0.5 k=2",
                lambda x, s=size: F.local_response_norm(x, s, 0.5, 0.5, 2), x, single=False)
    for axis in (0, 1, 2):
        g = [1, 1, 1]
        g[axis] = (2, 3, 2)[axis]
        w.apply("weight_norm", f"axis{axis}", f"axis={axis}", lambda v, g, a=axis: weight_norm(v, g, a),
                shuffled("weight_norm", (2, 3, 2)), draw("weight_norm g", g))
    w.apply("weight_norm", "default", None, lambda v, g: weight_norm(v, g, 0), shuffled("weight_norm", (3, 2)),
            draw("weight_norm g", (3, 1)))


def normalisation(w):
    layers(w)
    channels(w)
    lengths(w)


# ---- distances ---------------------------------------------------------------------------------------------------------

NORMS = (("2", 2.0), ("1", 1.0), ("3", 3.0), ("1.5", 1.5), ("inf", INF), ("0", 0.0))


def distances(w):
    a, b = shuffled("distance a", (3, 4)), draw("distance b", (3, 4))
    for axis in (0, 1, -1):
        w.apply("cosine_similarity", f"axis{axis}", f"axis={axis}",
                lambda a, b, d=axis: F.cosine_similarity(a, b, d), a, b)
    w.apply("cosine_similarity", "default", None, lambda a, b: F.cosine_similarity(a, b), a, b)
    w.apply("cosine_similarity", "broadcast", "axis=2", lambda a, b: F.cosine_similarity(a, b, 2), a[:2, None, :], b)
    w.apply("cosine_similarity", "vector", "axis=0", lambda a, b: F.cosine_similarity(a, b, 0), a[0], b[0])
    w.apply("cosine_similarity", "short", "eps=10", lambda a, b: F.cosine_similarity(a, b, 1, 10),
            f64([[1, 2], [30, 4]]), f64([[-3, 1], [20, -20]]), order=1)
    w.apply("cosine_similarity", "zeros", None, lambda a, b: F.cosine_similarity(a, b), f64([[0, 0], [1, 2]]),
            f64([[1, 2], [3, -4]]), order=1)
    w.apply("cosine_similarity", "empty", None, lambda a, b: F.cosine_similarity(a, b), f64([]).reshape(0, 2),
            f64([]).reshape(0, 2))
    for name, p in NORMS:
        order = 1 if p in (0, INF) else 2
        w.apply("pairwise_distance", f"p{name}", f"p={name}", lambda a, b, p=p: F.pairwise_distance(a, b, p), a, b,
                order=0 if p == 0 else order)
        w.apply("pairwise_distance", f"p{name}_keep", f"p={name} keepdim=true eps=0.125",
                lambda a, b, p=p: F.pairwise_distance(a, b, p, 0.125, True), a, b, order=0 if p == 0 else order, single=False)
    w.apply("pairwise_distance", "default", None, lambda a, b: F.pairwise_distance(a, b), a, b)
    w.apply("pairwise_distance", "broadcast", None, lambda a, b: F.pairwise_distance(a, b), a, b[0])
    w.apply("pairwise_distance", "vector", None, lambda a, b: F.pairwise_distance(a, b), a[0], b[0])
    w.apply("pairwise_distance", "same", "eps=0", lambda a, b: F.pairwise_distance(a, b, eps=0), a[:2], a[:2].clone(),
            order=1)
    exact = "donot_use_mm_for_euclid_dist"
    for name, p in NORMS:
        order = 0 if p == 0 else 1 if p == INF else 2
        c = draw("distance c", (2, 4), decimals=3)
        w.apply("cdist", f"p{name}", f"p={name}", lambda a, b, p=p: torch.cdist(a, b, p, exact), a, c, order=min(order, 1))
        w.apply("cdist", f"p{name}_batch", f"p={name}", lambda a, b, p=p: torch.cdist(a, b, p, exact),
                draw("cdist batch", (2, 1, 2, 3), decimals=3), draw("cdist batch b", (3, 1, 3), decimals=3),
                order=min(order, 1), single=False)
        # PyTorch's own rule is not differentiable again: norms of differences are.
        if order == 2:
            w.apply("cdist", f"p{name}_twice", f"p={name}",
                    lambda a, b, p=p: torch.linalg.vector_norm(a[:, None] - b[None], p, -1), a, c, single=False)
        w.apply("pdist", f"p{name}", f"p={name}", lambda x, p=p: F.pdist(x, p), draw("pdist", (4, 3), decimals=3),
                order=min(order, 1))
    same = f64([[1, 2], [1, 2], [0, 2]])
    for name, p in NORMS:
        w.apply("cdist", f"p{name}_same", f"p={name}", lambda a, b, p=p: torch.cdist(a, b, p, exact), same, same[:2] + 0,
                order=0 if p == 0 else 1, single=False)
    w.apply("cdist", "inf_ties", "p=inf", lambda a, b: torch.cdist(a, b, INF), f64([[1, 2, 0]]), f64([[0, 1, 1], [0, 5, 0]]),
            order=1)
    w.apply("cdist", "default", None, lambda a, b: torch.cdist(a, b), a, b, order=1)
    w.apply("cdist", "no_rows", None, lambda a, b: torch.cdist(a, b), f64([]).reshape(0, 3), draw("cdist", (2, 3)), order=0)
    w.apply("cdist", "no_coordinates", None, lambda a, b: torch.cdist(a, b), f64([]).reshape(2, 0), f64([]).reshape(1, 0),
            order=0)
    w.apply("cdist", "nan", None, lambda a, b: torch.cdist(a, b), f64([[NAN, 1], [2, 1]]), f64([[0, 1]]), order=0)
    w.apply("pdist", "default", None, lambda x: F.pdist(x), draw("pdist", (3, 2)), order=1)
    w.apply("pdist", "one_row", None, lambda x: F.pdist(x), f64([[1, 2]]), order=0)


# ---- Fourier transforms: a complex number is a last axis of 2 --------------------------------------------------------------


def complex_in(function):
    return lambda x: function(torch.view_as_complex(x.contiguous()))


def complex_out(function):
    return lambda x: torch.view_as_real(function(x).resolve_conj())


def both_complex(function):
    return complex_out(complex_in(function))


FORMS = {"fft": (torch.fft.fft, True, both_complex), "ifft": (torch.fft.ifft, True, both_complex),
         "rfft": (torch.fft.rfft, False, complex_out), "irfft": (torch.fft.irfft, True, complex_in)}


def one_axis(w):
    for op, (function, is_complex, wrap) in FORMS.items():
        two = (2,) if is_complex else ()
        for n in (1, 2, 3, 4, 5, 7, 8, 11, 13):
            extent = n // 2 + 1 if op == "irfft" else n
            w.apply(op, f"length{n}", f"n={n}", wrap(lambda x, f=function, n=n: f(x, n)), draw("fft", (extent,) + two),
                    order=2 if n < 5 else 1, single=n in (4, 11))
        for norm in ("ortho", "forward"):
            for n in (4, 5):
                extent = n // 2 + 1 if op == "irfft" else n
                w.apply(op, f"{norm}{n}", f"norm={norm} n={n}", wrap(lambda x, f=function, m=norm, n=n: f(x, n, norm=m)),
                        draw("fft", (extent,) + two), single=False)
        for name, shape, axis in (("first", (4, 2), 0), ("middle", (2, 3, 2), 1), ("negative", (2, 3, 2), -2),
                                  ("last", (2, 3), -1)):
            w.apply(op, name, f"axis={axis}", wrap(lambda x, f=function, a=axis: f(x, dim=a)), draw("fft", shape + two),
                    single=False)
        x = draw("fft", (2, 4) + two)
        for n in (2, 5, 7):
            w.apply(op, f"resized{n}", f"n={n}", wrap(lambda x, f=function, n=n: f(x, n)), x, single=False)
        w.apply(op, "default", None, wrap(lambda x, f=function: f(x)), x)
        w.apply(op, "nan", None, wrap(lambda x, f=function: f(x)), torch.cat([x, x * NAN]), order=0)


def frequencies(w):
    many = {"fftn": (torch.fft.fftn, (2,), both_complex), "ifftn": (torch.fft.ifftn, (2,), both_complex),
            "rfftn": (torch.fft.rfftn, (), complex_out), "irfftn": (torch.fft.irfftn, (2,), complex_in)}
    for op, (function, two, wrap) in many.items():
        x = draw("fftn", (2, 3, 4) + two)
        call = lambda *a, f=function, wrap=wrap: wrap(lambda x: f(x, *a))
        w.apply(op, "all", None, call(), x)
        w.apply(op, "axes", "axes=[0, 1]", call(None, (0, 1)), x, single=False)
        w.apply(op, "axes_turned", "axes=[-1, 0] norm=ortho", call(None, (-1, 0), "ortho"), x, single=False)
        w.apply(op, "one_axis", "axes=[1] norm=forward", call(None, (1,), "forward"), x, single=False)
        w.apply(op, "lengths", "lengths=[4, 2]", call((4, 2)), x, single=False)
        w.apply(op, "lengths_axes", "lengths=[-1, 5] axes=[0, 1]", call((-1, 5), (0, 1)), x, single=False)
        w.apply(op, "lengths_all", "lengths=[1, 2, 3]", call((1, 2, 3)), x, single=False)
    x = draw("fft2", (2, 2, 3, 2))
    for norm in ("backward", "ortho", "forward"):
        w.apply("fft2", norm, f"norm={norm}", both_complex(lambda x, m=norm: torch.fft.fft2(x, norm=m)), x)
        w.apply("ifft2", norm, f"norm={norm}", both_complex(lambda x, m=norm: torch.fft.ifft2(x, norm=m)), x)
    for n in (1, 2, 5, 8):
        for op, function in (("fftfreq", torch.fft.fftfreq), ("rfftfreq", torch.fft.rfftfreq)):
            w.apply(op, f"{n}", f"n={n} d=0.25 dtype=f64", lambda f=function, n=n: f(n, 0.25, dtype=torch.float64), order=0,
                    single=False)
    for op, function in (("fftshift", torch.fft.fftshift), ("ifftshift", torch.fft.ifftshift)):
        x = draw("fftshift", (3, 4, 5))
        w.apply(op, "all", None, lambda x, f=function: f(x), x, single=False)
        w.apply(op, "one", "axes=[-1]", lambda x, f=function: f(x, -1), x[0], single=False)
        w.apply(op, "two", "axes=[0, -1]", lambda x, f=function: f(x, (0, -1)), x, single=False)
        w.apply(op, "integers", None, lambda x, f=function: f(x), i64([1, 2, 3, 4, 5]), order=0, single=False)
        w.apply(op, "empty", None, lambda x, f=function: f(x), x[:0], single=False)


def complex_numbers(w):
    a, b = draw("complex a", (3, 2)), draw("complex b", (3, 2))
    w.apply("complex", "both", None, lambda a, b: torch.view_as_real(torch.complex(a, b)), a, b)
    w.apply("complex", "real", None, lambda a: torch.view_as_real(torch.complex(a, torch.zeros_like(a))), a)
    w.apply("real", "plain", None, complex_in(lambda z: z.real), a)
    w.apply("imag", "plain", None, complex_in(lambda z: z.imag), a)
    w.apply("conj", "plain", None, both_complex(lambda z: z.conj().resolve_conj()), a)
    product = lambda a, b: torch.view_as_real(torch.view_as_complex(a.contiguous()) * torch.view_as_complex(b.contiguous()))
    w.apply("complex_mul", "plain", None, product, a, b)
    w.apply("complex_mul", "broadcast", None, product, a[:, None], b[:2])


def fourier(w):
    one_axis(w)
    frequencies(w)
    complex_numbers(w)
    short_time(w)


# ---- attention, embeddings -------------------------------------------------------------------------------------------------


def attention(q, k, v, mask=None, causal=False, scale=None, grouped=False):
    """PyTorch's formula written out: its own is not differentiable again on every path. Both must agree."""
    y = F.scaled_dot_product_attention(q, k, v, mask, 0.0, causal, scale=scale, enable_gqa=grouped)
    if grouped:
        k, v = (x.repeat_interleave(q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    s = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if causal:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool).tril()
    if mask is not None:
        s = s.masked_fill(~mask, -INF) if mask.dtype == torch.bool else s + mask
    nothing = (s == -INF).all(-1, keepdim=True)
    p = torch.softmax(s.masked_fill(nothing, 0), -1).masked_fill(nothing, 0)
    assert torch.allclose(p @ v, y)
    return p @ v


def attentions(w):
    op = "scaled_dot_product_attention"
    q, k, v = draw("q", (2, 3, 4)), draw("k", (2, 2, 4)), draw("v", (2, 2, 3))
    seen = boolean([[True, False], [True, True], [False, False]])
    bias = draw("attention bias", (3, 2))
    w.apply(op, "plain", None, attention, q, k, v)
    w.apply(op, "causal", "causal=true", lambda q, k, v: attention(q, k, v, causal=True), q, k, v)
    w.apply(op, "causal_long", "causal=true", lambda q, k, v: attention(q, k, v, causal=True), q[:, :2], draw("k", (2, 4, 4)),
            draw("v", (2, 4, 1)), single=False)
    w.apply(op, "scale", "scale=0.25", lambda q, k, v: attention(q, k, v, scale=0.25), q, k, v, single=False)
    w.apply(op, "mask", None, lambda q, k, v, m: attention(q, k, v, m), q, k, v, seen)
    w.apply(op, "mask_batch", None, lambda q, k, v, m: attention(q, k, v, m), q, k, v,
            torch.stack([seen, ~seen]), single=False)
    w.apply(op, "mask_keys", None, lambda q, k, v, m: attention(q, k, v, m), q, k, v, boolean([[True, False]]), single=False)
    w.apply(op, "bias", None, lambda q, k, v, m: attention(q, k, v, m), q, k, v, bias)
    w.apply(op, "bias_batch", None, lambda q, k, v, m: attention(q, k, v, m), q, k, v, draw("bias", (2, 1, 2)), single=False)
    w.apply(op, "bias_nothing", None, lambda q, k, v, m: attention(q, k, v, m), q, k, v,
            torch.where(seen, bias, -INF), order=1)
    w.apply(op, "matrix", None, attention, q[0], k[0], v[0])
    w.apply(op, "heads", None, attention, draw("q heads", (1, 2, 2, 3)), draw("k heads", (1, 2, 3, 3)),
            draw("v heads", (1, 2, 3, 2)), single=False)
    w.apply(op, "broadcast", None, attention, q, k[0], v[0], single=False)
    w.apply(op, "broadcast_queries", None, attention, q[0], k, v, single=False)
    for name, heads in (("four_two", (4, 2)), ("two_one", (2, 1)), ("same", (2, 2))):
        w.apply(op, f"grouped_{name}", "grouped=true", lambda q, k, v: attention(q, k, v, grouped=True),
                draw("q grouped", (1, heads[0], 2, 3)), draw("k grouped", (1, heads[1], 2, 3)),
                draw("v grouped", (1, heads[1], 2, 2)), single=name == "four_two")
    w.apply(op, "grouped_mask", "grouped=true", lambda q, k, v, m: attention(q, k, v, m, grouped=True),
            draw("q grouped", (1, 4, 2, 2)), draw("k grouped", (1, 2, 3, 2)), draw("v grouped", (1, 2, 3, 1)),
            draw("m grouped", (4, 2, 3)), single=False)
    w.apply(op, "one_key", None, attention, q, k[:, :1], v[:, :1], single=False)
    w.apply(op, "large", None, attention, 30 * q, 30 * k, v, order=1, single=False)
    w.apply(op, "no_queries", None, lambda q, k, v: attention(q, k, v), q[:, :0], k, v, single=False)
    w.apply(op, "nan", None, lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
            torch.cat([q[:, :2], q[:, :1] * NAN], 1), k, v, order=0)
    x = draw("dropout", (2, 3, 2))
    for op, function in (("feature_dropout", F.dropout1d), ("alpha_dropout", F.alpha_dropout),
                         ("feature_alpha_dropout", F.feature_alpha_dropout)):
        w.apply(op, "evaluated", "p=0.5", lambda x, f=function: f(x, 0.5, False), x, single=False)
        w.apply(op, "nothing", "p=0 training=true", lambda x, f=function: f(x, 0, True), x, single=False)
        w.apply(op, "all", "p=1 training=true", lambda x, f=function: f(x, 1, True), x, order=1, single=False)


def embeddings(w):
    weight = shuffled("embedding", (5, 3))
    for name, index in (("matrix", i64([[2, 0, 1], [4, 2, 2]])), ("vector", i32([3, 3])), ("scalar", i64(1)),
                        ("none", i64([]).reshape(2, 0)), ("rank3", i64([[[0], [1]], [[1], [4]]]))):
        w.apply("embedding", name, None, lambda i, x: F.embedding(i, x), index, weight)
        for padding in (1, -3):
            w.apply("embedding", f"{name}_padding{padding}", f"padding={padding}",
                    lambda i, x, p=padding: F.embedding(i, x, p), index, weight, single=False, order=1)
    flat, matrix = i64([2, 0, 2, 1, 4, 0, 2]), i64([[2, 0, 2], [4, 4, 1]])
    offsets, last = i64([0, 3, 3, 5]), i64([0, 2, 6, 7])
    for mode in ("mean", "sum", "max"):
        order = 1 if mode == "max" else 2
        bag = lambda i, x, o=None, m=mode, **more: F.embedding_bag(i, x, o, mode=m, **more)
        text = f"mode={mode}"
        w.apply("embedding_bag", f"{mode}_matrix", text, bag, matrix, weight, order=order)
        w.apply("embedding_bag", f"{mode}_offsets", text, bag, flat, weight, offsets, order=order)
        w.apply("embedding_bag", f"{mode}_i32", text, bag, flat.int(), weight, offsets.int(), order=order, single=False)
        w.apply("embedding_bag", f"{mode}_last", text + " include_last_offset=true",
                lambda i, x, o, b=bag: b(i, x, o, include_last_offset=True), flat, weight, last, order=order, single=False)
        for padding in (2, -5):
            w.apply("embedding_bag", f"{mode}_padding{padding}", text + f" padding={padding}",
                    lambda i, x, o, p=padding, b=bag: b(i, x, o, padding_idx=p), flat, weight, offsets, order=1, single=False)
            w.apply("embedding_bag", f"{mode}_matrix_padding{padding}", text + f" padding={padding}",
                    lambda i, x, p=padding, b=bag: b(i, x, padding_idx=p), matrix, weight, order=1, single=False)
        w.apply("embedding_bag", f"{mode}_empty", text, bag, i64([]), weight, i64([0, 0]), order=0, single=False)
    w.apply("embedding_bag", "default", None, lambda i, x: F.embedding_bag(i, x), matrix, weight, single=False)
    w.apply("embedding_bag", "max_ties", "mode=max", lambda i, x: F.embedding_bag(i, x, mode="max"), matrix,
            f64([[1, 2], [3, 1], [3, 2], [0, 0], [3, -1]]), order=1)
    for name, index, more, text in (("matrix", matrix, {}, ""), ("offsets", flat, {"offsets": offsets}, ""),
                                    ("padding", flat, {"offsets": offsets, "padding_idx": 2}, " padding=2")):
        parts = list(more.values())[:1]
        w.apply("embedding_bag", f"weights_{name}", "mode=sum" + text,
                lambda i, x, o, p, more=more: F.embedding_bag(i, x, mode="sum", per_sample_weights=p, **more), index, weight,
                parts[0] if parts else None, draw("bag weights", index.shape), order=1)


def attention_and_embeddings(w):
    attentions(w)
    embeddings(w)


# ---- connectionist temporal classification ---------------------------------------------------------------------------------


def ctc(log_prob, target, inputs, lengths, blank=0, reduction="mean", zero_infinity=False):
    """The forward recursion in PyTorch's own ops: F.ctc_loss gives log_softmax's gradient with its own and none of second
    order. Its values, and its gradients of logits, must agree."""
    batch = log_prob.dim() == 3
    x = log_prob if batch else log_prob[:, None]
    inputs, lengths = inputs.reshape(-1), lengths.reshape(-1)
    least = torch.finfo(torch.float64).min / 4
    total, start = [], 0
    for i in range(x.shape[1]):
        n, labels = int(lengths[i]), target if not batch else target[i] if target.dim() == 2 else target[start:]
        start += n
        states = [blank]
        for k in range(n):
            states += [int(labels[k]), blank]
        if int(inputs[i]) == 0:
            total.append(x.sum() * 0 + (0.0 if n == 0 or zero_infinity else INF))
            continue
        minus = x.new_full((), least)
        alpha = [x[0, i, c] if s < 2 else minus for s, c in enumerate(states)]
        for t in range(1, int(inputs[i])):
            before = alpha
            alpha = []
            for s, c in enumerate(states):
                ways = [before[s]] + ([before[s - 1]] if s > 0 else [])
                if s > 2 and s % 2 and states[s] != states[s - 2]:
                    ways.append(before[s - 2])
                alpha.append(torch.logsumexp(torch.stack(ways), 0) + x[t, i, c])
        loss = -torch.logsumexp(torch.stack(alpha[-2:]), 0)
        impossible = float(loss.detach()) > 1e100
        total.append(loss.detach() * 0 + (0.0 if zero_infinity else INF) + x.sum() * 0 if impossible else loss)
    loss = torch.stack(total)
    if reduction == "mean":
        loss = (loss / lengths.clamp(min=1)).mean()
    elif reduction == "sum":
        loss = loss.sum()
    elif not batch:
        loss = loss[0]
    return loss


def ctc_checked(log_prob, target, inputs, lengths, **more):
    ours = lambda z: ctc(z.log_softmax(-1), target, inputs, lengths, **more)
    theirs = lambda z: F.ctc_loss(z.log_softmax(-1), target, inputs, lengths, **more)
    z = log_prob.detach().clone().requires_grad_()
    a, b = ours(z), theirs(z)
    assert torch.allclose(a.detach(), b.detach()), (a, b)
    if torch.isfinite(a).all():
        (p,), (q,) = torch.autograd.grad(a.sum(), z), torch.autograd.grad(b.sum(), z)
        assert torch.allclose(p, q), (p, q)
    return ctc(log_prob, target, inputs, lengths, **more)


def temporal(w):
    logits = draw("ctc", (5, 2, 4))
    x = torch.round(logits.log_softmax(-1), decimals=3)
    matrix, joined = i64([[1, 2, 3], [2, 2, 1]]), i64([1, 2, 3, 2, 2])
    inputs, lengths = i64([5, 4]), i64([3, 2])

    def case(name, text, x, target, inputs, lengths, order=2, single=True, **more):
        w.apply("ctc_loss", name, text, lambda x, t, i, l: ctc_checked(x, t, i, l, **more), x, target, inputs, lengths,
                order=order, single=single)
    for reduction in ("mean", "sum", "none"):
        text = f"reduction={reduction}"
        case(f"matrix_{reduction}", text, x, matrix, inputs, lengths, reduction=reduction)
        case(f"joined_{reduction}", text, x, joined, inputs, lengths, reduction=reduction, single=False)
        case(f"single_{reduction}", text, x[:, 0], matrix[0], i64(5), i64(3), reduction=reduction, single=False)
    case("default", None, x, matrix, inputs, lengths)
    case("i32", None, x, matrix.int(), inputs.int(), lengths.int(), single=False)
    case("blank", "blank=3", x, i64([[1, 2, 0], [0, 2, 0]]), inputs, lengths, blank=3)
    case("repeated", None, x, i64([[1, 1, 1], [2, 2, 2]]), i64([5, 5]), i64([3, 2]), single=False)
    case("filled", None, x, i64([[1, 2, 3], [2, -1, 99]]), inputs, i64([3, 1]), single=False)
    case("no_labels", None, x, matrix, inputs, i64([3, 0]))
    case("none_at_all", None, x, matrix[:, :0], inputs, i64([0, 0]), single=False)
    case("one_step", None, x[:1], matrix[:, :1], i64([1, 1]), i64([1, 1]), single=False)
    case("exact", None, x, i64([[1, 2, 1, 3, 2], [1, 1, 2, 0, 0]]), i64([5, 4]), i64([5, 3]), order=1,
         single=False)  # one way alone: linear
    case("too_short", "reduction=none", x, i64([[1, 2, 3], [2, 2, 2]]), inputs, i64([3, 3]), order=0, reduction="none")
    case("zero_infinity", "reduction=none zero_infinity=true", x, i64([[1, 2, 3], [2, 2, 2]]), inputs, i64([3, 3]),
         reduction="none", zero_infinity=True)
    case("zero_infinity_mean", "zero_infinity=true", x, i64([[1, 2, 3], [2, 2, 2]]), inputs, i64([3, 3]),
         single=False, zero_infinity=True)
    case("no_input", "reduction=none", x, matrix, i64([0, 0]), i64([0, 1]), order=0, reduction="none")
    case("large", None, 50 * x, matrix, inputs, lengths, order=1, single=False)
    case("longer", "reduction=sum", draw("ctc longer", (12, 1, 3)), i64([[1, 2, 1, 1]]), i64([11]), i64([4]), reduction="sum",
         order=1)


def short_time(w):
    """The window is a constant of torch.istft's check, but has gradients."""
    x, window = draw("stft", (2, 7)), draw("stft window", (4,), 0.5, 1.5)
    real = torch.view_as_real
    for name, text, n, hop, more in (("plain", "n=4", 4, 1, {}), ("hop", "n=4 hop=3", 4, 3, {}), ("odd", "n=5 hop=2", 5, 2, {}),
                                     ("aligned", "n=4 hop=2 aligned=true", 4, 2, {"center": False}),
                                     ("ortho", "n=4 hop=2 ortho=true", 4, 2, {"normalized": True}),
                                     ("two_sided", "n=4 hop=2 two_sided=true", 4, 2, {"onesided": False})):
        single = name == "hop"
        plain = lambda x, n=n, hop=hop, more=more: real(torch.stft(x, n, hop, window=torch.ones(n, dtype=x.dtype),
                                                                  return_complex=True, **more))
        w.apply("stft", name, text, plain, x, single=single)
        if single:
            w.apply("stft", name + "_vector", text, plain, x[0], single=False)
        w.apply("stft", name + "_window", text, lambda x, v, n=n, hop=hop, more=more: real(
            torch.stft(x, n, hop, 4, v, return_complex=True, **more)), x[0], window, single=False)
        if name == "hop":
            continue  # leaves samples that no window covers twice
        spectrum = plain(x)
        back = lambda z, v, length, n=n, hop=hop, more=more: torch.istft(torch.view_as_complex(z.contiguous()), n, hop, 4, v,
                                                                        length=length, **more)
        w.apply("istft", name + "_window", text, lambda z, v, f=back: f(z, v, None), spectrum, window, order=1,
                single=name == "plain")
        w.apply("istft", name + "_length", text + " length=5", lambda z, v, f=back: f(z, v, 5), spectrum[0], window, order=1,
                single=False)
