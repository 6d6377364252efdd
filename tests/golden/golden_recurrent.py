"""Golden cases of recurrent layers and their cells. All parameters of a layer are one vector, in PyTorch's order."""
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from golden_write import draw, i64

KINDS = {
    "rnn": (nn.RNN, {}),
    "relu": (nn.RNN, {"nonlinearity": "relu"}),
    "gru": (nn.GRU, {}),
    "lstm": (nn.LSTM, {}),
    "lstm_proj": (nn.LSTM, {"proj_size": 1}),
}
STEPS, BATCH, IN, HIDDEN = 3, 3, 2, 2


def layer(w, kind, variant, lengths=None, states=False, single=False, f32=False, **options):
    make, fixed = KINDS[kind]
    net = make(IN, HIDDEN, dtype=torch.float64, **fixed, **options)
    sizes = [(name, p.shape) for name, p in net.named_parameters()]
    parts = net.num_layers * (2 if net.bidirectional else 1)
    batch = () if single else (BATCH,)

    def forward(x, flat, h, c, lengths):
        parameters, at = {}, 0
        for name, shape in sizes:
            parameters[name] = flat[at:at + shape.numel()].reshape(shape)
            at += shape.numel()
        if lengths is not None:
            x = pack_padded_sequence(x, lengths, batch_first=net.batch_first, enforce_sorted=False)
        first = None if h is None else h if c is None else (h, c)
        out, last = functional_call(net, parameters, (x, first))
        if lengths is not None:
            out, _ = pad_packed_sequence(out, batch_first=net.batch_first, total_length=STEPS)
        return (out, *last) if kind.startswith("lstm") else (out, last)

    x = draw(f"{kind} x", (BATCH, STEPS, IN) if net.batch_first and not single else (STEPS, *batch, IN))
    flat = draw(f"{kind} {variant}", (sum(s.numel() for _, s in sizes),), -1, 1)
    h = draw(f"{kind} h", (parts, *batch, net.proj_size or HIDDEN), -1, 1) if states else None
    c = draw(f"{kind} c", (parts, *batch, HIDDEN), -1, 1) if states and kind.startswith("lstm") else None
    attributes = " ".join(f"{name}={int(value)}" for name, value in options.items())
    write = w.both if f32 else w.case
    write(kind, variant, forward, x, flat, h, c, None if lengths is None else i64(lengths), order=1,
          attributes=attributes)


def layers(w):
    for kind in KINDS:
        layer(w, kind, "plain", f32=True)
        layer(w, kind, "lengths", lengths=[2, 3, 1], num_layers=2, bidirectional=True, states=True)
        if kind == "relu":  # the rest is not about the function
            continue
        layer(w, kind, "no_bias_two_layers", num_layers=2, bias=False, states=True)
        layer(w, kind, "both_ways", bidirectional=True, states=True)
        layer(w, kind, "lengths_batch_first", lengths=[3, 1, 2], batch_first=True, bidirectional=True)
        layer(w, kind, "batch_first", batch_first=True, states=True, f32=True)
        layer(w, kind, "single", single=True, batch_first=True, bidirectional=True, states=True)


def cells(w):
    one = {"rnn_tanh_cell": (1, torch.rnn_tanh_cell), "rnn_relu_cell": (1, torch.rnn_relu_cell),
           "gru_cell": (3, torch.gru_cell)}
    for variant, batch, bias in (("plain", (2,), True), ("no_bias", (2,), False), ("single", (), True)):
        write = w.both if variant == "plain" else w.case
        # PyTorch's functions want a batch; its modules add it, as we do.
        row = lambda x: x if x.dim() == 2 else x.unsqueeze(0)
        like = lambda y, x: y if x.dim() == 2 else y.squeeze(0)
        for key, (gates, cell) in one.items():
            function = lambda x, h, *weights, cell=cell: like(cell(row(x), row(h), *weights), x)
            write(key, variant, function, *states_and_weights(key, gates, batch, bias))
        x, h, *weights = states_and_weights("lstm_cell", 4, batch, bias)
        c = draw("lstm_cell c", h.shape, -1, 1)
        function = lambda x, h, c, *weights: like(torch.cat(torch.lstm_cell(row(x), (row(h), row(c)), *weights), -1), x)
        write("lstm_cell", variant, function, x, h, c, *weights)


def states_and_weights(key, gates, batch, bias):
    draw_one = lambda what, *shape: draw(f"{key} {what}", shape, -1, 1)
    rows = gates * HIDDEN
    biases = [draw_one("b_ih", rows), draw_one("b_hh", rows)] if bias else [None, None]
    return [draw_one("x", *batch, 3), draw_one("h", *batch, HIDDEN), draw_one("w_ih", rows, 3),
            draw_one("w_hh", rows, HIDDEN)] + biases
