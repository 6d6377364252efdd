"""Golden cases of derivatives as tensors, and of ops that change the gradient."""
import torch
from torch.func import hessian, jacfwd, jacrev, jvp, vjp

from golden_write import draw

NAN, INF = float("nan"), float("inf")


def layer(x, w, b):
    return torch.tanh(x @ w.T) @ b


def loss(x, w, b):
    return torch.logsumexp(layer(x, w, b), 0)


def derivatives(w):
    def case(key, function, order=1):
        """In f32 the derivatives themselves: those of third order are small differences of large numbers there."""
        for rows in (1, 4):
            inputs = [draw(f"functional{n}", shape, -1, 1) for n, shape in enumerate([(rows, 3), (2, 3), (2,)])]
            w.case(key, f"rows{rows}", function, *inputs, order=order)
            w.case(key, f"rows{rows}.f32", function, *[i.float() for i in inputs], order=order - 1)

    def products(x, v, b):
        y, pull = vjp(lambda x, v: layer(x, v, b), x, v)
        gx, gv = pull(torch.cos(y))
        return gx @ gv.T

    def along(x, v, b):
        return jvp(lambda x, v: layer(x, v, b), (x, v), (x**2, torch.sin(v)))[1]

    def curved(x, v, b):
        gradient = torch.func.grad(lambda x, v: loss(x, v, b), (0, 1))
        gx, gv = jvp(gradient, (x, v), (x**2, torch.sin(v)))[1]
        return gx @ gv.T

    case("vjp", products, order=2)
    case("jvp", along, order=2)
    for by in range(3):
        case(f"jacobian{by}", jacrev(layer, by))
    case("jacobian_tall", lambda x, v, b: jacfwd(lambda b: torch.sin(torch.outer(x.reshape(-1), b**2)))(b))
    for block in range(9):
        case(f"hessian{block}", lambda x, v, b, block=block: hessian(loss, (0, 1, 2))(x, v, b)[block // 3][block % 3])
    case("hvp", curved)
    case("checkpoint", lambda x, v, b: torch.utils.checkpoint.checkpoint(
        lambda x, v, b: layer(x, v, b)**2, x, v, b, use_reentrant=False), order=2)


class Through(torch.autograd.Function):
    """The first argument's value, the second's gradient."""

    @staticmethod
    def forward(ctx, forward, backward):
        return forward.clone()

    @staticmethod
    def backward(ctx, g):
        return torch.zeros_like(g), g


def rewritten(x, change):
    y = x.clone()
    if y.requires_grad:
        y.register_hook(change)
    return y


def cotangents(w):
    shapes = [(4,), (2, 3), (), (0, 3)]
    for shape in shapes:
        name = "x".join(map(str, shape)) or "scalar"
        x, y = draw("cotangent x", shape), draw("cotangent y", shape)
        w.apply("straight_through", name, None, Through.apply, x, y)
        for factor in (2.5, 0.0, -1.0):
            w.apply("grad_scale", f"{name}.{factor}", f"factor={factor}",
                    lambda x, factor=factor: rewritten(x, lambda g: g * factor), x)
        w.apply("grad_reverse", name, None, lambda x: rewritten(x, lambda g: -g), x)
        w.apply("grad_reverse", name + ".half", "factor=0.5", lambda x: rewritten(x, lambda g: g * -0.5), x)
        w.apply("grad_clip", name, "low=-0.5 high=0.75", lambda x: rewritten(x, lambda g: g.clamp(-0.5, 0.75)), x)
    special = torch.tensor([NAN, INF, -INF, -0.0], dtype=torch.float64)
    w.apply("straight_through", "special", None, Through.apply, special, special.flip(0))
    w.apply("grad_scale", "special", "factor=2", lambda x: rewritten(x, lambda g: g * 2), special)
    w.apply("grad_clip", "special", "low=0 high=0.25", lambda x: rewritten(x, lambda g: g.clamp(0, 0.25)), special)
