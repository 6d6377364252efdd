"""Golden cases of losses: of two outcomes, of classes, of distributions, with margins. Where PyTorch cannot differentiate a
loss twice, or by its weights, the formula is written out here, and held against PyTorch's values and first gradients."""
import math

import torch
import torch.nn.functional as F

from golden_write import NAN, draw, f32, f64, i64

REDUCTIONS = ("mean", "sum", "none")
# The losses; other keys are their options.
LOSSES = {"smooth_l1", "bce_loss", "bce_weighted", "soft_margin", "multilabel_soft", "sigmoid_focal", "dice", "nll_weighted",
          "cross_entropy_weighted", "cross_entropy_weighted_smooth", "focal", "multi_margin", "multilabel_margin", "kl_div",
          "poisson", "gaussian", "hinge_embedding", "ranking", "cosine", "triplet"}


def reduced(losses, r):
    return {"mean": losses.mean, "sum": losses.sum, "none": lambda: losses}[r]()


def held(formula, reference):
    """The formula, which must have the reference's values and gradients by its first argument."""
    def run(*inputs):
        x = [i.detach().clone() if i is not None else None for i in inputs]
        x[0].requires_grad_()
        ours, theirs = formula(*x), reference(*x)
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True)
        if x[0].numel() > 0 and ours.isfinite().all():
            c = torch.linspace(0.5, 2, ours.numel(), dtype=ours.dtype).reshape(ours.shape)
            pair = [torch.autograd.grad(y, x[0], c, retain_graph=True)[0] for y in (ours, theirs)]
            torch.testing.assert_close(*pair, rtol=1e-9, atol=1e-9)
        return formula(*inputs)
    return run


def every(w, key, function, *inputs, name="plain", single=True, order=2, reductions=None):
    """Under each reduction, or, of a variant or with options, as the losses themselves; in f32, too."""
    for r in reductions or (REDUCTIONS if name == "plain" and key in LOSSES else ("none",)):
        reduce = lambda *x, r=r: function(*x, reduction=r)
        case = w.both if single and r == "none" else w.case
        case(f"{key}_{r}", name, reduce, *inputs, order=order)


def formula(losses, reference=None):
    """A loss with a reduction, from the losses themselves."""
    def run(*inputs, reduction):
        ours = lambda *x: reduced(losses(*x), reduction)
        return (held(ours, lambda *x: reference(*x, reduction=reduction)) if reference else ours)(*inputs)
    return run


def signs(name, shape):
    return torch.where(draw(name, shape) > 0, 1.0, -1.0).double()


# ---- two outcomes --------------------------------------------------------------------------------------------------------


def binary(w):
    x, y, z = draw("binary x", (2, 3)), draw("binary y", (2, 3), 0, 1), draw("binary z", (2, 3))
    for key, beta in (("smooth_l1", 1.0), ("smooth_l1_half", 0.5), ("smooth_l1_0", 0.0)):
        function = lambda x, y, reduction, b=beta: F.smooth_l1_loss(x, y, reduction=reduction, beta=b)
        every(w, key, function, x, z)
        every(w, key, function, f64([1, 1.5, 0.5, -0.5, 0, 0.75, -2]), f64([1, 0.5, 0, 0, 1, 0, 3]), name="kinks",
              single=False, order=1)

    p = draw("binary p", (2, 3), 0.05, 0.95)
    entropy = lambda p, y, weight: -(y * p.log() + (1 - y) * torch.log1p(-p)) * (1 if weight is None else weight)
    entropy = formula(entropy, lambda p, y, weight, reduction: F.binary_cross_entropy(p, y, weight, reduction=reduction))
    every(w, "bce_loss", entropy, p, y, None)
    every(w, "bce_loss", entropy, p, y, draw("bce weight", (3,), 0.5, 2), name="weight")
    every(w, "bce_loss", entropy, p, y, draw("bce weight", (2, 1), 0.5, 2), name="weight_rows", single=False)

    def ends(p, y, weight):
        """PyTorch's value and gradient by p, and the gradient by y of its formula: there PyTorch forgets to clamp."""
        q = p.detach()
        by_y = lambda y: y * (torch.log1p(-q).clamp(min=-100) - q.log().clamp(min=-100))
        return F.binary_cross_entropy(p, y.detach(), reduction="none") + by_y(y) - by_y(y.detach())
    for single in (f64, f32):
        name = ".f32" if single is f32 else ""
        w.case("bce_loss_none", "right_ends" + name, ends, single([0, 1, 0, 1]), single([0, 1, 0, 1]), None, order=1)
        w.case("bce_loss_none", "wrong_ends" + name, ends, single([0, 1, 1e-13, 1, 0]), single([1, 0, 0.25, 0.5, 0.5]),
               None, order=1)
        w.case("bce_loss_none", "far_ends" + name, ends, single([1e-20, 1e-36, 1, 0.25]), single([1, 1, 0, 1]), None,
               order=1)
    w.case("bce_loss_mean", "empty", lambda p, y, weight: F.binary_cross_entropy(p, y), f64([]), f64([]), None, order=0)

    logits = lambda x, y, weight, positive: (
        (y * F.softplus(-x, threshold=40) * (1 if positive is None else positive) + (1 - y) * F.softplus(x, threshold=40))
        * (1 if weight is None else weight))
    logits = formula(logits, lambda x, y, weight, positive, reduction: F.binary_cross_entropy_with_logits(
        x, y, weight, pos_weight=positive, reduction=reduction))
    rows, columns = draw("bce rows", (2, 1), 0.5, 2), draw("bce columns", (3,), 0.5, 2)
    every(w, "bce_weighted", logits, x, y, None, columns)
    every(w, "bce_weighted", logits, x, y, rows, None, name="weight", single=False)
    every(w, "bce_weighted", logits, x, y, rows, columns, name="both", single=False)

    soft = formula(lambda x, y: torch.log1p((-y * x).exp()), F.soft_margin_loss)
    every(w, "soft_margin", soft, x, signs("soft margin", (2, 3)))
    multilabel = lambda x, y, weight, reduction: F.multilabel_soft_margin_loss(x, y, weight, reduction=reduction)
    every(w, "multilabel_soft", multilabel, x, y, None)
    every(w, "multilabel_soft", multilabel, x, y, columns, name="weight", single=False)
    every(w, "multilabel_soft", multilabel, x[0], y[0], None, name="row", single=False)

    def focal(alpha, gamma):
        def losses(x, y):
            s = torch.sigmoid(x)
            right = s * y + (1 - s) * (1 - y)
            loss = F.binary_cross_entropy_with_logits(x, y, reduction="none") * (1 - right)**gamma
            return loss * (alpha * y + (1 - alpha) * (1 - y)) if alpha >= 0 else loss
        return formula(losses)
    for key, alpha, gamma in (("sigmoid_focal", 0.25, 2), ("sigmoid_focal_plain", -1, 0), ("sigmoid_focal_odd", 0.75, 1.5),
                              ("sigmoid_focal_one", -1, 1), ("sigmoid_focal_three", 0.0, 3)):
        every(w, key, focal(alpha, gamma), x, (y > 0.5).double(), single=key == "sigmoid_focal")
        w.case(f"{key}_none", "soft", lambda x, y, a=alpha, g=gamma: focal(a, g)(x, y, reduction="none"), x, y)

    def dice(x, y):
        x, y = (x[None], y[None]) if x.dim() == 1 else (x, y)
        loss = 1 - (2 * (x * y).flatten(1).sum(1) + 0.5) / ((x + y).flatten(1).sum(1) + 0.5)
        return loss if loss.shape[0] != 1 else loss[0]
    every(w, "dice", formula(dice), p, y)
    every(w, "dice", formula(dice), draw("dice", (2, 2, 2), 0, 1), draw("dice y", (2, 2, 2), 0, 1), name="image", single=False)
    every(w, "dice", formula(dice), p[0], y[0], name="vector", single=False)


# ---- classes -------------------------------------------------------------------------------------------------------------


def picked(x, y):
    """x at the classes y, as a row of losses each; ignored ones at class 0."""
    return x.gather(1, y.clamp(min=0).unsqueeze(1)).squeeze(1)


def classes(w):
    x, x3 = draw("weighted logits", (4, 3)), draw("weighted logits", (2, 3, 2))
    rows, some = i64([2, 0, 1, 2]), i64([2, -100, 1, -100])
    volume = i64([[0, 2], [-100, 1]])
    weight = f64([0.5, 2, 1.25])

    def mean_by_weight(losses, y, weight, r):
        losses = torch.where(y != -100, losses, 0)
        if r == "mean":
            return losses.sum() / torch.where(y != -100, weight[y.clamp(min=0)], 0).sum()
        return reduced(losses, r)

    def nll(x, y, weight, reduction):
        ours = lambda x, y, v: mean_by_weight(-picked(x, y) * v[y.clamp(min=0)], y, v, reduction)
        return held(ours, lambda x, y, v: F.nll_loss(x, y.long(), v, reduction=reduction))(x, y, weight)

    def entropy(smoothing):
        def run(x, y, weight, reduction):
            def ours(x, y, v):
                log = x.log_softmax(1)
                shape = [1, -1] + [1] * (x.dim() - 2)
                each = -picked(log, y) * v[y.clamp(min=0)] * (1 - smoothing)
                return mean_by_weight(each - (log * v.reshape(shape)).mean(1) * smoothing, y, v, reduction)
            theirs = lambda x, y, v: F.cross_entropy(x, y, v, reduction=reduction, label_smoothing=smoothing)
            return held(ours, theirs)(x, y, weight)
        return run
    for key, function in (("nll_weighted", nll), ("cross_entropy_weighted", entropy(0.0)),
                          ("cross_entropy_weighted_smooth", entropy(0.2))):
        every(w, key, function, x, rows, weight, single=True)
        every(w, key, function, x, some, weight, name="ignored", single=False, reductions=REDUCTIONS)
        every(w, key, function, x3, volume, weight, name="volume", single=False, reductions=("mean", "none"))
        w.case(f"{key}_mean", "all_ignored", lambda x, y, v, f=function: f(x, y, v, reduction="mean"), x[:1], i64([-100]),
               weight, order=0)
        if not key.endswith("smooth"):
            w.case(f"{key}_mean", "zero_weights", lambda x, y, v, f=function: f(x, y, v, reduction="mean"), x[:1], i64([1]),
                   f64([1, 0, 1]), order=0)
    shares = draw("weighted shares", (4, 3), 0, 1)
    for key, smoothing in (("cross_entropy_weighted", 0.0), ("cross_entropy_weighted_smooth", 0.2)):
        losses = lambda x, y, v, s=smoothing: -(x.log_softmax(1) * (y * (1 - s) + s / 3) * v).sum(1)
        theirs = lambda x, y, v, reduction, s=smoothing: F.cross_entropy(x, y, v, reduction=reduction, label_smoothing=s)
        every(w, key, formula(losses, theirs), x, shares, weight, name="probabilities", single=False)

    def focal(gamma):
        def run(x, y, alpha, reduction):
            log = picked(x.log_softmax(1), y)
            loss = -(1 - log.exp())**gamma * log * (1 if alpha is None else alpha[y.clamp(min=0)])
            loss = torch.where(y != -100, loss, 0)
            return loss.sum() / (y != -100).sum() if reduction == "mean" else reduced(loss, reduction)
        return run
    every(w, "focal", focal(2), x, rows, None)
    every(w, "focal", focal(2), x3, volume, None, name="volume", single=False, reductions=("mean", "none"))
    every(w, "focal", focal(2), x, some, weight, name="alpha", single=False)
    every(w, "focal_odd", focal(0.5), x, rows, weight, single=False)
    every(w, "focal_0", focal(0), x, some, None, single=False)

    def multi_margin(p, margin):
        def losses(x, y, v):
            x, y = (x[None], y[None]) if x.dim() == 1 else (x, y)
            terms = (margin - x.gather(1, y[:, None]) + x).clamp(min=0)**p
            terms = torch.where(F.one_hot(y, x.shape[1]) == 1, 0, terms)
            loss = terms.sum(1) / x.shape[1] * (1 if v is None else v[y])
            return loss
        def run(x, y, v, reduction):
            ours = lambda x, y, v: reduced(losses(x, y, v) if x.dim() == 2 else losses(x, y, v)[0], reduction)
            theirs = lambda x, y, v: F.multi_margin_loss(x, y, p=p, margin=margin, weight=v, reduction=reduction)
            return held(ours, theirs)(x, y, v)
        return run
    every(w, "multi_margin", multi_margin(1, 1.0), x, rows, None)
    every(w, "multi_margin", multi_margin(1, 1.0), x, rows, weight, name="weight", single=False)
    every(w, "multi_margin", multi_margin(1, 1.0), x[0], rows[0], None, name="row", single=False)
    every(w, "multi_margin_square", multi_margin(2, 0.5), x, rows, weight)
    every(w, "multi_margin_0", multi_margin(1, 0.0), x, rows, None, single=False)
    kinks = f64([[1, 0, 2], [0.5, 0.5, -0.5]])
    w.case("multi_margin_none", "kinks", lambda x, y, v: F.multi_margin_loss(x, y, reduction="none"), kinks, i64([0, 1]), None,
           order=1)

    def multilabel(x, y):
        flat, labels = (x[None], y[None]) if x.dim() == 1 else (x, y)
        out = []
        for row, label in zip(flat, labels):
            end = (label == -1).nonzero()
            own = label[:int(end[0])] if len(end) else label
            rest = [j for j in range(len(row)) if j not in own.tolist()]
            out.append(sum([(1 - row[i] + row[j]).clamp(min=0) for i in own.tolist() for j in rest], row.sum() * 0) / len(row))
        return out[0] if x.dim() == 1 else torch.stack(out)
    theirs = lambda x, y, reduction: F.multilabel_margin_loss(x, y, reduction=reduction)
    x = draw("multilabel", (4, 4))
    y = i64([[3, 0, -1, 1], [-1, 2, 0, 1], [2, -1, -1, 2], [0, 1, 2, 3]])
    every(w, "multilabel_margin", formula(multilabel, theirs), x, y)
    every(w, "multilabel_margin", formula(multilabel, theirs), x[1], y[0], name="row", single=False)
    w.case("multilabel_margin_none", "kinks", lambda x, y: theirs(x, y, reduction="none"), kinks, i64([[0, -1, 0], [1, 2, -1]]),
           order=1)
    w.case("multilabel_margin_none", "twice", formula_none(multilabel, theirs), x[:1], i64([[2, 2, -1, 0]]))


def formula_none(losses, reference):
    return lambda *x: formula(losses, reference)(*x, reduction="none")


# ---- distributions -------------------------------------------------------------------------------------------------------


def distributions(w):
    x, y = draw("log p", (2, 3), -3, 0), draw("q", (2, 3), 0.05, 1)
    for key, log, target in (("kl_div", False, y), ("kl_div_log", True, draw("log q", (2, 3), -3, 0))):
        every(w, key, lambda x, y, reduction, log=log: F.kl_div(x, y, reduction=reduction, log_target=log), x, target)
        batch = lambda x, y, log=log: F.kl_div(x, y, reduction="batchmean", log_target=log)
        w.both(key + "_batch", "plain", batch, x, target)
        w.case(key + "_batch", "volume", batch, draw("log p", (2, 2, 2), -3, 0), draw("q", (2, 2, 2), 0.05, 1))
        w.case(key + "_batch", "vector", batch, x[0], target[0])
        w.case(key + "_batch", "scalar", batch, x[0, 0], target[0, 0])
        w.case(key + "_batch", "empty", batch, x[:0], target[:0], order=0)
    w.case("kl_div_none", "zeros", lambda x, y: F.kl_div(x, y, reduction="none"), f64([-1, -700, 0]), f64([0, 0, 1]), order=0)

    counts = draw("counts", (2, 3), 0.1, 6)
    for key, log, full in (("poisson", True, False), ("poisson_full", True, True), ("poisson_rate", False, False),
                           ("poisson_rate_full", False, True)):
        function = lambda x, y, reduction, log=log, full=full: F.poisson_nll_loss(x, y, log, full, reduction=reduction)
        every(w, key, function, draw("rates", (2, 3), 0.1, 3), counts, single=full)
        w.case(f"{key}_none", "zeros", lambda x, y, f=function: f(x, y, reduction="none"), f64([0, 2, 0, 1]),
               f64([0, 0, 1, 1]), order=0)
    w.case("poisson_rate_eps", "plain", lambda x, y: F.poisson_nll_loss(x, y, False, eps=0.25), f64([0, 2, 0, 1]),
           f64([0, 3, 1, 1]))

    x, y, var = draw("gauss x", (2, 3)), draw("gauss y", (2, 3)), draw("gauss var", (2, 3), 0.1, 2)
    for key, full in (("gaussian", False), ("gaussian_full", True)):
        function = lambda x, y, v, reduction, full=full: F.gaussian_nll_loss(x, y, v, full=full, reduction=reduction)
        every(w, key, function, x, y, var)
    function = lambda x, y, v, reduction: F.gaussian_nll_loss(x, y, v, reduction=reduction)
    every(w, "gaussian", function, x, y, var[:, 0], name="short", single=False)
    every(w, "gaussian", function, x, y, var[:, :1], name="column", single=False)
    every(w, "gaussian", function, x, y, var[:1], name="first", single=False)
    every(w, "gaussian", function, x[0], y[0], var[0, 0], name="vector", single=False)
    w.case("gaussian_eps", "clamped", lambda x, y, v: F.gaussian_nll_loss(x, y, v, eps=0.5, reduction="none"), x, y, var)
    w.case("gaussian_none", "zero", lambda x, y, v: F.gaussian_nll_loss(x, y, v, reduction="none"), x, y, var * 0, order=1)


# ---- margins -------------------------------------------------------------------------------------------------------------


def margins(w):
    x, z, y = draw("margin x", (2, 3)), draw("margin z", (2, 3)), signs("margin y", (2, 3))
    for key, margin in (("hinge_embedding", 1.0), ("hinge_embedding_0", 0.0)):
        function = lambda x, y, reduction, m=margin: F.hinge_embedding_loss(x, y, margin=m, reduction=reduction)
        every(w, key, function, x, y, single=margin == 1)
        w.case(f"{key}_none", "kinks", lambda x, y, f=function: f(x, y, reduction="none"), f64([0, 1, 0, 1, 2, -3]),
               f64([-1, -1, 1, 1, 0, 0.5]), order=1)
    for key, margin in (("ranking", 0.0), ("ranking_half", 0.5)):
        function = lambda a, b, y, reduction, m=margin: F.margin_ranking_loss(a, b, y, margin=m, reduction=reduction)
        every(w, key, function, x, z, y, single=margin == 0)
        w.case(f"{key}_none", "kinks", lambda a, b, y, f=function: f(a, b, y, reduction="none"), f64([1, 1, 1.5, 1, 0]),
               f64([1, 1, 1, 1.5, 3]), f64([1, -1, 1, -1, 0]), order=1)

    a, b, y = draw("cosine a", (3, 2)), draw("cosine b", (3, 2)), f64([1, -1, -1])
    for key, margin in (("cosine", 0.0), ("cosine_low", -0.6)):
        function = lambda a, b, y, reduction, m=margin: F.cosine_embedding_loss(a, b, y, margin=m, reduction=reduction)
        every(w, key, function, a, b, y)
        every(w, key, function, a[0], b[0], f64(-1), name="row", single=False)
        w.case(f"{key}_none", "labels", lambda a, b, y, f=function: f(a, b, y, reduction="none"), a, b, f64([0, 0.5, NAN]))
        w.case(f"{key}_none", "zeros", lambda a, b, y, f=function: f(a, b, y, reduction="none"), a * 0, b, y, order=1)

    a, p, n = (draw("triplet " + name, (3, 2)) for name in "apn")
    options = {"triplet": {}, "triplet_swap": {"swap": True}, "triplet_p1": {"p": 1.0, "margin": 0.5},
               "triplet_p3": {"p": 3.0, "eps": 0.01}, "triplet_max": {"p": math.inf, "swap": True}}
    for key, option in options.items():
        function = lambda a, p, n, reduction, o=option: F.triplet_margin_loss(a, p, n, reduction=reduction, **o)
        every(w, key, function, a, p, n, single=key == "triplet_swap")
        w.case(f"{key}_none", "vector", lambda a, p, n, f=function: f(a, p, n, reduction="none"), a[0], p[0], n[0])
    w.case("triplet_none", "volume", lambda a, p, n: F.triplet_margin_loss(a, p, n, reduction="none"),
           *(draw("triplet " + name, (2, 2, 2)) for name in "apn"))
