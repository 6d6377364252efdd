"""Golden training runs: the losses of 50 steps on five batches in turn, then that of the first batch in evaluation mode.

A case holds the batches, x and y, and the first values of all parameters, joined in the order of named_parameters().
"""
import torch
import torch.nn.functional as F
from torch import nn

from golden_write import draw, integers

STEPS, BATCHES = 50, 5


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(4, 10), nn.Linear(10, 10), nn.Linear(10, 3)

    def forward(self, x):
        return self.l3(F.relu(self.l2(torch.tanh(self.l1(x)))))


class Cnn(nn.Module):
    """Convolutions without a bias: batch norm takes it away, and Adam makes noise of its gradient."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.norm2 = nn.Conv2d(3, 4, 2, bias=False), nn.BatchNorm2d(4)
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.avg_pool2d(F.relu(self.norm2(self.conv2(x))), 2)
        return self.out(x.flatten(1))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(6, 5), nn.Linear(5, 6)

    def forward(self, ids):
        return self.out(self.lstm(F.one_hot(ids, 6).double())[0])


class Gpt(nn.Module):
    """Two blocks with the norm first, causal."""

    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(7, 8), nn.Embedding(6, 8)
        block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0, activation="gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, 2, norm=nn.LayerNorm(8), enable_nested_tensor=False)
        self.out = nn.Linear(8, 7)

    def forward(self, ids):
        length = ids.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        return self.out(self.blocks(self.token(ids) + self.position.weight[:length], mask=mask))


def curve(w, name, net, optimizer, x, y):
    net = net.double()
    for key, p in net.named_parameters():
        # around one where a norm multiplies, else around zero
        low, high = (0.5, 1.5) if "norm" in key and key.endswith("weight") else (-0.5, 0.5)
        p.data = draw(f"curve {name} {key}", p.shape, low, high)
    w.begin(name, "losses")
    w.put("in", x)
    w.put("in", y)
    w.put("in", torch.cat([p.detach().flatten() for p in net.parameters()]))
    optimizer, losses = optimizer(net.parameters()), []
    for step in range(STEPS + 1):
        net.train(step < STEPS)
        logits = net(x[step % BATCHES])
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y[step % BATCHES].reshape(-1))
        losses.append(loss.item())
        if step < STEPS:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    w.put("out", torch.tensor(losses, dtype=torch.float64))


def curves(w):
    o = torch.optim
    curve(w, "mlp", Mlp(), lambda p: o.SGD(p, lr=0.1, momentum=0.9), draw("mlp x", (BATCHES, 8, 4)),
          integers("mlp y", (BATCHES, 8), 0, 3))
    curve(w, "cnn", Cnn(), lambda p: o.Adam(p, lr=0.02), draw("cnn x", (BATCHES, 6, 1, 6, 6)),
          integers("cnn y", (BATCHES, 6), 0, 3))
    ids = integers("lstm ids", (BATCHES, 7, 3), 0, 6)
    curve(w, "lstm", Lstm(), lambda p: o.Adam(p, lr=0.05), ids[:, :-1], ids[:, 1:])
    ids = integers("gpt ids", (BATCHES, 3, 7), 0, 7)
    curve(w, "gpt", Gpt(), lambda p: o.AdamW(p, lr=0.005, weight_decay=0.1), ids[:, :, :-1], ids[:, :, 1:])
