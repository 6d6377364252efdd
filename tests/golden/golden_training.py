"""Golden cases of losses, layers, initialisers, optimizers, clipping and schedules."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from golden_write import INF, draw, f32, f64, i64, integers

REDUCTIONS = ("mean", "sum", "none")
STEPS = 20  # that training runs and schedules are compared over, or more


def losses(w):
    def pairs(key, function, low=-2, high=2, kinks=None):
        for r in REDUCTIONS:
            name, reduced = f"{key}_{r}", lambda x, y, r=r: function(x, y, reduction=r)
            w.both(name, "plain", reduced, draw(key + " x", (3, 4)), draw(key + " y", (3, 4), low, high))
            w.case(name, "scalars", reduced, draw(key + " x", ()), draw(key + " y", (), low, high))
            w.case(name, "empty", reduced, draw(key, (0, 2)), draw(key, (0, 2)), order=0)
            if kinks is not None:
                w.case(name, "kinks", reduced, *kinks, order=1)

    pairs("mse", F.mse_loss, kinks=(f64([0, 1, -2]), f64([0, 1, 3])))
    pairs("l1", F.l1_loss, kinks=(f64([0, 1, -2]), f64([0, 1, 3])))
    borders = f64([1, 1.5, 0.5, -0.5, 0, 0.75, -2]), f64([1, 0.5, 0, 0, 1, 0, 3])
    pairs("huber", lambda x, y, reduction: F.huber_loss(x, y, reduction=reduction, delta=1.0), kinks=borders)
    pairs("huber_half", lambda x, y, reduction: F.huber_loss(x, y, reduction=reduction, delta=0.5), kinks=borders)
    logits = f64([0, -0.0, 40, -40, 800, -800, 1e300, -1e300]), f64([0.25, 1, 0, 1, 1, 0.5, 1, 0])
    pairs("bce", F.binary_cross_entropy_with_logits, 0, 1, kinks=logits)
    for r in REDUCTIONS:
        function = lambda x, y, r=r: F.binary_cross_entropy_with_logits(x, y, reduction=r)
        w.case(f"bce_{r}", "extreme.f32", function, f32([0, 40, -40, 200, -200]), f32([0.25, 0, 1, 1, 0.5]), order=1)

    def classes(key, function, ignored, x, x3, rows=i64([2, 0, 3, 0, 1]), volume=i64([[0, 2], [1, 1]])):
        for r in REDUCTIONS:
            name, reduced = f"{key}_{r}", lambda x, y, r=r: function(x, y.long(), reduction=r)
            some = rows.clone()
            some[1] = some[4] = ignored
            w.both(name, "rows", reduced, x, rows)
            w.case(name, "i32", reduced, x, rows.int())
            w.both(name, "some_ignored", reduced, x, some)
            w.case(name, "all_ignored", reduced, x, torch.full_like(rows, ignored), order=1 if r == "none" else 0)
            w.case(name, "volume", reduced, x3, volume)
            w.case(name, "volume_ignored", reduced, x3, torch.where(volume == 2, ignored, volume))
            w.case(name, "empty", reduced, x[:0], rows[:0], order=0)

    x, x3 = draw("class logits", (5, 4)), draw("class logits", (2, 3, 2))
    classes("nll", F.nll_loss, -100, x.log_softmax(1).mul(1024).round().div(1024), x3)
    classes("nll_ignore_1", lambda *a, **k: F.nll_loss(*a, ignore_index=1, **k), 1, x, x3)
    classes("cross_entropy", F.cross_entropy, -100, x, x3)
    classes("cross_entropy_ignore_1", lambda *a, **k: F.cross_entropy(*a, ignore_index=1, **k), 1, x, x3)
    classes("cross_entropy_smooth", lambda *a, **k: F.cross_entropy(*a, label_smoothing=0.1, **k), -100, x, x3)
    classes("cross_entropy_flat", lambda *a, **k: F.cross_entropy(*a, label_smoothing=1.0, **k), -100, x, x3)
    for r in REDUCTIONS:
        for key, smoothing in (("cross_entropy", 0.0), ("cross_entropy_smooth", 0.1)):
            function = lambda x, y, r=r, s=smoothing: F.cross_entropy(x, y, reduction=r, label_smoothing=s)
            w.both(f"{key}_{r}", "probabilities", function, x, draw("class shares", (5, 4), 0, 1))
            w.case(f"{key}_{r}", "probabilities_volume", function, x3, draw("class shares", (2, 3, 2), 0, 1))
        function = lambda x, y, r=r: F.cross_entropy(x, y, reduction=r)
        w.case(f"cross_entropy_{r}", "large", function, f64([[1000, 0, -1000], [5, 5, 5]]), i64([2, 0]))
        w.case(f"cross_entropy_{r}", "large.f32", function, f32([[1000, 0, -1000], [5, 5, 5]]), i64([2, 0]), order=1)

    accuracy = lambda x, y: (x.argmax(1) == y).float().mean()
    w.both("accuracy", "plain", accuracy, draw("accuracy", (7, 3)), integers("accuracy", (7,), 0, 3), order=0)
    w.case("accuracy", "ties", accuracy, f64([[1, 1], [1, 1], [0, 1]]), i64([0, 1, 1]), order=0)
    for key, p, training in (("dropout_0", 0.0, True), ("dropout_1", 1.0, True), ("dropout_off", 0.5, False)):
        w.both(key, "plain", lambda x, p=p, t=training: F.dropout(x, p, t), draw("dropout", (2, 3)))


def initialisers(w):
    """Results: the bounds (infinite for a normal distribution) and the standard deviation of the values."""
    shapes = {"matrix": (150, 200), "volume": (40, 60, 3, 4)}
    uniform = lambda bound: [-bound, bound, bound / math.sqrt(3)]
    normal = lambda std: [-INF, INF, std]
    for name, shape in shapes.items():
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
        for nonlinearity in ("linear", "sigmoid", "tanh", "relu"):
            gain = nn.init.calculate_gain(nonlinearity)
            for kind, std in (("xavier", gain * math.sqrt(2 / (fan_in + fan_out))), ("he", gain / math.sqrt(fan_in))):
                for distribution, result in (("uniform", uniform(math.sqrt(3) * std)), ("normal", normal(std))):
                    w.begin(f"{kind}_{distribution}_{nonlinearity}", name)
                    w.put("in", i64(shape))
                    w.put("out", f64(result))
    w.begin("linear_weight", "matrix")
    w.put("in", i64(shapes["matrix"]))
    w.put("out", f64(uniform(1 / math.sqrt(shapes["matrix"][1]))))
    for key, result in (("init_uniform", [-0.25, 0.75, 1 / math.sqrt(12)]), ("init_normal", normal(0.3)),
                        ("init_constant", [1.5, 1.5, 0])):
        w.begin(key, "matrix")
        w.put("in", i64(shapes["matrix"]))
        w.put("out", f64(result))


def scalars(w):
    """Gains and schedules: functions of a whole number, in f64."""
    w.values("gain", "all", f64([nn.init.calculate_gain(n) for n in ("linear", "sigmoid", "tanh", "relu")]))

    def schedule(key, make, count=STEPS, base=0.2):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base)
        scheduler, rates = make(optimizer), []
        for _ in range(count):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        w.values(key, "rates", f64(rates))

    lr = torch.optim.lr_scheduler
    schedule("schedule_step", lambda o: lr.StepLR(o, 3, 0.5))
    schedule("schedule_exponential", lambda o: lr.ExponentialLR(o, 0.9))
    schedule("schedule_cosine", lambda o: lr.CosineAnnealingLR(o, STEPS, 0.02), count=STEPS + 1)
    schedule("schedule_warmup", lambda o: lr.LinearLR(o, 1 / 12, 1.0, 11))


class Net(nn.Module):
    """3 -> 4 -> 2 with tanh, and a parameter that takes no part, or only in each second step."""

    def __init__(self, dtype):
        super().__init__()
        self.l1, self.l2 = nn.Linear(3, 4), nn.Linear(4, 2)
        self.u = nn.Parameter(torch.zeros(2))
        self.to(dtype)
        with torch.no_grad():
            for name, p in self.named_parameters():
                p.copy_(draw("net " + name, p.shape, -0.8, 0.8))


    def ordered(self):
        return [self.l1.weight, self.l1.bias, self.l2.weight, self.l2.bias, self.u]


def train(w, key, variant, dtype, make, before=None, sometimes=False, backwards=1, schedule=None):
    """20 steps of mean squared error. Results: the losses, the parameters at the end, the gradients' norms if clipped."""
    net = Net(dtype)
    x, y = draw("net x", (5, 3)).to(dtype), draw("net y", (5, 2)).to(dtype)
    optimizer = make(net.ordered())
    scheduler = schedule(optimizer) if schedule else None
    w.begin(key, variant)
    for p in net.ordered():
        w.put("in", p)
    w.put("in", x)
    w.put("in", y)
    losses, norms = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        for _ in range(backwards):
            loss = F.mse_loss(net.l2(torch.tanh(net.l1(x))), y)
            if sometimes and step % 2 == 0:
                loss = loss + torch.square(net.u - 1).sum()
            loss.backward()
        losses.append(loss.detach())
        if before:
            norm = before(net.ordered())
            if norm is not None:
                norms.append(norm.detach())
        optimizer.step()
        if scheduler:
            scheduler.step()
    w.put("out", torch.stack(losses))
    for p in net.ordered():
        w.put("out", p)
    if norms:
        w.put("out", torch.stack(norms))


def optimizers(w):
    o = torch.optim

    def both(key, make, **options):
        train(w, key, "f64", torch.float64, make, **options)
        train(w, key, "f32", torch.float32, make, **options)

    both("sgd_defaults", lambda p: o.SGD(p))
    both("sgd_plain", lambda p: o.SGD(p, lr=0.1))
    both("sgd_decay", lambda p: o.SGD(p, lr=0.1, weight_decay=0.05))
    both("sgd_momentum", lambda p: o.SGD(p, lr=0.1, momentum=0.9))
    both("sgd_dampening", lambda p: o.SGD(p, lr=0.1, momentum=0.9, dampening=0.5))
    both("sgd_nesterov", lambda p: o.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01))
    both("sgd_sometimes", lambda p: o.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05), sometimes=True)
    both("sgd_accumulated", lambda p: o.SGD(p, lr=0.05), backwards=2)
    both("adagrad_defaults", lambda p: o.Adagrad(p))
    both("adagrad_all", lambda p: o.Adagrad(p, lr=0.1, lr_decay=0.05, weight_decay=0.02, initial_accumulator_value=0.1, eps=1e-6))
    both("adagrad_sometimes", lambda p: o.Adagrad(p, lr=0.1, lr_decay=0.1), sometimes=True)
    both("rmsprop_defaults", lambda p: o.RMSprop(p))
    both("rmsprop_momentum", lambda p: o.RMSprop(p, lr=0.02, alpha=0.9, eps=1e-6, weight_decay=0.02, momentum=0.8))
    both("rmsprop_centered", lambda p: o.RMSprop(p, lr=0.02, alpha=0.95, centered=True, eps=1e-3))
    both("rmsprop_sometimes", lambda p: o.RMSprop(p, lr=0.02), sometimes=True)
    both("adam_defaults", lambda p: o.Adam(p))
    both("adam_all", lambda p: o.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05))
    both("adam_beta1_zero", lambda p: o.Adam(p, lr=0.02, betas=(0.0, 0.999)))
    both("adam_amsgrad", lambda p: o.Adam(p, lr=0.1, betas=(0.9, 0.5), amsgrad=True))
    both("adam_sometimes", lambda p: o.Adam(p, lr=0.02), sometimes=True)
    both("adamw_defaults", lambda p: o.AdamW(p))
    both("adamw_all", lambda p: o.AdamW(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1))
    both("adamw_no_decay", lambda p: o.AdamW(p, lr=0.02, weight_decay=0.0))
    both("adamw_amsgrad", lambda p: o.AdamW(p, lr=0.1, betas=(0.9, 0.5), amsgrad=True))
    clip = nn.utils.clip_grad_norm_
    both("clip_norm", lambda p: o.SGD(p, lr=0.3), before=lambda p: clip(p, 0.25))
    both("clip_norm_sometimes", lambda p: o.SGD(p, lr=0.1), before=lambda p: clip(p, 1.0), sometimes=True)
    both("clip_norm_wide", lambda p: o.SGD(p, lr=0.3), before=lambda p: clip(p, 1e6))
    both("clip_value", lambda p: o.SGD(p, lr=0.3), before=lambda p: nn.utils.clip_grad_value_(p, 0.05))
    both("scheduled", lambda p: o.SGD(p, lr=0.3, momentum=0.5),
         schedule=lambda optimizer: o.lr_scheduler.CosineAnnealingLR(optimizer, STEPS, 0.01))
