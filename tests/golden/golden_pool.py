"""Golden cases of pooling, resampling and sampling of images."""
import torch
import torch.nn.functional as F

from golden_write import INF, NAN, draw, f64, i64, integers

AXES = (1, 2, 3)


def numbers(x):
    return "[" + ",".join(str(i) for i in x) + "]" if isinstance(x, (tuple, list)) else str(x)


def text(options):
    """The attributes of a call by name, from PyTorch's keywords."""
    return " ".join(f"{k}={str(v).lower() if isinstance(v, bool) else v if isinstance(v, str) else numbers(v)}" for k, v in options.items())


def distinct(name, shape):
    """Values without ties in any window."""
    count = int(torch.tensor(shape).prod()) if shape else 1
    order = draw(name, (count,)).argsort(stable=True).argsort(stable=True)
    return ((order.double() - count // 2) / 8).reshape(shape)


def call(w, op, variant, function, x, options, *more, order=2, single=True):
    w.apply(op, variant, text(options), lambda *i: function(*i, **options), x, *more, order=order, single=single)


def maxima(w):
    two = [  # variant, shape, options
        ("kernel_2", (1, 1, 4, 4), dict(kernel_size=2)),
        ("batch_channels", (2, 2, 2, 4), dict(kernel_size=2)),
        ("unbatched", (2, 3, 4), dict(kernel_size=2)),
        ("odd", (1, 1, 5, 5), dict(kernel_size=2)),
        ("odd_ceil", (1, 1, 5, 5), dict(kernel_size=2, ceil_mode=True)),
        ("kernel_3_stride_2_padding_1", (1, 1, 5, 6), dict(kernel_size=3, stride=2, padding=1)),
        ("kernel_3_stride_1_padding_1", (1, 1, 3, 4), dict(kernel_size=3, stride=1, padding=1)),
        ("kernel_3", (1, 1, 4, 6), dict(kernel_size=3)),
        ("kernel_1", (1, 1, 2, 3), dict(kernel_size=1)),
        ("kernel_1_stride_2", (1, 1, 3, 5), dict(kernel_size=1, stride=2)),
        ("two_kernels", (1, 1, 4, 6), dict(kernel_size=[2, 3])),
        ("two_strides", (1, 1, 4, 5), dict(kernel_size=2, stride=[1, 3])),
        ("two_paddings", (1, 1, 3, 4), dict(kernel_size=[2, 3], stride=1, padding=[0, 1])),
        ("dilation_2", (1, 1, 5, 6), dict(kernel_size=2, stride=1, dilation=2)),
        ("dilation_2_padding_1", (1, 1, 5, 5), dict(kernel_size=3, stride=2, padding=1, dilation=2)),
        ("dilation_3_ceil", (1, 1, 4, 7), dict(kernel_size=[1, 2], stride=[1, 2], padding=[0, 1], dilation=[1, 3], ceil_mode=True)),
        ("stride_3_ceil", (1, 1, 5, 6), dict(kernel_size=2, stride=3, ceil_mode=True)),
        ("padding_ceil", (1, 1, 4, 5), dict(kernel_size=3, stride=2, padding=1, ceil_mode=True)),
        ("last_begins_in_padding", (1, 1, 3, 3), dict(kernel_size=2, stride=2, padding=1, ceil_mode=True)),
        ("whole", (1, 1, 3, 3), dict(kernel_size=3)),
        ("kernel_4_stride_3", (1, 1, 5, 8), dict(kernel_size=4, stride=3, padding=2)),
        ("one_row", (1, 1, 1, 6), dict(kernel_size=[1, 3], stride=1)),
        ("empty_batch", (0, 1, 4, 4), dict(kernel_size=2)),
    ]
    one = [
        ("kernel_2", (1, 2, 5), dict(kernel_size=2)),
        ("unbatched", (2, 6), dict(kernel_size=3, stride=2)),
        ("padding", (1, 1, 5), dict(kernel_size=3, stride=1, padding=1)),
        ("dilation", (1, 1, 7), dict(kernel_size=2, stride=2, padding=1, dilation=2)),
        ("ceil", (1, 1, 6), dict(kernel_size=3, stride=2, ceil_mode=True)),
    ]
    three = [
        ("kernel_2", (1, 1, 2, 2, 4), dict(kernel_size=2)),
        ("unbatched", (1, 3, 2, 3), dict(kernel_size=2, stride=1)),
        ("all_differ", (1, 1, 3, 4, 5), dict(kernel_size=[2, 1, 3], stride=[1, 2, 2], padding=[1, 0, 1], dilation=[1, 1, 1])),
        ("dilation_ceil", (1, 1, 3, 2, 4), dict(kernel_size=2, stride=[1, 1, 2], padding=[0, 1, 0], dilation=[2, 1, 1], ceil_mode=True)),
        ("more_than_before", (1, 1, 2, 2, 2), dict(kernel_size=2, stride=1, padding=1)),
    ]
    for d, cases in zip(AXES, (one, two, three)):
        function = getattr(F, f"max_pool{d}d")
        indexed = lambda x, f=function, **o: f(x, return_indices=True, **o)
        for variant, shape, options in cases:
            x = distinct(f"max{d} {variant}", shape)
            call(w, f"max_pool{d}d", variant, function, x, options, single=d == 2 or variant == "kernel_2")
            call(w, f"max_pool{d}d_with_indices", variant, indexed, x, options, single=variant == "kernel_2")
        infinite = torch.full((1, 1) + (3,) * d, -INF, dtype=torch.float64)
        call(w, f"max_pool{d}d_with_indices", "all_least", indexed, infinite, dict(kernel_size=3, stride=1, padding=1), order=1)
        sizes = [("3", 3), ("1", 1), ("all", [2, 3, 1][:d]), ("more", 5)]
        adaptive = getattr(F, f"adaptive_max_pool{d}d")
        for name, size in sizes:
            x = distinct(f"adaptive{d}", [(1, 2, 7), (2, 1, 4, 5), (1, 1, 3, 2, 4)][d - 1])
            call(w, f"adaptive_max_pool{d}d", name, adaptive, x, dict(output_size=size), single=d == 2)
            call(w, f"adaptive_max_pool{d}d_with_indices", name, lambda x, f=adaptive, **o: f(x, return_indices=True, **o), x,
                 dict(output_size=size), single=False)
        x = distinct(f"adaptive{d}", (2,) + (4,) * min(d, 2) + (2,) * (d - 2))
        call(w, f"adaptive_max_pool{d}d", "unbatched", adaptive, x, dict(output_size=2), single=False)
    x = distinct("adaptive2", (1, 1, 3, 4))
    w.apply("adaptive_max_pool2d", "keep", "output_size=[2,-1]", lambda x: F.adaptive_max_pool2d(x, (2, None)), x)
    indexed = lambda x, **o: F.max_pool2d(x, return_indices=True, **o)
    ties = f64([[[[1, 1, 0, 2], [1, 1, 2, 2], [-0.0, 0, 3, 3], [0, -0.0, 3, 4]]]])
    special = f64([[[[1, NAN, INF, 2], [NAN, 1, NAN, INF], [-INF, -INF, INF, INF], [-INF, -INF, 3, INF]]]])
    for name, x in (("ties", ties), ("special", special)):
        for o in (dict(kernel_size=2), dict(kernel_size=3, stride=1, padding=1), dict(kernel_size=2, stride=1, dilation=2)):
            variant = f"{name}_{o['kernel_size']}_{o.get('stride', 2)}_{o.get('dilation', 1)}"
            call(w, "max_pool2d_with_indices", variant, indexed, x, o, order=1)
            call(w, "max_pool2d", variant, F.max_pool2d, x, o, order=1)
        call(w, "adaptive_max_pool2d_with_indices", name, lambda x, **o: F.adaptive_max_pool2d(x, return_indices=True, **o), x,
             dict(output_size=3), order=1)
    for dtype in ("i32", "i64"):
        for o in (dict(kernel_size=2), dict(kernel_size=3, stride=2, padding=1)):
            x = integers("max", (1, 2, 4, 5), -9, 10, dtype)
            call(w, "max_pool2d_with_indices", f"{dtype}_{o['kernel_size']}", indexed, x, o, order=0, single=False)
            call(w, "max_pool2d", f"{dtype}_{o['kernel_size']}", F.max_pool2d, x, o, order=0, single=False)


def sweep(w):
    """Windows over one and three axes, in many combinations; sizes of adaptive pooling."""
    for d, extents in ((1, (9,)), (3, (4, 3, 5))):
        for number in range(18):
            kernel = [1 + (number + axis) % 3 for axis in range(d)]
            stride = [1 + (number // 3 + axis) % 3 for axis in range(d)]
            padding = [min(k // 2, (number + axis) % 2) for axis, k in enumerate(kernel)]
            options = dict(kernel_size=kernel, stride=stride, padding=padding, ceil_mode=number % 4 == 3)
            dilation = [2 if k == 2 and number % 2 else 1 for k in kernel]
            shape = (1,) * (1 + number % 2) + extents
            x = distinct(f"sweep{d} {number}", shape)
            for op in ("max_pool", "avg_pool"):
                more = dict(dilation=dilation) if op == "max_pool" else dict(count_include_pad=number % 3 > 0)
                call(w, f"{op}{d}d", f"sweep_{number}", getattr(F, f"{op}{d}d"), x, {**options, **more}, order=1, single=False)
            windows = dict(kernel_size=kernel[0], stride=stride[0]) if d == 1 else dict(kernel_size=kernel, stride=stride)
            power = dict(norm_type=1 + number % 3, ceil_mode=number % 4 == 3, **windows)
            call(w, f"lp_pool{d}d", f"sweep_{number}", getattr(F, f"lp_pool{d}d"), x.abs() + 0.5, power, order=1, single=False)
    for d, extents in ((1, (7,)), (2, (4, 5)), (3, (3, 4, 2))):
        for number in range(16):
            size = dict(output_size=[1 + (number * (axis + 1) + axis) % (extent + 2) for axis, extent in enumerate(extents)])
            x = distinct(f"adapt{d} {number}", (1,) * (1 + number % 2) + extents)
            for op in ("adaptive_avg_pool", "adaptive_max_pool"):
                call(w, f"{op}{d}d", f"sweep_{number}", getattr(F, f"{op}{d}d"), x, size, order=1, single=False)


def unpooling(w):
    for d in AXES:
        pool, unpool = getattr(F, f"max_pool{d}d"), getattr(F, f"max_unpool{d}d")
        def case(variant, shape, pooling, more={}, order=2):
            x, indices = pool(distinct(f"unpool{d}", shape), return_indices=True, **pooling)
            options = {k: v for k, v in {**pooling, **more}.items() if k != "ceil_mode"}
            call(w, f"max_unpool{d}d", variant, unpool, x, options, indices, order=order, single=variant == "kernel_2")
        case("kernel_2", (1, 2) + (4,) * min(d, 2) + (2,) * (d - 2), dict(kernel_size=2))
        case("unbatched", (2, 6) if d == 1 else (1, 2) + (4,) * (d - 1), dict(kernel_size=2))
        case("stride_padding", (1, 1) + (5,) * min(d, 2) + (3,) * (d - 2), dict(kernel_size=3, stride=2, padding=1))
        size = [5, 3, 3][:d]
        case("output_size", [1, 1] + size, dict(kernel_size=2), dict(output_size=size))
    x, indices = f64([[[[1, 2], [3, 4]]]]), i64([[[[5, 0], [9, 15]]]])
    call(w, "max_unpool2d", "given", F.max_unpool2d, x, dict(kernel_size=2), indices)
    call(w, "max_unpool2d", "i32", lambda x, i, **o: F.max_unpool2d(x, i.long(), **o), x, dict(kernel_size=2), indices.int())


def averages(w):
    two = [
        ("kernel_2", (1, 1, 4, 4), dict(kernel_size=2)),
        ("batch_channels", (2, 2, 2, 4), dict(kernel_size=2)),
        ("unbatched", (2, 3, 4), dict(kernel_size=2)),
        ("odd", (1, 1, 5, 5), dict(kernel_size=2)),
        ("odd_ceil", (1, 1, 5, 5), dict(kernel_size=2, ceil_mode=True)),
        ("kernel_3_stride_2_padding_1", (1, 1, 5, 6), dict(kernel_size=3, stride=2, padding=1)),
        ("padding_not_counted", (1, 1, 5, 6), dict(kernel_size=3, stride=2, padding=1, count_include_pad=False)),
        ("kernel_3_stride_1_padding_1", (1, 1, 3, 4), dict(kernel_size=3, stride=1, padding=1)),
        ("kernel_1", (1, 1, 2, 3), dict(kernel_size=1)),
        ("kernel_1_stride_2", (1, 1, 3, 5), dict(kernel_size=1, stride=2)),
        ("two_kernels", (1, 1, 4, 6), dict(kernel_size=[2, 3])),
        ("one_axis", (1, 1, 4, 3), dict(kernel_size=[2, 1])),
        ("two_strides", (1, 1, 4, 5), dict(kernel_size=2, stride=[1, 3])),
        ("two_paddings", (1, 1, 3, 4), dict(kernel_size=[2, 3], stride=1, padding=[0, 1])),
        ("padding_ceil", (1, 1, 4, 5), dict(kernel_size=3, stride=2, padding=1, ceil_mode=True)),
        ("padding_ceil_not_counted", (1, 1, 4, 5), dict(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)),
        ("last_begins_in_padding", (1, 1, 3, 3), dict(kernel_size=2, stride=2, padding=1, ceil_mode=True)),
        ("divisor", (1, 1, 4, 4), dict(kernel_size=2, divisor_override=3)),
        ("divisor_padding", (1, 1, 5, 4), dict(kernel_size=3, stride=2, padding=1, divisor_override=-2)),
        ("divisor_ceil", (1, 1, 5, 3), dict(kernel_size=2, ceil_mode=True, divisor_override=5)),
        ("whole", (1, 1, 3, 3), dict(kernel_size=3)),
        ("kernel_5_padding_2", (1, 1, 4, 6), dict(kernel_size=5, stride=3, padding=2)),
        ("empty_batch", (0, 1, 4, 4), dict(kernel_size=2)),
    ]
    one = [
        ("kernel_2", (1, 2, 5), dict(kernel_size=2)),
        ("unbatched", (2, 6), dict(kernel_size=3, stride=2)),
        ("padding", (1, 1, 5), dict(kernel_size=3, stride=1, padding=1)),
        ("not_counted", (1, 1, 5), dict(kernel_size=3, stride=2, padding=1, count_include_pad=False)),
        ("ceil", (1, 1, 6), dict(kernel_size=3, stride=2, padding=1, ceil_mode=True)),
    ]
    three = [
        ("kernel_2", (1, 1, 2, 2, 4), dict(kernel_size=2)),
        ("unbatched", (1, 3, 2, 3), dict(kernel_size=2, stride=1)),
        ("all_differ", (1, 1, 3, 4, 5), dict(kernel_size=[2, 1, 3], stride=[1, 2, 2], padding=[1, 0, 1])),
        ("not_counted", (1, 1, 3, 2, 4), dict(kernel_size=2, stride=[1, 1, 2], padding=1, ceil_mode=True, count_include_pad=False)),
        ("divisor", (1, 1, 2, 3, 2), dict(kernel_size=2, stride=1, padding=1, divisor_override=7)),
    ]
    for d, cases in zip(AXES, (one, two, three)):
        function = getattr(F, f"avg_pool{d}d")
        for variant, shape, options in cases:
            call(w, f"avg_pool{d}d", variant, function, draw(f"avg{d} {variant}", shape), options, single=d == 2 or variant == "kernel_2")
        adaptive = getattr(F, f"adaptive_avg_pool{d}d")
        for name, size in [("3", 3), ("1", 1), ("all", [2, 3, 1][:d]), ("more", 5)]:
            x = draw(f"adaptive_avg{d}", [(1, 2, 7), (2, 1, 4, 5), (1, 1, 3, 2, 4)][d - 1])
            call(w, f"adaptive_avg_pool{d}d", name, adaptive, x, dict(output_size=size), single=d == 2)
        x = draw(f"adaptive_avg{d}", (2,) + (4,) * min(d, 2) + (2,) * (d - 2))
        call(w, f"adaptive_avg_pool{d}d", "unbatched", adaptive, x, dict(output_size=2), single=False)
        lp = getattr(F, f"lp_pool{d}d")
        shape = [(1, 2, 5), (1, 1, 4, 5), (1, 1, 2, 3, 2)][d - 1]
        for p in (2, 3, 1.5):
            for name, o in (("plain", dict(kernel_size=2)), ("ceil", dict(kernel_size=2, stride=[2] + [1] * (d - 1), ceil_mode=True))):
                x = draw(f"lp{d}", shape, .2, 2)
                call(w, f"lp_pool{d}d", f"{name}_{p}", lp, x, dict(norm_type=p, **o), single=d == 2)
        call(w, f"lp_pool{d}d", "unbatched", lp, draw(f"lp{d}", shape[1:], .2, 2), dict(norm_type=2, kernel_size=2, stride=1), single=False)
        call(w, f"lp_pool{d}d", "even_of_any_sign", lp, draw(f"lp{d} signs", shape), dict(norm_type=2, kernel_size=2), single=False)
        for p in (INF, -INF):
            call(w, f"lp_pool{d}d", f"norm_{p}", lp, distinct(f"lp{d}", shape) + 1 / 64, dict(norm_type=p, kernel_size=2), single=False)
    w.apply("adaptive_avg_pool2d", "keep", "output_size=[-1,2]", lambda x: F.adaptive_avg_pool2d(x, (None, 2)), draw("keep", (1, 1, 3, 4)))
    call(w, "lp_pool2d", "zeros", F.lp_pool2d, f64([[[[0, 0, 1, 0], [0, 0, 0, 2]]]]), dict(norm_type=2, kernel_size=2), order=1)
    call(w, "lp_pool1d", "norm_-1", F.lp_pool1d, draw("lp1", (1, 2, 5), .2, 2), dict(norm_type=-1, kernel_size=2))
    call(w, "lp_pool2d", "negative", F.lp_pool2d, f64([[[[-2, -1, 1, .5], [-.5, -1, .25, 2]]]]), dict(norm_type=3, kernel_size=2), order=0)
    special = f64([[[[1, NAN, INF, 2], [3, 1, 1, INF], [-INF, 2, INF, 0], [3, 4, 3, -INF]]]])
    for o in (dict(kernel_size=2), dict(kernel_size=3, stride=1, padding=1)):
        call(w, "avg_pool2d", f"special_{o['kernel_size']}", F.avg_pool2d, special, o, order=1)


def pooling(w):
    maxima(w)
    sweep(w)
    unpooling(w)
    averages(w)


def interpolation(w):
    def case(variant, shape, order=2, single=True, **options):
        x = draw(f"interpolate {len(shape)}", shape)
        call(w, "interpolate", variant, F.interpolate, x, options, order=order, single=single)
    for mode in ("nearest", "nearest-exact"):
        case(f"{mode}_1d_up", (1, 2, 3), mode=mode, size=7)
        case(f"{mode}_1d_down", (1, 1, 7), mode=mode, size=3, single=False)
        case(f"{mode}_1d_factor", (1, 1, 5), mode=mode, scale_factor=1.7, single=False)
        case(f"{mode}_1d_recomputed", (1, 1, 5), mode=mode, scale_factor=1.7, recompute_scale_factor=True, single=False)
        case(f"{mode}_2d_twice", (2, 1, 2, 3), mode=mode, scale_factor=2)
        case(f"{mode}_2d_up_down", (1, 1, 2, 5), mode=mode, size=[5, 3])
        case(f"{mode}_2d_same", (1, 1, 2, 3), mode=mode, size=[2, 3], single=False)
        case(f"{mode}_2d_factors", (1, 1, 3, 4), mode=mode, scale_factor=[0.5, 1.5])
        case(f"{mode}_2d_nearly_same", (1, 1, 3, 4), mode=mode, scale_factor=1.2, single=False)
        case(f"{mode}_3d", (1, 1, 2, 3, 2), mode=mode, size=[3, 2, 3])
        case(f"{mode}_3d_twice", (1, 1, 1, 2, 2), mode=mode, scale_factor=2, single=False)
    for corners in (False, True):
        end = "_corners" if corners else ""
        linear = dict(mode="linear", align_corners=corners)
        case("linear_up" + end, (1, 2, 3), size=7, **linear)
        case("linear_down" + end, (1, 1, 7), size=3, **linear)
        case("linear_to_1" + end, (1, 1, 4), size=1, **linear)
        case("linear_from_1" + end, (1, 1, 1), size=3, **linear)
        case("linear_factor" + end, (1, 1, 5), scale_factor=1.7, **linear)
        case("linear_recomputed" + end, (1, 1, 5), scale_factor=1.7, recompute_scale_factor=True, **linear)
        for mode in ("bilinear", "bicubic"):
            two = dict(mode=mode, align_corners=corners)
            case(f"{mode}_twice{end}", (1, 2, 2, 3), scale_factor=2, **two)
            case(f"{mode}_half{end}", (1, 1, 4, 6), scale_factor=0.5, **two)
            case(f"{mode}_up_down{end}", (1, 1, 2, 5), size=[5, 3], **two)
            case(f"{mode}_down_up{end}", (1, 1, 5, 2), size=[2, 5], **two, single=False)
            case(f"{mode}_factors{end}", (1, 1, 4, 3), scale_factor=[0.7, 2.5], **two)
            case(f"{mode}_same{end}", (1, 1, 2, 3), size=[2, 3], **two, single=False)
            # where sizes are equal PyTorch's gradient of bicubic is that of no change at all, though its result is none such
            case(f"{mode}_nearly_same{end}", (1, 1, 3, 4), scale_factor=1.2, **two, order=2 if corners or mode == "bilinear" else 0)
            case(f"{mode}_one_axis{end}", (1, 1, 3, 4), size=[3, 6], **two, single=False)
            case(f"{mode}_to_1{end}", (1, 1, 3, 4), size=1, **two, single=False)
            case(f"{mode}_from_1{end}", (1, 1, 1, 1), size=[2, 3], **two, single=False)
        three = dict(mode="trilinear", align_corners=corners)
        case("trilinear" + end, (1, 1, 2, 3, 2), size=[3, 2, 3], **three)
        case("trilinear_twice" + end, (1, 1, 1, 2, 2), scale_factor=2, **three)
    case("area_1d", (1, 2, 5), mode="area", size=3)
    case("area_2d", (1, 1, 4, 5), mode="area", size=[2, 3])
    case("area_2d_up", (1, 1, 2, 3), mode="area", scale_factor=1.5)
    case("area_2d_mean", (1, 2, 3, 2), mode="area", size=1, single=False)
    case("area_3d", (1, 1, 2, 3, 2), mode="area", size=[1, 2, 3])
    x = f64([[[[1, NAN], [INF, 2]]]])
    for mode in ("nearest", "bilinear"):
        call(w, "interpolate", f"special_{mode}", F.interpolate, x, dict(mode=mode, scale_factor=2), order=0)


def shuffles(w):
    for op, function in (("pixel_shuffle", F.pixel_shuffle), ("pixel_unshuffle", F.pixel_unshuffle)):
        up = op == "pixel_shuffle"
        key = "upscale_factor" if up else "downscale_factor"
        for variant, shape, r in (("2", (1, 8, 1, 2) if up else (1, 2, 4, 2), 2), ("3", (9, 2, 1) if up else (1, 3, 6), 3),
                                  ("1", (1, 2, 2, 1), 1), ("rank_5", (2, 1, 4, 1, 2) if up else (2, 1, 1, 2, 4), 2),
                                  ("empty", (0, 4, 2, 2), 2)):
            if variant != "empty":
                call(w, op, variant, function, draw(op, shape), {key: r}, single=variant == "2")
            elif up:  # PyTorch's gradient of nothing has the wrong shape, and so has pixel_unshuffle's result
                call(w, op, variant, function, draw(op, shape), {key: r}, order=0, single=False)
        call(w, op, "i64", function, integers(op, (1, 4, 2, 2), -5, 5), {key: 2}, order=0, single=False)
        call(w, op, "bool", function, integers(op, (1, 4, 2, 2), 0, 2).bool(), {key: 2}, order=0, single=False)
    for variant, shape, groups in (("2", (1, 4, 2, 2), 2), ("3", (2, 6, 2), 3), ("1", (1, 3, 1, 2), 1), ("all", (1, 4, 1, 2), 4),
                                   ("rank_5", (1, 4, 1, 2, 2), 2)):
        call(w, "channel_shuffle", variant, torch.channel_shuffle, draw("channel_shuffle", shape), dict(groups=groups))


def columns(w):
    cases = [  # variant, image, options
        ("kernel_2", (1, 1, 3, 3), dict(kernel_size=2)),
        ("channels", (2, 2, 2, 3), dict(kernel_size=2)),
        ("unbatched", (2, 3, 2), dict(kernel_size=2)),
        ("kernel_1", (1, 2, 2, 2), dict(kernel_size=1)),
        ("padding", (1, 1, 2, 3), dict(kernel_size=3, padding=1)),
        ("stride", (1, 1, 4, 5), dict(kernel_size=2, stride=2)),
        ("dilation", (1, 1, 4, 4), dict(kernel_size=2, dilation=2)),
        ("all", (1, 1, 4, 5), dict(kernel_size=2, dilation=2, padding=1, stride=2)),
        ("two_kernels", (1, 1, 3, 4), dict(kernel_size=[2, 3])),
        ("two_strides", (1, 1, 3, 5), dict(kernel_size=2, stride=[1, 3])),
        ("two_paddings", (1, 1, 2, 3), dict(kernel_size=[1, 2], padding=[0, 1])),
        ("two_dilations", (1, 1, 4, 3), dict(kernel_size=2, dilation=[3, 1])),
        ("row", (1, 1, 1, 5), dict(kernel_size=[1, 3])),
        ("column", (1, 1, 5, 1), dict(kernel_size=[3, 1], stride=[2, 1])),
        ("whole", (1, 1, 3, 2), dict(kernel_size=[3, 2])),
        ("all_padding", (1, 1, 1, 1), dict(kernel_size=2, padding=2, stride=3)),
        ("gaps", (1, 1, 5, 5), dict(kernel_size=1, stride=2)),
        ("blocks", (1, 2, 4, 4), dict(kernel_size=2, stride=2)),
        ("stride_3_padding_2", (1, 1, 4, 3), dict(kernel_size=3, stride=3, padding=2)),
        ("large_padding", (1, 1, 2, 2), dict(kernel_size=2, stride=2, padding=3)),
        ("empty_batch", (0, 1, 3, 3), dict(kernel_size=2)),
    ]
    for variant, shape, options in cases:
        x = draw("columns", shape)
        few = variant in ("kernel_2", "all", "two_strides")
        call(w, "im2col", variant, F.unfold, x, options, single=few)
        y = draw("columns back", F.unfold(x, **options).shape)
        call(w, "col2im", variant, F.fold, y, dict(output_size=list(shape[-2:]), **options), single=few)


def resizing(w):
    interpolation(w)
    shuffles(w)
    columns(w)


def sampling(w):
    def case(variant, x, grid, **options):
        call(w, "grid_sample", variant, F.grid_sample, x, options, grid, order=1, single=variant.endswith("zeros"))
    for corners in (False, True):
        end = "_corners" if corners else ""
        for padding in ("zeros", "border", "reflection"):
            for mode in ("bilinear", "nearest", "bicubic"):
                x, grid = draw("grid x", (1, 2, 3, 4)), draw("grid", (1, 2, 3, 2), -1.6, 1.6, decimals=3)
                case(f"{mode}{end}_{padding}", x, grid, mode=mode, padding_mode=padding, align_corners=corners)
                far = draw("grid far", (2, 1, 3, 2), -9, 9, decimals=3)
                case(f"{mode}{end}_far_{padding}", draw("grid x", (2, 1, 3, 2)), far, mode=mode, padding_mode=padding, align_corners=corners)
                if mode != "bicubic":
                    x, grid = draw("grid x", (1, 1, 2, 3, 2)), draw("grid", (1, 2, 1, 2, 3), -1.6, 1.6, decimals=3)
                    case(f"{mode}{end}_3d_{padding}", x, grid, mode=mode, padding_mode=padding, align_corners=corners)
            one = draw("grid x", (1, 1, 1, 1)), draw("grid", (1, 1, 3, 2), -2.6, 2.6, decimals=3)
            case(f"one_element{end}_{padding}", *one, padding_mode=padding, align_corners=corners)
    edges = f64([[[[-1, -1], [1, 1], [0, 0], [1, 0]], [[-1, 1], [-0.5, 0.25], [2, 2], [-3, 5]]]])
    x = draw("grid x", (1, 1, 4, 4))
    for padding in ("zeros", "border", "reflection"):
        for mode in ("bilinear", "nearest", "bicubic"):
            for corners in (False, True):
                call(w, "grid_sample", f"edges_{mode}_{padding}_{corners}", F.grid_sample, x,
                     dict(mode=mode, padding_mode=padding, align_corners=corners), edges, order=0)
    call(w, "grid_sample", "no_points", F.grid_sample, x, dict(align_corners=False), f64([]).reshape(1, 0, 3, 2), order=1)
    infinite = f64([[[[INF, 1], [2, -INF]]]])
    for padding in ("zeros", "border"):
        call(w, "grid_sample", f"infinite_{padding}", F.grid_sample, infinite, dict(padding_mode=padding, align_corners=False),
             f64([[[[3, -3], [-3, 0.25], [3, 3], [0.25, 0.125]]]]), order=0)
    missing = f64([[[[NAN, 0.25], [0.25, NAN]]]])
    for mode in ("bilinear", "nearest"):
        for padding in ("zeros", "border", "reflection"):
            call(w, "grid_sample", f"nan_{mode}_{padding}", F.grid_sample, x, dict(mode=mode, padding_mode=padding, align_corners=False),
                 missing, order=0)
    for corners in (False, True):
        for variant, theta, size in (("2d", (2, 2, 3), [2, 1, 2, 3]), ("3d", (1, 3, 4), [1, 2, 2, 1, 2]), ("one", (1, 2, 3), [1, 1, 1, 1]),
                                     ("row", (1, 2, 3), [1, 1, 1, 4])):
            call(w, "affine_grid", f"{variant}_{corners}", F.affine_grid, draw("affine_grid", theta), dict(size=size, align_corners=corners))
