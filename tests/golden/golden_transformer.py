"""Golden cases of attention, transformer layers and positions, from torch.nn's modules.

The last input of a case of a module is all of its parameters, flattened and joined in the order of named_parameters().
"""
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from golden_write import INF, boolean, draw, f64, i64


def named(module, flat):
    """The parameters of a module, cut out of one vector."""
    found, at = {}, 0
    for name, p in module.named_parameters():
        found[name] = flat[at:at + p.numel()].reshape(p.shape)
        at += p.numel()
    assert at == flat.numel()
    return found


def parameters(module, name):
    return draw(name, (sum(p.numel() for p in module.parameters()),), -0.8, 0.8)


def call(module, flat, *args, **kwargs):
    with sdpa_kernel(SDPBackend.MATH):
        return functional_call(module, named(module, flat), args, kwargs)


def one(w, key, function, *inputs, order=1, single=False):
    (w.both if single else w.case)(key, "golden", function, *inputs, order=order)


def upper(n, m):
    """PyTorch's mask of what is not seen."""
    return torch.ones(n, m, dtype=torch.bool).triu(1)


# ---- multi-head attention --------------------------------------------------------------------------------------------


def heads(w):
    def mha(**kwargs):
        return nn.MultiheadAttention(4, 2, dtype=torch.float64, batch_first=not kwargs.pop("sequence_first", False),
                                     **kwargs)

    m = mha()
    p = parameters(m, "mha")
    x, y, z = draw("mha x", (2, 3, 4)), draw("mha y", (2, 2, 4)), draw("mha z", (2, 2, 4))
    run = lambda q, k, v, p, m=m, **a: call(m, p, q, k, v, need_weights=False, **a)[0]
    one(w, "mha_self", lambda x, p: run(x, x, x, p), x, p, order=2)
    one(w, "mha_cross", lambda x, y, p: run(x, y, y, p), x, y, p)
    one(w, "mha_three", lambda x, y, z, p: run(x, y, z, p), x, y, z, p)
    one(w, "mha_single", lambda x, y, p: run(x, y, y, p), x[0], y[0], p)
    one(w, "mha_causal", lambda x, p: run(x, x, x, p, attn_mask=upper(3, 3), is_causal=True), x, p, single=True)

    hidden = boolean([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    each = boolean([[[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[0, 0, 0], [1, 0, 1], [0, 0, 1]],
                    [[1, 1, 0], [0, 1, 1], [0, 0, 0]], [[0, 1, 1], [0, 1, 1], [0, 1, 0]]])
    bias = draw("mha bias", (3, 3))
    padding = boolean([[0, 0, 1], [0, 1, 0]])
    soft = draw("mha soft padding", (2, 3))
    seen = hidden & ~boolean([[0, 0, 0], [0, 0, 0], [1, 0, 0]])  # with the padding, some key is left for each query
    one(w, "mha_mask", lambda x, m, p: run(x, x, x, p, attn_mask=m), x, hidden, p, order=0)
    one(w, "mha_mask_heads", lambda x, m, p: run(x, x, x, p, attn_mask=m), x, each, p, order=0)
    one(w, "mha_mask_float", lambda x, m, p: run(x, x, x, p, attn_mask=m), x, bias, p)
    one(w, "mha_padding", lambda x, k, p: run(x, x, x, p, key_padding_mask=k), x, padding, p)
    one(w, "mha_both", lambda x, m, k, p: run(x, x, x, p, attn_mask=m, key_padding_mask=k), x, seen,
        boolean([[0, 0, 1], [0, 0, 0]]), p)
    one(w, "mha_both_float", lambda x, m, k, p: run(x, x, x, p, attn_mask=m, key_padding_mask=k), x, bias, soft, p)
    one(w, "mha_mixed", lambda x, m, k, p: run(x, x, x, p, attn_mask=m, key_padding_mask=torch.zeros(2, 3).double().masked_fill(k, -INF)),
        x, bias, padding, p)
    one(w, "mha_causal_padding", lambda x, k, p: run(x, x, x, p, attn_mask=upper(3, 3), key_padding_mask=k), x,
        boolean([[0, 0, 1], [0, 1, 0]]), p, order=0)
    one(w, "mha_single_masks", lambda x, m, k, p: run(x, x, x, p, attn_mask=m, key_padding_mask=k), x[0], each[:2],
        boolean([0, 0, 0]), p)
    shown = lambda x, y, p, **a: call(m, p, x, y, y, need_weights=True, **a)
    one(w, "mha_weights", lambda x, y, p: shown(x, y, p), x, y, p)
    one(w, "mha_weights_heads", lambda x, y, p: shown(x, y, p, average_attn_weights=False), x, y, p)
    one(w, "mha_weights_single", lambda x, y, p: shown(x, y, p), x[0], y[0], p)

    n = mha(bias=False)
    one(w, "mha_no_bias", lambda x, p: run(x, x, x, p, m=n), x, parameters(n, "mha no bias"))
    d = mha(kdim=3, vdim=5)
    y3, z5, q = draw("mha y3", (2, 2, 3)), draw("mha z5", (2, 2, 5)), parameters(d, "mha dims")
    one(w, "mha_dims", lambda x, y, z, p: run(x, y, z, p, m=d), x, y3, z5, q)
    e = mha(add_bias_kv=True, add_zero_attn=True)
    q = parameters(e, "mha extras")
    one(w, "mha_extras", lambda x, p: run(x, x, x, p, m=e), x, q, order=0)
    one(w, "mha_extras_masks", lambda x, k, p: run(x, x, x, p, m=e, attn_mask=upper(3, 3), key_padding_mask=k), x,
        padding, q)
    s = mha(sequence_first=True)
    one(w, "mha_sequence_first", lambda x, y, k, p: run(x, y, y, p, m=s, key_padding_mask=k), x.transpose(0, 1), y.transpose(0, 1),
        boolean([[0, 1], [0, 0]]), p)


def grouped(x, flat, heads, kv_heads, causal, turn=lambda x: x):
    """What nn.MultiheadAttention does, with fewer heads of keys and values, and queries and keys turned."""
    embed = x.shape[-1]
    d = embed // heads
    kv = kv_heads * d
    sizes = [(embed + 2 * kv) * embed, embed + 2 * kv, embed * embed, embed]
    wi, bi, wo, bo = torch.split(flat, sizes)
    q, k, v = torch.split(F.linear(x, wi.reshape(-1, embed), bi), [embed, kv, kv], -1)
    q, k, v = (y.unflatten(-1, (-1, d)).transpose(1, 2) for y in (q, k, v))
    with sdpa_kernel(SDPBackend.MATH):
        y = F.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=causal, enable_gqa=True)
    return F.linear(y.transpose(1, 2).flatten(2), wo.reshape(embed, embed), bo)


def beyond(w):
    x = draw("grouped x", (1, 3, 4))
    flat = draw("grouped", (8 * 4 + 8 + 16 + 4,), -0.8, 0.8)
    one(w, "mha_grouped", lambda x, p: grouped(x, p, 4, 2, False), x, flat)
    one(w, "mha_grouped_causal", lambda x, p: grouped(x, p, 4, 2, True), x, flat)
    whole = draw("turned", (12 * 4 + 12 + 16 + 4,), -0.8, 0.8)
    one(w, "mha_rotary", lambda x, p: grouped(x, p, 2, 2, True, rotary), x, whole)


# ---- layers and stacks ------------------------------------------------------------------------------------------------


def settings(**kwargs):
    return dict(d_model=4, nhead=2, dim_feedforward=3, batch_first=True, dtype=torch.float64) | kwargs


def encoders(w):
    x = draw("encoder x", (2, 3, 4))
    masks = dict(src_mask=upper(3, 3), src_key_padding_mask=boolean([[0, 0, 1], [0, 0, 0]]))
    layer = lambda **kwargs: nn.TransformerEncoderLayer(**settings(**kwargs))

    def case(key, m, *args, order=1, single=False, **kwargs):
        one(w, key, lambda x, p: call(m, p, x, **kwargs), x, parameters(m, "encoder"), order=order, single=single)

    case("encoder_post", layer(dropout=0.0).train())
    case("encoder_post_masks", layer().eval(), **masks)
    case("encoder_pre", layer(norm_first=True, activation="gelu").eval(), single=True)
    case("encoder_pre_causal", layer(norm_first=True, activation="gelu", layer_norm_eps=0.1).eval(), src_mask=upper(3, 3),
         is_causal=True)
    case("encoder_no_bias", layer(norm_first=True, bias=False).eval())
    case("encoder_stack", nn.TransformerEncoder(layer(), 2, enable_nested_tensor=False).eval(),
         mask=masks["src_mask"], src_key_padding_mask=masks["src_key_padding_mask"], order=0)
    case("encoder_stack_norm", nn.TransformerEncoder(layer(norm_first=True), 2, nn.LayerNorm(4, dtype=torch.float64),
                                                     enable_nested_tensor=False).eval())


def decoders(w):
    x, y = draw("decoder x", (2, 2, 4)), draw("decoder memory", (2, 3, 4))
    layer = lambda **kwargs: nn.TransformerDecoderLayer(**settings(**kwargs))
    masks = dict(tgt_mask=upper(2, 2), memory_key_padding_mask=boolean([[0, 0, 1], [0, 1, 0]]))

    def case(key, m, *args, order=1, single=False, x=x, y=y, **kwargs):
        one(w, key, lambda x, y, p: call(m, p, x, y, **kwargs), x, y, parameters(m, "decoder"), order=order, single=single)

    case("decoder_post", layer(dropout=0.0).train(), **masks)
    case("decoder_pre", layer(norm_first=True, activation="gelu").eval(), **masks)
    case("decoder_single", layer().eval(), x=x[0], y=y[0], order=0)
    case("decoder_no_bias", layer(bias=False).eval())
    case("decoder_stack_norm", nn.TransformerDecoder(layer(), 2, nn.LayerNorm(4, dtype=torch.float64)).eval(), order=0, **masks)


# ---- positions ---------------------------------------------------------------------------------------------------------


def rotary(x, base=10000.0, width=None, half=False, positions=None):
    """Pairs as complex numbers, multiplied by e^(i angle)."""
    width = x.shape[-1] if width is None else width
    p = torch.arange(x.shape[-2]).double() if positions is None else positions.double()
    angle = p.unsqueeze(-1) * torch.tensor([base ** (-2 * i / width) for i in range(width // 2)], dtype=torch.float64)
    turning, rest = x[..., :width], x[..., width:]
    pairs = turning.unflatten(-1, (2, -1)).transpose(-1, -2) if half else turning.unflatten(-1, (-1, 2))
    turned = torch.view_as_real(torch.view_as_complex(pairs.contiguous()) * torch.polar(torch.ones_like(angle), angle))
    turned = (turned.transpose(-1, -2) if half else turned).flatten(-2)
    return torch.cat([turned, rest], -1)


def sinusoids(length, width):
    table = torch.zeros(length, width, dtype=torch.float64)
    for p in range(length):
        for i in range(width):
            angle = p / math.pow(10000, (i - i % 2) / width)
            table[p, i] = math.cos(angle) if i % 2 else math.sin(angle)
    return table


def alibi(heads, queries, keys):
    def slopes(n):
        return [2 ** (-8 * (i + 1) / n) for i in range(n)]

    power = 2 ** math.floor(math.log2(heads))
    slope = f64(slopes(power) + slopes(2 * power)[0::2][:heads - power])
    distance = (torch.arange(queries).unsqueeze(1) + keys - queries - torch.arange(keys)).abs()
    return -slope[:, None, None] * distance


def positions(w):
    x = draw("rotary x", (2, 3, 4))
    one(w, "rotary", rotary, x, order=2)
    one(w, "rotary_half", lambda x: rotary(x, half=True), x)
    one(w, "rotary_some", lambda x: rotary(x, base=100.0, width=2), x)
    one(w, "rotary_some_half", lambda x: rotary(x, width=4, half=True),
        draw("rotary six", (2, 6)))
    one(w, "rotary_at", lambda x: rotary(x, positions=i64([5, 0, 1000])), x)
    one(w, "rotary_at_each", lambda x: rotary(x, positions=i64([[0, 1, 2], [7, 8, 9]])), x)
    for length, width in ((5, 4), (3, 5)):
        w.values(f"sinusoids_{width}", "golden", sinusoids(length, width))
    w.values("sinusoids_4", "golden.f32", sinusoids(5, 4).float())
    w.values("alibi_2", "golden", alibi(2, 3, 3))
    w.values("alibi_3", "golden", alibi(3, 2, 4))
    w.values("alibi_12", "golden", alibi(12, 1, 3))
    table = nn.Embedding(4, 3, dtype=torch.float64)
    one(w, "learned", lambda x, p: x + call(table, p, torch.arange(x.shape[-2])), draw("learned x", (2, 3, 3)),
        parameters(table, "learned"))
    one(w, "learned_at", lambda x, p: x + call(table, p, i64([3, 0, 3])), draw("learned x", (2, 3, 3)),
        parameters(table, "learned"))


def transformers(w):
    torch.backends.mha.set_fastpath_enabled(False)
    heads(w)
    beyond(w)
    encoders(w)
    decoders(w)
    positions(w)
