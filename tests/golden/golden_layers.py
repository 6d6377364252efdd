"""Golden cases of layers: torch.nn modules with given parameters; and the first values of their parameters."""
import math

import torch
from torch import nn

from golden_write import INF, draw, f64, gradients, i64, pattern


def layer(w, key, variant, module, xs, run=None, order=1, after=(), single=False):
    """A module's result of xs, gradients of x and of the parameters, and the entries `after` behind it.

    The line "with" names the inputs: x, or an entry of the module; behind "->" what the further results are.
    """
    module = module.double()
    entries = list(module.named_parameters()) + list(module.named_buffers())
    names = ["x"] * len(xs) + [n for n, _ in entries]
    round_off = lambda y: y.detach().float() if single and y.dtype == torch.float64 else y.detach().clone()
    exact = lambda y: round_off(y).double() if y.is_floating_point() else y.detach().clone()
    with torch.no_grad():
        for name, p in entries:
            if p.is_floating_point():
                p.copy_(exact(draw(f"{key} {name}", tuple(p.shape), *((0.5, 2) if name == "running_var" else (-2, 2)))))
            else:
                p.fill_(4)
    xs = [exact(x).requires_grad_(x.is_floating_point()) for x in xs]
    w.begin(key, variant + ".f32" if single else variant)
    w.lines.append("with " + " ".join(names + (["->"] + list(after) if after else [])))
    for i in xs + [p for _, p in entries]:
        w.put("in", round_off(i))
    out = (run or (lambda m, *x: m(*x)))(module, *xs)
    w.put("out", round_off(out))
    for name in after:
        w.put("out", round_off(module.state_dict()[name]))
    inputs = xs + [p for _, p in entries]
    leaves = [(n, i) for n, i in enumerate(inputs) if i.requires_grad]
    if order == 0:
        return
    cotangent = pattern(out.shape, out.dtype, 7, 11, 4.5)
    w.put("cotangent", round_off(cotangent))
    grads = gradients(out, cotangent, leaves)
    for (n, _), g in zip(leaves, grads):
        w.put(f"grad {n}", round_off(g))
    if order < 2 or single:
        return
    second = [pattern(i.shape, i.dtype, 5, 13, 5.5) for _, i in leaves]
    for (n, _), c in zip(leaves, second):
        w.put(f"cotangent {n}", c)
    total = sum((g * c).sum() for g, c in zip(grads, second))
    for (n, _), g in zip(leaves, gradients(total, torch.ones_like(total), leaves)):
        w.put(f"second {n}", g)


def both(w, key, variant, make, xs, order=2, **more):
    layer(w, key, variant, make(), xs, order=order, **more)
    layer(w, key, variant, make(), xs, order=1, single=True, **more)


def batches(module, *xs):
    """Each batch in training, the last one once more in evaluation."""
    outs = [module.train()(x) for x in xs]
    return torch.cat(outs + [module.eval()(xs[-1])])


def layers(w):
    both(w, "linear", "rows", lambda: nn.Linear(3, 2), [draw("linear", (2, 2, 3))])
    both(w, "linear", "vector", lambda: nn.Linear(3, 2), [draw("linear", (3,))])
    pair = [draw("bilinear 1", (2, 2, 3)), draw("bilinear 2", (2, 2, 2))]
    both(w, "bilinear", "rows", lambda: nn.Bilinear(3, 2, 4), pair)
    both(w, "bilinear", "vector", lambda: nn.Bilinear(3, 2, 4), [x[0, 0] for x in pair])
    layer(w, "bilinear", "empty", nn.Bilinear(3, 2, 4), [x[:0] for x in pair])
    layer(w, "bilinear_no_bias", "rows", nn.Bilinear(3, 2, 4, bias=False), pair, order=2)

    convolutions = [
        ("conv1d", (2, 6), lambda: nn.Conv1d(2, 3, 3)),
        ("conv1d_same", (2, 5), lambda: nn.Conv1d(2, 4, 4, padding="same", groups=2, bias=False)),
        ("conv2d", (2, 4, 4), lambda: nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=1, dilation=(1, 2))),
        ("conv2d_depthwise", (2, 3, 3), lambda: nn.Conv2d(2, 4, 3, groups=2, padding=1, padding_mode="reflect")),
        ("conv3d", (1, 3, 2, 3), lambda: nn.Conv3d(1, 2, 2, padding=(0, 1, 0))),
        ("conv_transpose1d", (2, 4), lambda: nn.ConvTranspose1d(2, 3, 3, stride=2, output_padding=1)),
        ("conv_transpose2d", (2, 3, 2), lambda: nn.ConvTranspose2d(2, 4, (2, 3), padding=(0, 1), groups=2)),
        ("conv_transpose3d", (1, 2, 2, 2), lambda: nn.ConvTranspose3d(1, 2, 2, bias=False)),
    ]
    for key, shape, make in convolutions:
        both(w, key, "batch", make, [draw(key, (2,) + shape)], order=2 if len(shape) == 2 else 1)
        layer(w, key, "one", make(), [draw(key, shape)], order=0)

    tracked = ("running_mean", "running_var", "num_batches_tracked")
    norms = [
        ("batch_norm", tracked, dict()),
        ("batch_norm_momentum", tracked, dict(momentum=0.3, eps=0.01)),
        ("batch_norm_still", tracked, dict(momentum=0.0)),
        ("batch_norm_cumulative", tracked, dict(momentum=None)),
        ("batch_norm_plain", tracked, dict(affine=False)),
        ("batch_norm_no_bias", tracked, dict(bias=False)),
        ("batch_norm_untracked", (), dict(track_running_stats=False)),
    ]
    for key, after, options in norms:
        for variant, shape in (("rows", (3, 3)), ("volume", (2, 3, 2, 2) if key == "batch_norm" else (2, 3, 2))):
            make = lambda: (nn.BatchNorm1d if len(shape) < 4 else nn.BatchNorm2d)(3, **options)
            xs = [draw(f"{key} {i}", shape) for i in range(3)]
            layer(w, key, variant, make(), xs, run=batches, after=after)
            if variant == "rows":
                layer(w, key, variant, make(), xs, run=batches, after=after, single=True)
    xs = [draw(f"instance_norm {i}", (2, 3, 2, 2)) for i in range(3)]
    both(w, "instance_norm", "volume", lambda: nn.InstanceNorm2d(3), xs, run=batches, order=1)
    both(w, "instance_norm_all", "volume", lambda: nn.InstanceNorm2d(3, 0.01, 0.25, True, True), xs, run=batches,
         after=tracked, order=1)

    rows = [draw("norm", (2, 3, 4))]
    both(w, "layer_norm", "rows", lambda: nn.LayerNorm(4), rows)
    layer(w, "layer_norm_plane", "rows", nn.LayerNorm((3, 4), eps=0.1, bias=False), rows, order=2)
    layer(w, "layer_norm_plain", "rows", nn.LayerNorm(4, eps=0, elementwise_affine=False), rows, order=2)
    layer(w, "rms_norm_eps", "rows", nn.RMSNorm(4, eps=0.1), rows, order=2)
    both(w, "rms_norm", "rows", lambda: nn.RMSNorm(4), rows)
    layer(w, "rms_norm_plain", "rows", nn.RMSNorm((3, 4), elementwise_affine=False), rows, order=2)
    channels = [draw("group_norm", (2, 4, 3))]
    both(w, "group_norm", "rows", lambda: nn.GroupNorm(2, 4), channels)
    layer(w, "group_norm_no_bias", "rows", nn.GroupNorm(4, 4, eps=0.1, bias=False), channels, order=2)
    layer(w, "group_norm_plain", "rows", nn.GroupNorm(1, 4, affine=False), channels, order=2)

    index = i64([[0, 2, 2], [4, 1, 2]])
    for key, options in (("embedding", dict()), ("embedding_padding", dict(padding_idx=-3)),
                         ("embedding_max_norm", dict(max_norm=1.5)),
                         ("embedding_max_norm_1", dict(max_norm=1.0, norm_type=1.0, padding_idx=1)),
                         ("embedding_frequency", dict(scale_grad_by_freq=True, padding_idx=0))):
        both(w, key, "plane", lambda: nn.Embedding(5, 3, **options), [index], order=1, after=("weight",))
        layer(w, key, "one", nn.Embedding(5, 3, **options), [i64(2)])
        layer(w, key, "i32", nn.Embedding(5, 3, **options), [index.int()])

    x = [draw("activation", (2, 3, 2))]
    both(w, "prelu", "one", lambda: nn.PReLU(), x)
    both(w, "prelu_channels", "each", lambda: nn.PReLU(3), x)
    evaluation = lambda m, x: m.eval()(x)
    layer(w, "dropout_all", "training", nn.Dropout(1.0), x)
    layer(w, "dropout_none", "training", nn.Dropout(0.0), x)
    layer(w, "dropout_evaluation", "evaluation", nn.Dropout(0.5), x, run=evaluation)
    layer(w, "feature_dropout_all", "training", nn.Dropout1d(1.0), x)
    layer(w, "feature_dropout_evaluation", "evaluation", nn.Dropout1d(0.5), x, run=evaluation)
    layer(w, "alpha_dropout_evaluation", "evaluation", nn.AlphaDropout(0.5), x, run=evaluation)
    layer(w, "rrelu_evaluation", "evaluation", nn.RReLU(), x, run=evaluation)


def first_values(w):
    """Bounds and standard deviation of what reset_parameters leaves, as for the initialisers."""
    def case(key, p, bound):
        """bound: that of a uniform distribution, held against what PyTorch drew; the text says what it is otherwise."""
        largest = p.detach().abs().max().item()
        if isinstance(bound, float):
            assert 0.98 * bound < largest <= bound * (1 + 1e-6), (key, bound, largest)
            result = [-bound, bound, bound / math.sqrt(3)]
        elif bound == "normal":
            assert abs(p.detach().std().item() - 1) < 0.02, key
            result = [-INF, INF, 1]
        else:
            assert len(set(p.detach().reshape(-1).tolist())) == 1, key
            result = [p.reshape(-1)[0].item(), p.reshape(-1)[0].item(), 0]
        w.begin(key, "default")
        w.put("in", i64(p.shape))
        w.put("out", f64(result))

    torch.manual_seed(1)
    case("linear_bias", nn.Linear(25, 5000).bias, 1 / 5)
    case("bilinear_weight", nn.Bilinear(30, 20, 40).weight, 1 / math.sqrt(30))
    case("bilinear_bias", nn.Bilinear(25, 2, 5000).bias, 1 / 5)
    conv = nn.Conv2d(80, 60, (3, 4), groups=2)
    case("conv_weight", conv.weight, 1 / math.sqrt(40 * 12))
    case("conv_bias", nn.Conv2d(6, 5000, 3, groups=2).bias, 1 / math.sqrt(27))
    transposed = nn.ConvTranspose2d(60, 80, (3, 4), groups=2)
    case("conv_transpose_weight", transposed.weight, 1 / math.sqrt(40 * 12))
    case("conv_transpose_bias", nn.ConvTranspose2d(6, 5000, 3, groups=2).bias, 1 / math.sqrt(2500 * 9))
    case("embedding_weight", nn.Embedding(200, 150).weight, "normal")
    case("prelu_weight", nn.PReLU(7).weight, "constant")
    norm = nn.BatchNorm1d(7)
    case("norm_weight", norm.weight, "constant")
    case("norm_bias", norm.bias, "constant")
    case("running_mean", norm.running_mean, "constant")
    case("running_var", norm.running_var, "constant")
