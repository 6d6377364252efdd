"""Golden cases of further optimizers, parameter groups, L-BFGS and schedules."""
import warnings

import torch
import torch.nn.functional as F
from torch import nn

import golden_training as training
from golden_training import STEPS, Net, train
from golden_write import draw, f64

o = torch.optim
lr = torch.optim.lr_scheduler


class Lion(o.Optimizer):
    """Chen et al., "Symbolic discovery of optimization algorithms" (2023), program 1."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = -p.grad if group["maximize"] else p.grad
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = torch.sign(beta1 * m + (1 - beta1) * g) + group["weight_decay"] * p
                p -= group["lr"] * update
                m.copy_(beta2 * m + (1 - beta2) * g)


class Lamb(o.Optimizer):
    """You et al., "Large batch optimization for deep learning" (2020), algorithm 2."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0, norms=(0.0, float("inf")),
                 maximize=False):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, norms=norms, maximize=maximize))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = -p.grad if group["maximize"] else p.grad
                state = self.state[p]
                state["t"] = t = state.get("t", 0) + 1
                state["m"] = m = beta1 * state.get("m", torch.zeros_like(p)) + (1 - beta1) * g
                state["v"] = v = beta2 * state.get("v", torch.zeros_like(p)) + (1 - beta2) * g * g
                r = (m / (1 - beta1**t)) / (torch.sqrt(v / (1 - beta2**t)) + group["eps"])
                r = r + group["weight_decay"] * p
                wanted, own = float(p.norm().clamp(*group["norms"])), float(r.norm())
                p -= group["lr"] * (wanted / own if wanted > 0 and own > 0 else 1.0) * r


def optimizers(w):
    training.optimizers(w)

    def both(key, make, **options):
        train(w, key, "f64", torch.float64, make, **options)
        train(w, key, "f32", torch.float32, make, **options)

    def precise(key, make, **options):
        """NAdam keeps the product of its momenta in the default dtype."""
        torch.set_default_dtype(torch.float64)
        both(key, make, **options)
        torch.set_default_dtype(torch.float32)

    both("sgd_maximize", lambda p: o.SGD(p, lr=0.01, momentum=0.5, weight_decay=0.1, maximize=True))
    both("adagrad_maximize", lambda p: o.Adagrad(p, lr=0.01, weight_decay=0.1, maximize=True))
    both("rmsprop_maximize", lambda p: o.RMSprop(p, lr=0.005, weight_decay=0.1, momentum=0.5, maximize=True))
    both("adam_maximize", lambda p: o.Adam(p, lr=0.01, weight_decay=0.1, maximize=True))
    both("adamw_maximize", lambda p: o.AdamW(p, lr=0.01, weight_decay=0.1, maximize=True))
    both("adadelta_defaults", lambda p: o.Adadelta(p))
    both("adadelta_all", lambda p: o.Adadelta(p, lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.02))
    both("adadelta_sometimes", lambda p: o.Adadelta(p, rho=0.7, maximize=True), sometimes=True)
    precise("nadam_defaults", lambda p: o.NAdam(p))
    precise("nadam_all", lambda p: o.NAdam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05, momentum_decay=0.1))
    precise("nadam_decoupled", lambda p: o.NAdam(p, lr=0.02, weight_decay=0.1, decoupled_weight_decay=True))
    precise("nadam_sometimes", lambda p: o.NAdam(p, lr=0.02, maximize=True), sometimes=True)
    both("radam_defaults", lambda p: o.RAdam(p))
    both("radam_all", lambda p: o.RAdam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05))
    both("radam_decoupled", lambda p: o.RAdam(p, lr=0.02, weight_decay=0.1, decoupled_weight_decay=True))
    both("radam_never", lambda p: o.RAdam(p, lr=0.02, betas=(0.9, 0.6)))
    both("radam_sometimes", lambda p: o.RAdam(p, lr=0.02, maximize=True), sometimes=True)
    both("adamax_defaults", lambda p: o.Adamax(p))
    both("adamax_all", lambda p: o.Adamax(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.05))
    both("adamax_sometimes", lambda p: o.Adamax(p, lr=0.02, maximize=True), sometimes=True)
    both("rprop_defaults", lambda p: o.Rprop(p))
    both("rprop_all", lambda p: o.Rprop(p, lr=0.02, etas=(0.4, 1.5), step_sizes=(1e-3, 0.05)))
    both("rprop_sometimes", lambda p: o.Rprop(p, lr=0.005, maximize=True), sometimes=True)
    both("lion_defaults", lambda p: Lion(p))
    both("lion_all", lambda p: Lion(p, lr=0.01, betas=(0.8, 0.95), weight_decay=0.1))
    both("lion_sometimes", lambda p: Lion(p, lr=0.01, maximize=True), sometimes=True)
    both("lamb_defaults", lambda p: Lamb(p))
    both("lamb_all", lambda p: Lamb(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.05))
    both("lamb_held", lambda p: Lamb(p, lr=0.02, norms=(0.9, 1.1)))
    both("lamb_sometimes", lambda p: Lamb(p, lr=0.02, maximize=True), sometimes=True)

    def groups(p, **options):  # biases, what is left of the second layer, the rest
        return [dict(params=[p[1], p[3]], **options), dict(params=[p[2]], lr=0.05, weight_decay=0.02), dict(params=[p[0], p[4]])]

    both("groups_sgd", lambda p: o.SGD(groups(p, weight_decay=0.0), lr=0.1, momentum=0.9, weight_decay=0.1))
    both("groups_adamw", lambda p: o.AdamW(groups(p, weight_decay=0.0), lr=0.1, weight_decay=0.1),
         schedule=lambda optimizer: lr.StepLR(optimizer, 4, 0.7))
    both("groups_rprop", lambda p: o.Rprop([dict(params=[p[1], p[3]], lr=0.003), dict(params=[p[0], p[2], p[4]])], lr=0.03))
    both("only_first", lambda p: o.Adam(p[:2], lr=0.05))
    for key, make in (("one_cycle_sgd", lambda p: o.SGD(p, lr=0.1, momentum=0.9)), ("one_cycle_adam", lambda p: o.Adam(p))):
        both(key, make, schedule=lambda optimizer: lr.OneCycleLR(optimizer, 0.2, STEPS))

    # Each iteration multiplies rounding errors, so that f32 runs soon go ways of their own: one case has one.
    def lbfgs(key, single=False, **options):
        train_lbfgs(w, key, "f64", torch.float64, options)
        if single:
            train_lbfgs(w, key, "f32", torch.float32, options)

    lbfgs("lbfgs_one", max_iter=1)
    lbfgs("lbfgs_slow", max_iter=3, lr=0.3)
    lbfgs("lbfgs_short", max_iter=2, lr=0.5, history_size=2, tolerance_grad=1e-3, tolerance_change=1e-6)
    lbfgs("lbfgs_wolfe", max_iter=2, line_search_fn="strong_wolfe")
    lbfgs("lbfgs_wolfe_once", single=True, lr=5, max_iter=1, history_size=2, line_search_fn="strong_wolfe")
    lbfgs("lbfgs_wolfe_far", lr=10, max_iter=1, max_eval=7, history_size=3, line_search_fn="strong_wolfe")
    lbfgs("lbfgs_wolfe_long", lr=0.3, max_iter=2, max_eval=7, history_size=10, line_search_fn="strong_wolfe")


def train_lbfgs(w, key, variant, dtype, options):
    """As `train`, by a closure. Results: the losses before each step, the parameters at the end."""
    net = Net(dtype)
    x, y = draw("net x", (5, 3)).to(dtype), draw("net y", (5, 2)).to(dtype)
    optimizer = o.LBFGS(net.ordered(), **options)
    w.begin(key, variant)
    for p in net.ordered():
        w.put("in", p)
    w.put("in", x)
    w.put("in", y)

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(net.l2(torch.tanh(net.l1(x))), y)
        loss.backward()
        return loss

    losses = [optimizer.step(closure).detach() for _ in range(STEPS)]
    w.put("out", torch.stack(losses))
    for p in net.ordered():
        w.put("out", p)


MEASURES = [1.0, 0.9, 0.95, 0.9, 0.91, 0.89995, 0.92, 0.5, 0.6, 0.7, 0.51, 0.52, 0.53, 0.54, 0.49, 0.6, 0.7, 0.8, 0.9, 1.0,
            0.6, 0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67, 0.68, 0.69, 0.7, 0.71]


def scalars(w):
    """Schedules: functions of the step, in f64."""
    training.scalars(w)

    def schedule(key, make, count=STEPS, base=0.2, momentum=False):
        optimizer = o.SGD([nn.Parameter(torch.zeros(1))], lr=base, momentum=0.9)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler, rates, momenta = make(optimizer), [], []
            for i in range(count):
                rates.append(float(optimizer.param_groups[0]["lr"]))
                momenta.append(float(optimizer.param_groups[0]["momentum"]))
                optimizer.step()
                if i + 1 < count:
                    scheduler.step()
        w.values(key, "rates", f64(rates))
        if momentum:
            w.values(key + "_momentum", "momenta", f64(momenta))

    schedule("schedule_multi_step", lambda p: lr.MultiStepLR(p, [2, 7, 7, 15], 0.5))
    schedule("schedule_constant", lambda p: lr.ConstantLR(p, 0.25, 8))
    schedule("schedule_linear", lambda p: lr.LinearLR(p, 0.25, 0.75, 13))
    schedule("schedule_polynomial", lambda p: lr.PolynomialLR(p, 17, 2.0))
    schedule("schedule_polynomial_line", lambda p: lr.PolynomialLR(p, 12))
    schedule("schedule_restarts", lambda p: lr.CosineAnnealingWarmRestarts(p, 6, eta_min=0.02))
    schedule("schedule_restarts_longer", lambda p: lr.CosineAnnealingWarmRestarts(p, 3, 2, 0.02), count=40)
    schedule("schedule_restarts_each", lambda p: lr.CosineAnnealingWarmRestarts(p, 1, 3))
    schedule("schedule_one_cycle", lambda p: lr.OneCycleLR(p, 0.4, STEPS), momentum=True)
    schedule("schedule_one_cycle_linear",
             lambda p: lr.OneCycleLR(p, 0.4, 21, pct_start=0.25, anneal_strategy="linear", div_factor=10.0,
                                     final_div_factor=100.0, base_momentum=0.7, max_momentum=0.9), count=21, momentum=True)
    schedule("schedule_one_cycle_three", lambda p: lr.OneCycleLR(p, 0.4, 21, pct_start=0.4, three_phase=True), count=21,
             momentum=True)
    schedule("schedule_one_cycle_three_linear",
             lambda p: lr.OneCycleLR(p, 0.4, STEPS, pct_start=0.2, three_phase=True, anneal_strategy="linear"), momentum=True)
    schedule("schedule_cyclic", lambda p: lr.CyclicLR(p, 0.1, 0.4, 4, 3), momentum=True)
    schedule("schedule_cyclic_even", lambda p: lr.CyclicLR(p, 0.1, 0.4, 3, base_momentum=0.5, max_momentum=0.95), momentum=True)
    schedule("schedule_cyclic_half", lambda p: lr.CyclicLR(p, 0.1, 0.4, 4, 3, "triangular2"), count=24, momentum=True)
    schedule("schedule_cyclic_exp", lambda p: lr.CyclicLR(p, 0.1, 0.4, 4, 3, "exp_range", 0.95), count=24, momentum=True)
    schedule("schedule_chained", lambda p: lr.ChainedScheduler([lr.LinearLR(p, 1 / 8, 1.0, 7), lr.ExponentialLR(p, 0.9)]))
    schedule("schedule_sequential",
             lambda p: lr.SequentialLR(p, [lr.LinearLR(p, 1 / 5, 1.0, 4), lr.CosineAnnealingLR(p, 9, 0.02),
                                           lr.ConstantLR(p, 0.25, 4)], [4, 13]))
    schedule("schedule_averaging", lambda p: o.swa_utils.SWALR(p, 0.05, 14))

    def plateau(key, **options):
        optimizer = o.SGD([nn.Parameter(torch.zeros(1))], lr=0.2)
        scheduler, rates = lr.ReduceLROnPlateau(optimizer, **options), []
        for measure in MEASURES:
            scheduler.step(measure)
            rates.append(optimizer.param_groups[0]["lr"])
        w.values(key, "rates", f64(rates))

    plateau("plateau_defaults")
    plateau("plateau_patient", patience=2, factor=0.5)
    plateau("plateau_impatient", patience=0, factor=0.5, min_lr=0.01)
    plateau("plateau_cool", patience=1, factor=0.5, cooldown=2, threshold=0.01)
    plateau("plateau_absolute", patience=1, factor=0.5, threshold=0.05, threshold_mode="abs")
    plateau("plateau_max", mode="max", patience=1, factor=0.5)
    plateau("plateau_max_absolute", mode="max", patience=2, factor=0.9, threshold=0.1, threshold_mode="abs", eps=0.015)
