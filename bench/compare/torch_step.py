"""Images per second of one VQ-KD training step of the small32 preset in PyTorch, beside `beit bench`.

Same network, batch and optimizer as gobeit's small32 tokenizer: encoder of 6 blocks of width 192 on 32x32 images in patches of 4,
codebook 512 x 16 moved by EMA, decoder of 1 block, 30 teacher values a patch, cosine loss, AdamW. Data are random and stay in memory.

    python3 torch_step.py [threads] [steps]
"""
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

B, SIDE, PATCH, WIDTH, HEADS, K, D, TARGET = 128, 32, 4, 192, 3, 512, 16, 30
N = (SIDE // PATCH) ** 2


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, n, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        a = ((q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
        x = x + self.proj((a @ v).transpose(1, 2).reshape(b, n, WIDTH))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ViT(nn.Module):
    def __init__(self, inputs, depth):
        super().__init__()
        self.embed = nn.Linear(inputs, WIDTH)
        self.cls, self.pos = nn.Parameter(torch.zeros(1, 1, WIDTH)), nn.Parameter(torch.randn(1, N + 1, WIDTH) * 0.02)
        self.blocks, self.norm = nn.Sequential(*[Block() for _ in range(depth)]), nn.LayerNorm(WIDTH, eps=1e-6)

    def forward(self, patches):
        x = self.embed(patches)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        return self.norm(self.blocks(x)[:, 1:])


class Tokenizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = ViT(3 * PATCH * PATCH, 6), ViT(D, 1)
        self.to_code = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, D))
        self.to_target = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, TARGET))
        self.register_buffer("codebook", F.normalize(torch.randn(K, D), dim=-1))

    def forward(self, images, target):
        patches = F.unfold(images * 2 - 1, PATCH, stride=PATCH).transpose(1, 2)
        with torch.autocast("cpu", enabled=torch.is_autocast_cpu_enabled(), dtype=torch.bfloat16):
            h = self.encoder(patches)
        with torch.autocast("cpu", enabled=False):
            z = F.normalize(self.to_code(h.float()), dim=-1)
            flat = z.reshape(-1, D)
            codes = (flat.detach() @ self.codebook.t()).argmax(1)
            picked = self.codebook[codes].reshape(z.shape)
            with torch.no_grad():
                counts = torch.bincount(codes, minlength=K).unsqueeze(1)
                mean = F.normalize(torch.zeros(K, D).index_add_(0, codes, flat.detach()), dim=-1)
                mean = torch.where(counts == 0, self.codebook, mean)
                moved = F.normalize(0.99 * self.codebook + 0.01 * mean, dim=-1)
        out = self.to_target(self.decoder(z + (picked - z).detach()))
        loss = (1 - F.cosine_similarity(out.float(), target, dim=-1)).mean() + F.mse_loss(z, picked)
        self.codebook = moved
        return loss


def measure(bf16, steps):
    torch.manual_seed(0)
    model = Tokenizer()
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-4)
    images, target = torch.rand(B, 3, SIDE, SIDE), torch.randn(B, N, TARGET)
    times = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        with torch.autocast("cpu", enabled=bf16, dtype=torch.bfloat16):
            loss = model(images, target)
        opt.zero_grad()
        loss.backward()
        opt.step()
        times.append(time.perf_counter() - start)
    return B / statistics.median(times[2:])


if __name__ == "__main__":
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    torch.set_num_threads(threads)
    for name, bf16 in ("fp32", False), ("bf16 autocast", True):
        print(f"PyTorch {torch.__version__}, {threads} threads, {name}: {measure(bf16, steps):.1f} images/s")
