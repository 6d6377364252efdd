"""Golden cases of moving averages of weights: AveragedModel, update by update."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from golden_training import STEPS
from golden_write import draw


class AverageNet(nn.Module):
    """2 -> 3 -> 2 with tanh and batch norm, which has buffers."""

    def __init__(self, dtype):
        super().__init__()
        self.l1, self.norm, self.l2 = nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)
        self.to(dtype)
        with torch.no_grad():
            for name, p in self.named_parameters():
                p.copy_(draw("average net " + name, p.shape, 0.2, 0.9))

    def forward(self, x):
        return self.l2(self.norm(torch.tanh(self.l1(x))))


def corrected(decay):
    """Adam's first moment, its bias corrected: of the average so far the sum is what it is times 1 - decay^n."""

    def update(average, weight, n):
        total = decay * average * (1 - decay ** int(n)) + (1 - decay) * weight
        return total / (1 - decay ** (int(n) + 1))

    return update


def warmup(decay):
    """tf.train.ExponentialMovingAverage with num_updates."""

    def update(average, weight, n):
        now = min(decay, (1 + int(n)) / (10 + int(n)))
        return now * average + (1 - now) * weight

    return update


def averages(w):
    """Results: the losses; of each parameter, and each float buffer if they are averaged, the averages after each step;
    the losses in evaluation with the averages, and with the weights."""

    def run(key, variant, dtype, use_buffers, **options):
        net = AverageNet(dtype)
        average = AveragedModel(net, use_buffers=use_buffers, **options)
        x, y = draw("average x", (5, 2)).to(dtype), draw("average y", (5, 2)).to(dtype)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.8)
        w.begin(key, variant)
        for p in net.parameters():
            w.put("in", p)
        w.put("in", x)
        w.put("in", y)
        averaged = list(average.module.parameters())
        if use_buffers:
            averaged += [average.module.norm.running_mean, average.module.norm.running_var]
        losses, series = [], [[] for _ in averaged]
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = F.mse_loss(net(x), y)
            loss.backward()
            optimizer.step()
            average.update_parameters(net)
            losses.append(loss.detach())
            for values, a in zip(series, averaged):
                values.append(a.detach().clone())
        w.put("out", torch.stack(losses))
        for values in series:
            w.put("out", torch.stack(values))
        average.eval()
        net.eval()
        w.put("out", torch.stack([F.mse_loss(average(x), y), F.mse_loss(net(x), y)]).detach())

    def both(key, use_buffers=False, **options):
        run(key, "f64", torch.float64, use_buffers, **options)
        run(key, "f32", torch.float32, use_buffers, **options)

    both("average_equal")
    both("average_equal_buffers", use_buffers=True)
    both("average_defaults", multi_avg_fn=get_ema_multi_avg_fn())
    both("average_exponential", multi_avg_fn=get_ema_multi_avg_fn(0.7))
    both("average_exponential_buffers", use_buffers=True, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    both("average_corrected", avg_fn=corrected(0.8))
    both("average_warmup", avg_fn=warmup(0.5))
