"""Golden cases of the convolutions."""
import torch
import torch.nn.functional as F

from golden_write import draw


def text(value):
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def forward(axes, x, weight, bias=True, mode=None, same=False, **options):
    """F.convNd; modes as nn.ConvNd pads them."""
    function = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[axes]

    def call(x, weight, bias=None):
        if same and mode is None:
            return function(x, weight, bias, padding="same", **options)
        rest = dict(options)
        if mode is not None:
            padding = rest.pop("padding", 0)
            padding = padding if isinstance(padding, tuple) else (padding,) * axes
            pairs = [(p, p) for p in padding]
            if same:
                dilation = rest.get("dilation", 1)
                dilation = dilation if isinstance(dilation, tuple) else (dilation,) * axes
                total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
                pairs = [(n // 2, n - n // 2) for n in total]
            flat = [n for pair in reversed(pairs) for n in pair]
            batched = x.dim() == axes + 2
            x = F.pad(x if batched else x.unsqueeze(0), flat, mode=mode)
            x = x if batched else x.squeeze(0)
        return function(x, weight, bias, **rest)

    attributes = [f"{k}={text(v)}" for k, v in options.items()]
    attributes += [f"mode={mode}"] if mode else []
    attributes += ["same=true"] if same else []
    return call, " ".join(attributes)


def cases(w, axes, table):
    for number, (x, weight, bias, options) in enumerate(table):
        call, attributes = forward(axes, x, weight, **options)
        inputs = [draw(f"conv{axes}x{number}", x), draw(f"conv{axes}w{number}", weight)]
        if bias:
            inputs.append(draw(f"conv{axes}b{number}", weight[:1]))
        w.apply(f"conv{axes}d", f"case{number}", attributes, call, *inputs, single=number % 3 == 0)


def transposed(w, axes, table):
    function = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[axes]
    for number, (x, weight, bias, options) in enumerate(table):
        inputs = [draw(f"convt{axes}x{number}", x), draw(f"convt{axes}w{number}", weight)]
        if bias:
            inputs.append(draw(f"convt{axes}b{number}", (weight[1] * options.get("groups", 1),)))
        attributes = " ".join(f"{k}={text(v)}" for k, v in options.items())
        w.apply(f"conv_transpose{axes}d", f"case{number}", attributes,
                lambda x, weight, bias=None, options=options: function(x, weight, bias, **options), *inputs,
                single=number % 3 == 0)


def convolutions(w):
    cases(w, 1, [
        ((1, 1, 4), (1, 1, 1), True, {}),
        ((2, 2, 5), (3, 2, 3), True, {}),
        ((2, 2, 5), (3, 2, 3), False, {"padding": 1}),
        ((1, 3, 6), (2, 3, 2), True, {"stride": 2}),
        ((1, 2, 7), (2, 2, 3), True, {"stride": 3, "padding": 2}),
        ((1, 2, 7), (2, 2, 2), True, {"dilation": 3}),
        ((1, 4, 5), (2, 2, 3), True, {"groups": 2, "padding": 1}),
        ((1, 3, 5), (6, 1, 2), True, {"groups": 3}),
        ((2, 5), (3, 2, 2), True, {}),
        ((1, 2, 5), (2, 2, 4), True, {"same": True}),
        ((1, 2, 6), (2, 2, 3), False, {"same": True, "dilation": 2}),
        ((1, 2, 5), (2, 2, 3), True, {"padding": 2, "mode": "reflect"}),
        ((1, 2, 4), (2, 2, 3), True, {"padding": 3, "mode": "replicate"}),
        ((1, 2, 4), (2, 2, 3), True, {"padding": 3, "mode": "circular"}),
        ((2, 6), (2, 2, 4), True, {"mode": "circular", "same": True}),
        ((1, 1, 3), (1, 1, 3), True, {"padding": 5}),
        ((1, 1, 9), (1, 1, 2), True, {"stride": 4, "dilation": 3, "padding": 1}),
        ((0, 2, 5), (3, 2, 3), True, {}),
        ((3, 1, 5), (1, 1, 5), False, {}),
        ((1, 2, 8), (2, 1, 3), True, {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}),
    ])
    cases(w, 2, [
        ((1, 1, 3, 3), (1, 1, 2, 2), True, {}),
        ((2, 2, 4, 3), (3, 2, 2, 2), True, {}),
        ((1, 2, 4, 4), (2, 2, 3, 3), False, {"padding": 1}),
        ((1, 2, 5, 4), (2, 2, 3, 2), True, {"stride": 2}),
        ((1, 2, 5, 4), (2, 2, 3, 2), True, {"stride": (1, 2), "padding": (2, 0)}),
        ((1, 2, 5, 5), (2, 2, 2, 2), True, {"dilation": 2}),
        ((1, 2, 5, 6), (2, 2, 2, 2), True, {"dilation": (1, 3), "padding": (0, 1)}),
        ((1, 4, 4, 3), (4, 2, 2, 2), True, {"groups": 2}),
        ((1, 3, 4, 4), (3, 1, 3, 3), True, {"groups": 3, "padding": 1}),
        ((1, 2, 4, 4), (4, 1, 3, 3), False, {"groups": 2, "padding": 1, "stride": 2}),
        ((2, 4, 3), (3, 2, 2, 2), True, {}),
        ((1, 2, 4, 4), (2, 2, 1, 1), True, {"stride": 2}),
        ((1, 2, 4, 3), (2, 2, 2, 4), True, {"same": True}),
        ((1, 2, 4, 5), (2, 2, 3, 2), True, {"same": True, "dilation": (1, 2)}),
        ((1, 2, 4, 4), (2, 2, 3, 3), True, {"padding": 2, "mode": "reflect"}),
        ((1, 2, 3, 4), (2, 2, 3, 3), True, {"padding": (1, 2), "mode": "replicate"}),
        ((1, 2, 3, 3), (2, 2, 3, 3), True, {"padding": 3, "mode": "circular"}),
        ((1, 1, 4, 4), (1, 1, 2, 3), True, {"mode": "reflect", "same": True}),
        ((1, 1, 3, 2), (2, 1, 3, 2), True, {}),
        ((1, 2, 6, 5), (2, 2, 3, 3), True, {"stride": (3, 2), "padding": (1, 2), "dilation": (2, 1)}),
        ((0, 2, 3, 3), (1, 2, 2, 2), True, {}),
        ((1, 1, 2, 2), (1, 1, 3, 3), True, {"padding": 4, "stride": 3}),
        ((2, 1, 7, 7), (2, 1, 5, 5), True, {}),
        ((1, 2, 5, 5), (2, 2, 2, 2), True, {"stride": 3, "padding": 1}),
    ])
    cases(w, 3, [
        ((1, 1, 2, 3, 2), (1, 1, 2, 2, 1), True, {}),
        ((1, 2, 3, 3, 3), (2, 2, 2, 2, 2), True, {}),
        ((1, 1, 3, 3, 3), (2, 1, 3, 3, 3), True, {"padding": 1}),
        ((1, 2, 4, 3, 3), (2, 2, 2, 2, 2), True, {"stride": (2, 1, 2)}),
        ((1, 2, 3, 3, 3), (2, 1, 2, 2, 2), False, {"groups": 2, "padding": (0, 1, 0)}),
        ((1, 1, 4, 4, 3), (1, 1, 2, 2, 2), True, {"dilation": (3, 2, 1)}),
        ((1, 2, 2, 3), (2, 1, 2, 2, 2), True, {"padding": 1}),
        ((1, 1, 2, 3, 3), (1, 1, 2, 3, 2), True, {"same": True}),
        ((1, 1, 2, 2, 3), (1, 1, 2, 3, 2), True, {"padding": 1, "mode": "reflect"}),
        ((1, 1, 2, 2, 2), (1, 1, 2, 2, 2), True, {"padding": (2, 1, 0), "mode": "replicate"}),
        ((1, 1, 2, 2, 2), (1, 1, 2, 2, 2), False, {"padding": (1, 2, 1), "mode": "circular"}),
        ((1, 1, 4, 4, 4), (1, 1, 3, 3, 3), True, {"stride": 2, "padding": 1}),
        ((2, 1, 2, 2, 2), (1, 1, 1, 1, 1), True, {}),
        ((1, 1, 5, 2, 4), (1, 1, 2, 1, 2), True, {"stride": 3, "dilation": (2, 1, 2)}),
        ((1, 2, 2, 2, 2), (4, 1, 2, 1, 2), True, {"groups": 2}),
        ((1, 1, 1, 3, 3), (1, 1, 1, 2, 2), True, {"padding": (1, 0, 0)}),
        ((0, 1, 2, 2, 2), (1, 1, 1, 2, 1), True, {}),
        ((1, 1, 2, 2, 5), (1, 1, 2, 2, 2), True, {"stride": (1, 1, 3), "padding": (0, 0, 2)}),
        ((1, 1, 3, 2, 2), (2, 1, 1, 2, 1), False, {"stride": (2, 1, 1)}),
        ((1, 1, 2, 2, 2), (1, 1, 2, 2, 2), True, {"same": True, "mode": "circular"}),
    ])
    transposed(w, 1, [
        ((1, 1, 3), (1, 1, 2), True, {}),
        ((2, 2, 4), (2, 3, 3), True, {}),
        ((1, 2, 4), (2, 3, 3), True, {"stride": 2}),
        ((1, 2, 4), (2, 2, 3), True, {"stride": 2, "padding": 1, "output_padding": 1}),
        ((1, 2, 3), (2, 2, 2), True, {"stride": 3, "output_padding": 2}),
        ((1, 4, 3), (4, 1, 2), True, {"groups": 2}),
        ((1, 4, 3), (4, 2, 3), False, {"groups": 2, "stride": 2, "padding": 1}),
        ((1, 2, 4), (2, 2, 3), True, {"dilation": 2}),
        ((1, 2, 4), (2, 2, 2), True, {"dilation": 3, "padding": 1, "output_padding": 2}),
        ((2, 4), (2, 3, 2), True, {"stride": 2}),
        ((1, 2, 5), (2, 2, 3), True, {"padding": 2}),
        ((1, 1, 4), (1, 1, 1), True, {"stride": 3}),
        ((0, 2, 3), (2, 1, 2), True, {}),
        ((1, 1, 5), (1, 1, 4), True, {"stride": 4, "padding": 3, "dilation": 1}),
        ((1, 3, 3), (3, 1, 2), True, {"groups": 3}),
        ((1, 2, 2), (2, 1, 5), True, {"stride": 2}),
        ((1, 2, 3), (2, 1, 3), True, {"stride": 2, "dilation": 2}),
        ((1, 1, 3), (1, 2, 2), True, {"stride": 5}),
        ((2, 1, 1), (1, 1, 3), True, {}),
        ((1, 2, 4), (2, 2, 3), False, {"stride": 2, "padding": 2, "output_padding": 1}),
    ])
    transposed(w, 2, [
        ((1, 1, 2, 2), (1, 1, 2, 2), True, {}),
        ((2, 2, 3, 2), (2, 3, 2, 3), True, {}),
        ((1, 2, 3, 3), (2, 2, 3, 3), True, {"stride": 2}),
        ((1, 2, 3, 3), (2, 2, 3, 3), True, {"stride": 2, "padding": 1, "output_padding": 1}),
        ((1, 2, 2, 3), (2, 1, 2, 2), True, {"stride": (3, 2), "output_padding": (2, 0)}),
        ((1, 4, 2, 2), (4, 1, 2, 2), True, {"groups": 2}),
        ((1, 4, 2, 3), (4, 2, 3, 2), False, {"groups": 2, "stride": (1, 2), "padding": (1, 0)}),
        ((1, 2, 3, 3), (2, 2, 2, 2), True, {"dilation": 2}),
        ((1, 2, 3, 2), (2, 1, 3, 2), True, {"dilation": (1, 3), "padding": (2, 1)}),
        ((2, 3, 2), (2, 3, 2, 2), True, {"stride": 2}),
        ((1, 2, 3, 3), (2, 1, 3, 3), True, {"padding": 2}),
        ((1, 1, 3, 3), (1, 1, 1, 1), True, {"stride": 2}),
        ((0, 2, 2, 2), (2, 1, 2, 2), True, {}),
        ((1, 1, 3, 3), (1, 1, 4, 4), True, {"stride": 2, "padding": 1}),
        ((1, 3, 2, 2), (3, 1, 2, 2), True, {"groups": 3, "stride": 2}),
        ((1, 1, 2, 2), (1, 1, 5, 3), True, {"stride": 2, "padding": (2, 1), "output_padding": 1}),
        ((1, 2, 2, 2), (2, 1, 2, 2), True, {"stride": 2, "dilation": 2}),
        ((1, 1, 2, 2), (1, 2, 2, 2), True, {"stride": 4}),
        ((2, 1, 1, 1), (1, 1, 3, 3), True, {}),
        ((1, 2, 3, 2), (2, 2, 2, 3), False, {"stride": (2, 1), "output_padding": (1, 0)}),
    ])
    transposed(w, 3, [
        ((1, 1, 2, 2, 2), (1, 1, 2, 2, 2), True, {}),
        ((1, 2, 2, 2, 1), (2, 2, 2, 1, 2), True, {}),
        ((1, 1, 2, 2, 2), (1, 2, 2, 2, 2), True, {"stride": 2}),
        ((1, 1, 2, 2, 2), (1, 1, 3, 3, 3), True, {"stride": 2, "padding": 1, "output_padding": 1}),
        ((1, 2, 2, 2, 2), (2, 1, 2, 2, 1), False, {"groups": 2, "stride": (1, 2, 1)}),
        ((1, 1, 2, 2, 2), (1, 1, 2, 2, 2), True, {"dilation": (1, 2, 1), "padding": (0, 1, 0)}),
        ((1, 2, 1, 2), (1, 2, 2, 2, 2), True, {}),
        ((1, 1, 3, 1, 2), (1, 1, 1, 2, 2), True, {"stride": (3, 1, 2), "output_padding": (2, 0, 1)}),
        ((1, 1, 2, 2, 2), (1, 1, 1, 1, 1), True, {"stride": 2}),
        ((0, 1, 2, 2, 2), (1, 1, 2, 1, 1), True, {}),
        ((1, 1, 3, 3, 3), (1, 1, 2, 2, 2), True, {"padding": 1}),
        ((1, 1, 2, 1, 2), (1, 1, 3, 2, 2), True, {"stride": (2, 1, 1), "padding": (1, 0, 1)}),
        ((1, 2, 1, 2, 2), (2, 1, 2, 2, 2), True, {"groups": 2}),
        ((1, 1, 1, 1, 1), (1, 1, 2, 3, 2), True, {}),
        ((2, 1, 1, 2, 1), (1, 1, 2, 2, 2), False, {"stride": (1, 1, 2)}),
        ((1, 1, 2, 2, 2), (1, 1, 2, 2, 3), True, {"stride": 2, "dilation": 2}),
        ((1, 1, 1, 2, 3), (1, 2, 1, 2, 2), True, {"stride": (2, 2, 1)}),
        ((1, 1, 2, 3, 1), (1, 1, 2, 2, 1), True, {"padding": (1, 1, 0)}),
        ((1, 1, 1, 2, 2), (1, 1, 1, 3, 3), True, {"stride": (1, 3, 3), "output_padding": (0, 2, 1)}),
        ((1, 1, 2, 2, 1), (1, 1, 1, 2, 2), True, {"dilation": (1, 1, 2)}),
    ])
