"""Speed and memory of one pretraining step of ViT-B/16 with patch aggregation in PyTorch, beside `beit bench`.

Same network as gobeit's base_300e: 12 blocks with LayerScale and one shared table of relative positions, 2 aggregation blocks on the
patches of block 9, 8192 codes, 75 of 196 patches hidden. Codes are given; there is no tokenizer and no data loading.

    python3 torch_mim.py fp32|bf16 [threads] [steps] [batch]
"""
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SIDE, PATCH, WIDTH, HEADS, DEPTH, EARLY, K, MASKED = 224, 16, 768, 12, 12, 9, 8192, 75
GRID = SIDE // PATCH
N = GRID * GRID


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.gamma_1, self.gamma_2 = nn.Parameter(torch.full((WIDTH,), 0.1)), nn.Parameter(torch.full((WIDTH,), 0.1))

    def forward(self, x, bias):
        b, n, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, n, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1) + bias
        y = (scores.softmax(-1).type_as(v) @ v).transpose(1, 2).reshape(b, n, WIDTH)
        x = x + self.gamma_1 * self.proj(y)
        return x + self.gamma_2 * self.fc2(F.gelu(self.fc1(self.norm2(x))))


class MIM(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH)
        self.cls, self.mask = nn.Parameter(torch.zeros(1, 1, WIDTH)), nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.table = nn.Parameter(torch.zeros((2 * GRID - 1) ** 2 + 3, HEADS))
        self.blocks = nn.ModuleList([Block() for _ in range(DEPTH)])
        self.extra = nn.ModuleList([Block() for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(WIDTH, eps=1e-6), nn.Linear(WIDTH, K)
        at = torch.stack(torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="ij")).flatten(1)
        apart = at[:, :, None] - at[:, None, :] + GRID - 1
        index = torch.full((N + 1, N + 1), (2 * GRID - 1) ** 2)
        index[1:, 1:] = apart[0] * (2 * GRID - 1) + apart[1]
        index[1:, 0] += 1
        index[0, 0] += 2
        self.register_buffer("index", index)

    def forward(self, images, hidden, codes):
        x = self.patch(images).flatten(2).transpose(1, 2)
        x = torch.where(hidden[..., None], self.mask.to(x.dtype), x)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1)
        bias = self.table[self.index.flatten()].reshape(N + 1, N + 1, HEADS).permute(2, 0, 1)
        for i, block in enumerate(self.blocks):
            x = block(x, bias)
            if i + 1 == EARLY:
                early = x[:, 1:]
        y = torch.cat([x[:, :1], early], 1)
        for block in self.extra:
            y = block(y, bias)
        label = codes[hidden]
        return sum(F.cross_entropy(self.head(self.norm(z)[:, 1:][hidden]), label) for z in (x, y))


def main():
    bf16 = sys.argv[1] == "bf16"
    threads, steps, batch = (int(a) for a in (sys.argv[2:] + ["2", "5", "8"][len(sys.argv) - 2:]))
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = MIM()
    opt = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.98), weight_decay=0.05)
    images, codes = torch.rand(batch, 3, SIDE, SIDE), torch.randint(K, (batch, N))
    hidden = torch.rand(batch, N).argsort(1) < MASKED

    def forward():
        with torch.autocast("cpu", enabled=bf16, dtype=torch.bfloat16):
            return model(images, hidden, codes)

    def step():
        loss = forward()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 3.0)
        opt.step()

    def speed(f):
        f()
        times = []
        for _ in range(steps):
            start = time.perf_counter()
            f()
            times.append(time.perf_counter() - start)
        return batch / statistics.median(times)

    train = speed(step)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    with torch.no_grad():
        only = speed(forward)
    print(f"PyTorch {torch.__version__}, {threads} threads, {sys.argv[1]}, batch {batch}: step {train:.2f}, forward {only:.2f} images/s, peak RSS {rss:.2f} GB")


if __name__ == "__main__":
    main()
