"""Writes splitmask.safetensors, peco.safetensors and manifest.json into this folder: python3 write.py

The networks are written down here on their own, in plain PyTorch and float64, from what beit/splitmask and beit/pixels.go say that they compute. A second
pass in float32 measures the noise of rounding, from which the tolerances come. Written with torch 1.13.
"""

import hashlib
import json
import math
import os
import struct

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
EPS = 1e-6


def linear(p, name, x):
    return F.linear(x, p[name + ".weight"], p.get(name + ".bias"))


def norm(p, name, x):
    return F.layer_norm(x, x.shape[-1:], p[name + ".weight"], p[name + ".bias"], EPS)


def block(p, name, x, heads):
    """A pre-norm transformer block. Queries, keys and values have one bias, or queries and values a bias each."""
    b, n, d = x.shape
    bias = p.get(name + ".attn.qkv.bias")
    if bias is None:
        q, v = p[name + ".attn.q_bias"], p[name + ".attn.v_bias"]
        bias = torch.cat([q, torch.zeros_like(q), v])
    qkv = F.linear(norm(p, name + ".norm1", x), p[name + ".attn.qkv.weight"], bias)
    q, k, v = qkv.reshape(b, n, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
    weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(d // heads), -1)
    x = x + linear(p, name + ".attn.proj", (weights @ v).transpose(1, 2).reshape(b, n, d))
    hidden = F.gelu(linear(p, name + ".mlp.fc1", norm(p, name + ".norm2", x)))
    return x + linear(p, name + ".mlp.fc2", hidden)


def patches(images, size):
    """[B, N, C*P*P], a patch channel by channel."""
    b, c, s, _ = images.shape
    g = s // size
    x = images.reshape(b, c, g, size, g, size).permute(0, 2, 4, 1, 3, 5)
    return x.reshape(b, g * g, c * size * size)


def unpatch(x, size):
    b, n, d = x.shape
    g, c = math.isqrt(n), d // size**2
    return x.reshape(b, g, g, c, size, size).permute(0, 3, 1, 4, 2, 5).reshape(b, c, g * size, g * size)


def embed(p, name, images, size):
    w = p[name + "patch_embed.proj.weight"]
    return patches(images, size) @ w.reshape(w.shape[0], -1).T + p[name + "patch_embed.proj.bias"]


def sincos(width, grid):
    """The positions of MAE: the first half tells the column, the second the row."""
    table, quarter = torch.zeros(1, 1 + grid * grid, width, dtype=torch.float64), width // 4
    for i in range(grid * grid):
        for half, at in enumerate((i % grid, i // grid)):
            angle = at * torch.tensor([10000 ** (-j / quarter) for j in range(quarter)], dtype=torch.float64)
            table[0, 1 + i, half * width // 2 :][: 2 * quarter] = torch.cat([angle.sin(), angle.cos()])
    return table


class Maker:
    """Draws parameters. Values are float32 numbers, so that both passes have the same."""

    def __init__(self, seed):
        self.random = torch.Generator().manual_seed(seed)
        self.p = {}

    def draw(self, *shape, scale=1.0, shift=0.0):
        return (torch.randn(*shape, generator=self.random) * scale + shift).double()

    def param(self, name, *shape, scale=0.3, shift=0.0):
        self.p[name] = self.draw(*shape, scale=scale, shift=shift)

    def linear(self, name, out, width, bias=True):
        self.param(name + ".weight", out, width)
        if bias:
            self.param(name + ".bias", out, scale=0.1)

    def norm(self, name, width):
        self.param(name + ".weight", width, scale=0.1, shift=1.0)
        self.param(name + ".bias", width, scale=0.1)

    def block(self, name, width, hidden, split_bias):
        self.norm(name + ".norm1", width)
        self.linear(name + ".attn.qkv", 3 * width, width, bias=not split_bias)
        if split_bias:
            self.param(name + ".attn.q_bias", width, scale=0.1)
            self.param(name + ".attn.v_bias", width, scale=0.1)
        self.linear(name + ".attn.proj", width, width)
        self.norm(name + ".norm2", width)
        self.linear(name + ".mlp.fc1", hidden, width)
        self.linear(name + ".mlp.fc2", width, hidden)

    def vit(self, name, c, split_bias, positions=True):
        self.param(name + "cls_token", 1, 1, c["embed_dim"])
        if positions:
            self.param(name + "pos_embed", 1, 1 + (c["img_size"] // c["patch_size"]) ** 2, c["embed_dim"])
        self.param(name + "patch_embed.proj.weight", c["embed_dim"], c["in_chans"], c["patch_size"], c["patch_size"])
        self.param(name + "patch_embed.proj.bias", c["embed_dim"], scale=0.1)
        for i in range(c["depth"]):
            self.block(f"{name}blocks.{i}", c["embed_dim"], int(c["mlp_ratio"] * c["embed_dim"]), split_bias)


SPLITMASK = {
    "batch": 3, "img_size": 12, "patch_size": 4, "in_chans": 3, "embed_dim": 12, "depth": 2, "num_heads": 2, "mlp_ratio": 2.0, "decoder_embed_dim": 8,
    "decoder_depth": 2, "decoder_num_heads": 2, "vocab": 7, "shown": 4, "contrast_weight": 0.5, "temperature": 0.2,
}


def splitmask_inputs():
    c, m = SPLITMASK, Maker(1)
    grid = c["img_size"] // c["patch_size"]
    m.vit("", c, split_bias=False, positions=False)
    m.norm("norm", c["embed_dim"])
    m.linear("decoder_embed", c["decoder_embed_dim"], c["embed_dim"])
    m.param("mask_token", 1, 1, c["decoder_embed_dim"])
    for i in range(c["decoder_depth"]):
        m.block(f"decoder_blocks.{i}", c["decoder_embed_dim"], int(c["mlp_ratio"] * c["decoder_embed_dim"]), False)
    m.norm("decoder_norm", c["decoder_embed_dim"])
    m.linear("lm_head", c["vocab"], c["decoder_embed_dim"])
    fixed = {"pos_embed": sincos(c["embed_dim"], grid).float().double(), "decoder_pos_embed": sincos(c["decoder_embed_dim"], grid).float().double()}
    inputs = {
        "images": m.draw(c["batch"], 3, c["img_size"], c["img_size"]),
        "noise": torch.rand(c["batch"], grid * grid, generator=m.random).double(),
        "codes": torch.randint(c["vocab"], (c["batch"], grid * grid), generator=m.random),
    }
    return m.p, fixed, inputs


def splitmask(p, fixed, inputs):
    c = SPLITMASK
    images, codes = inputs["images"], inputs["codes"]
    order = inputs["noise"].argsort(1)
    b, n = order.shape
    out, keep, pooled, losses = {}, {}, [], []
    for half, (shown, hidden) in enumerate([(order[:, : c["shown"]], order[:, c["shown"] :]), (order[:, c["shown"] :], order[:, : c["shown"]])]):
        take = lambda x, at: torch.gather(x, 1, at[..., None].expand(-1, -1, x.shape[-1]))
        x = take(embed(p, "", images, c["patch_size"]) + fixed["pos_embed"][:, 1:], shown)
        x = torch.cat([p["cls_token"].expand(b, -1, -1), x], 1)  # its position is zero
        for i in range(c["depth"]):
            x = block(p, f"blocks.{i}", x, c["num_heads"])
        latent = norm(p, "norm", x)
        x = linear(p, "decoder_embed", latent)
        full = p["mask_token"].expand(b, n, -1).clone()
        full = full.scatter(1, shown[..., None].expand(-1, -1, full.shape[-1]), x[:, 1:])
        x = torch.cat([x[:, :1], full], 1) + fixed["decoder_pos_embed"]
        for i in range(c["decoder_depth"]):
            x = block(p, f"decoder_blocks.{i}", x, c["decoder_num_heads"])
        x = norm(p, "decoder_norm", x)[:, 1:]
        pooled.append(x.mean(1))
        logits = linear(p, "lm_head", take(x, hidden)).reshape(-1, c["vocab"])
        losses.append(F.cross_entropy(logits, torch.gather(codes, 1, hidden).reshape(-1)))
        out |= {f"latent{half}": latent, f"pooled{half}": pooled[half], f"logits{half}": logits, f"loss{half}": losses[half]}
        keep |= {f"latent{half}": latent, f"logits{half}": logits, f"pooled{half}": pooled[half]}
    similar = F.normalize(pooled[0], dim=1) @ F.normalize(pooled[1], dim=1).T / c["temperature"]
    own = torch.arange(b)
    contrast = (F.cross_entropy(similar, own) + F.cross_entropy(similar.T, own)) / 2
    loss = losses[0] + losses[1] + c["contrast_weight"] * contrast
    return out | {"similar": similar, "contrast": contrast, "loss": loss}, keep, loss


VIT = {"img_size": 12, "patch_size": 4, "in_chans": 3, "embed_dim": 12, "depth": 1, "num_heads": 2, "mlp_ratio": 2.0}
PECO = {
    "batch": 2, "codes": 6, "code_dim": 4, "weight": 0.5, "encoder": VIT, "network": VIT | {"depth": 3, "embed_dim": 8}, "blocks": [1, 2, 3],
    "decoder": VIT | {"img_size": 3, "patch_size": 1, "in_chans": 4},
}
MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).reshape(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).reshape(3, 1, 1)


def peco_inputs():
    c, m, net = PECO, Maker(2), Maker(3)
    width, pixels = VIT["embed_dim"], 3 * VIT["patch_size"] ** 2
    for name, part in (("encoder.", c["encoder"]), ("decoder.", c["decoder"])):
        m.vit(name, part, split_bias=True)
        m.norm(name + "fc_norm", width)
    for name, out in (("encode_task_layer", c["code_dim"]), ("decode_task_layer", pixels)):
        m.linear(name + ".0", width, width)
        m.linear(name + ".2", out, width)
    codebook = F.normalize(m.draw(c["codes"], c["code_dim"]), dim=1).float().double()
    net.vit("", c["network"], split_bias=False)
    net.norm("norm", c["network"]["embed_dim"])
    buffers = {
        "quantize.embedding.weight": codebook, "quantize.embedding.cluster_size": torch.zeros(c["codes"]).double(),
        "quantize.embedding.embed_avg": torch.zeros(c["codes"], c["code_dim"]).double(), "quantize.embedding.initted": torch.ones(1).double(),
        "quantize.cluster_size": torch.zeros(c["codes"]).double(),
    }
    images = torch.rand(c["batch"], 3, VIT["img_size"], VIT["img_size"], generator=m.random).double()
    fixed = {"buffer/" + k: v for k, v in buffers.items()} | {"net/" + k: v for k, v in net.p.items()}
    return m.p, fixed, {"images": images}


def tokens(p, name, x, c):
    """The residual stream after each block, of patch embeddings x."""
    x = torch.cat([p[name + "cls_token"].expand(len(x), -1, -1), x], 1) + p[name + "pos_embed"]
    out = []
    for i in range(c["depth"]):
        x = block(p, f"{name}blocks.{i}", x, c["num_heads"])
        out.append(x)
    return out


def task_layer(p, name, x):
    return linear(p, name + ".2", torch.tanh(linear(p, name + ".0", x)))


def peco(p, fixed, inputs):
    c, images = PECO, inputs["images"]
    e, d = c["encoder"], c["decoder"]
    x = tokens(p, "encoder.", embed(p, "encoder.", 2 * images - 1, e["patch_size"]), e)[-1][:, 1:]
    features = task_layer(p, "encode_task_layer", norm(p, "encoder.fc_norm", x))
    z = F.normalize(features.reshape(-1, c["code_dim"]), dim=1)
    codebook = fixed["buffer/quantize.embedding.weight"]
    codes = (z @ codebook.T).argmax(1)
    chosen = codebook[codes]
    commitment = ((z - chosen) ** 2).mean()
    quantized = (z + (chosen - z).detach()).reshape(features.shape)
    w = p["decoder.patch_embed.proj.weight"]
    x = tokens(p, "decoder.", quantized @ w.reshape(w.shape[0], -1).T + p["decoder.patch_embed.proj.bias"], d)[-1][:, 1:]
    rebuilt = task_layer(p, "decode_task_layer", norm(p, "decoder.fc_norm", x))
    seen = images.detach()  # what is to be rebuilt has no gradient
    pixels = ((rebuilt - patches(2 * seen - 1, e["patch_size"])) ** 2).mean()
    net = {k[len("net/") :]: v for k, v in fixed.items() if k.startswith("net/")}
    look = lambda x: tokens(net, "", embed(net, "", (x - MEAN.to(x)) / STD.to(x), e["patch_size"]), c["network"])
    back, there = look((unpatch(rebuilt, e["patch_size"]) + 1) / 2), look(seen)
    unit = lambda x, i: F.normalize(x[i - 1][:, 1:], dim=2)
    perceptual = torch.stack([((unit(back, i) - unit(there, i)) ** 2).sum(2).mean() for i in c["blocks"]]).mean()
    loss = pixels + c["weight"] * perceptual + commitment
    out = {"features": features, "codes": codes, "rebuilt": rebuilt, "pixels": pixels, "perceptual": perceptual, "commitment": commitment, "loss": loss}
    return out, {"rebuilt": rebuilt}, loss


def run(model, inputs, dtype):
    """Outputs and gradients of one pass."""
    p, fixed, given = inputs
    cast = lambda v: v.clone().to(dtype) if v.is_floating_point() else v
    p = {k: v.detach().clone().to(dtype).requires_grad_() for k, v in p.items()}
    given = {k: cast(v) for k, v in given.items()}
    given["images"].requires_grad_()
    out, keep, loss = model(p, {k: v.to(dtype) for k, v in fixed.items()}, given)
    names = list(p) + ["images"] + list(keep)
    grads = torch.autograd.grad(loss, list(p.values()) + [given["images"]] + list(keep.values()))
    result = {"out/" + k: v.detach() for k, v in out.items()}
    for i, (name, g) in enumerate(zip(names, grads)):
        prefix = "grad/" if i < len(p) else "grad_in/" if i == len(p) else "grad_act/"
        result[prefix + name] = g
    return result


def tolerances(want, got):
    off, most = (want - got.double()).abs().max().item(), want.abs().max().item()
    relative = ((want - got.double()).norm() / want.norm()).item()
    digits = lambda x: float(f"{x:.3g}")
    return {"atol": digits(max(16 * off, 2e-6 * most, 1e-12)), "l2_rel_tol": digits(max(16 * relative, 2e-6))}


def save(path, tensors):
    header, data = {}, b""
    for name, v in sorted(tensors.items()):
        v = v.float() if v.is_floating_point() else v.int()
        content = v.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32" if v.is_floating_point() else "I32", "shape": list(v.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def write(name, config, model, inputs):
    p, fixed, given = inputs
    want, noisy = run(model, inputs, torch.float64), run(model, inputs, torch.float32)
    tensors = {"param/" + k: v for k, v in p.items()} | {"in/" + k: v for k, v in given.items()}
    tensors |= fixed if any("/" in k for k in fixed) else {"param/" + k: v for k, v in fixed.items()}
    entries = {k: {"shape": list(v.shape), "role": "input"} for k, v in tensors.items()}
    for k, v in want.items():
        entries[k] = {"shape": list(v.shape), "role": "expected"}
        if v.is_floating_point():
            entries[k] |= tolerances(v, noisy[k])
        else:
            assert torch.equal(v, noisy[k]), k
    path = os.path.join(HERE, name)
    tensors |= want
    tensors = {"tiny/" + k: v for k, v in tensors.items()}
    save(path, tensors)
    content = open(path, "rb").read()
    entries = {"tiny/" + k: v for k, v in sorted(entries.items())}
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "config": config, "tensors": entries}


def main():
    files = {
        "peco.safetensors": write("peco.safetensors", PECO, peco, peco_inputs()),
        "splitmask.safetensors": write("splitmask.safetensors", SPLITMASK, splitmask, splitmask_inputs()),
    }
    with open(os.path.join(HERE, "manifest.json"), "w") as f:
        json.dump({"source": "write.py, float64", "files": files}, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
