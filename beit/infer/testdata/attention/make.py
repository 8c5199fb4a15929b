#!/usr/bin/python3
"""Writes models.json and reference.npz: attention weights and codes of four networks with random weights, computed in float64.

    make.py            into the folder of this script, small networks
    make.py DIR real   into DIR, ViT-B/16 for images of 224: BEIT_ATTENTION=DIR go test -run Reference ./beit/infer reads them

Run it with PyTorch 1.13 and NumPy (Debian 12: python3-torch). The forward passes are written here from the papers' equations, and share nothing with
the Go code. Weights and pixels are no part of the files: models.json lists names, shapes and ranges, and both sides draw them by the same counter.
"""
import json, math, os, sys
import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
MASK = (1 << 64) - 1
NORMS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "symmetric": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


def bits(stream, n):
    """n random numbers of 24 bits: splitmix64 of stream·2^32, stream·2^32 + 1, …"""
    with np.errstate(over="ignore"):
        z = (np.arange(n, dtype=np.uint64) + np.uint64(stream << 32)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return z >> np.uint64(40)


def pixels(size):
    """An image [size, size, 3] of bytes, smooth in parts."""
    noise = (bits(0, size * size * 3) >> np.uint64(17)).reshape(size, size, 3)  # 7 bits
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    return ((noise + (y * 4 + x * 7 * (c + 1)).astype(np.uint64)) & np.uint64(255)).astype(np.uint8)


class Network:
    """Names, shapes and values of a network's tensors. A value is offset + scale·u, u uniform in [-1/2, 1/2); scale is a power of two."""

    def __init__(self, file, norm, size, patch, d, depth, heads):
        self.about = dict(file=file, size=size, patch=patch, tensors=[])
        self.norm, self.patch, self.d, self.depth, self.heads, self.grid = norm, patch, d, depth, heads, size // patch
        self.p = {}

    def add(self, name, *shape, offset=0.0, scale=0.5, unit=False):
        n = int(np.prod(shape))
        stream = len(self.about["tensors"]) + 1
        v = offset + scale * (bits(stream, n).astype(np.float64) / 2**24 - 0.5)
        if unit:
            v = v.reshape(shape)
            v /= np.sqrt((v * v).sum(-1, keepdims=True))
        self.p[name] = torch.from_numpy(v.astype(np.float32).astype(np.float64).reshape(shape))
        self.about["tensors"].append([name, list(shape), offset, scale, unit])

    def linear(self, name, out, fan_in, bias=True):
        self.add(name + ".weight", out, fan_in, scale=self.spread(fan_in))
        if bias:
            self.add(name + ".bias", out)

    @staticmethod
    def spread(fan_in):
        return 2.0 ** round(math.log2(4 / math.sqrt(fan_in)))

    def layer_norm(self, name, d):
        self.add(name + ".weight", d, offset=1.0)
        self.add(name + ".bias", d)

    def conv(self, name, d, channels, patch, bias=True):
        self.add(name + ".weight", d, channels, patch, patch, scale=self.spread(channels * patch * patch))
        if bias:
            self.add(name + ".bias", d)


def norm(p, name, x, eps):
    return F.layer_norm(x, x.shape[-1:], p[name + ".weight"], p[name + ".bias"], eps)


def linear(p, name, x):
    return x @ p[name + ".weight"].T + p[name + ".bias"]


def attend(q, k, v, heads, bias):
    """Attention of rows [T, d]: the weights [H, T, T], and the mixed values [T, d]."""
    t, d = q.shape
    split = lambda x: x.reshape(t, heads, d // heads).transpose(0, 1)
    logits = split(q) @ split(k).transpose(1, 2) / math.sqrt(d // heads)
    if bias is not None:
        logits = logits + bias
    w = logits.softmax(-1)
    return w, (w @ split(v)).transpose(0, 1).reshape(t, d)


def relative_index(grid):
    """The rows of a relative position bias table, [N+1, N+1], for a square window."""
    side, n = 2 * grid - 1, grid * grid
    index = np.zeros((n + 1, n + 1), dtype=np.int64)
    for q in range(n):
        for k in range(n):
            index[q + 1, k + 1] = (q // grid - k // grid + grid - 1) * side + q % grid - k % grid + grid - 1
    index[0, :], index[:, 0], index[0, 0] = side * side, side * side + 1, side * side + 2
    return torch.from_numpy(index)


def tokens(net, image, prefix="", conv="patch_embed.proj"):
    """Patch embeddings [N, d] of normalised images."""
    p = net.p
    x = F.conv2d(image[None], p[prefix + conv + ".weight"], p.get(prefix + conv + ".bias"), stride=net.patch)
    return x[0].flatten(1).T


def normalised(net, raw):
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in NORMS[net.norm])
    return (torch.from_numpy(raw.astype(np.float64)).permute(2, 0, 1) / 255 - mean) / std


def dino(net, raw):
    p, maps = net.p, []
    x = torch.cat([p["cls_token"][0], tokens(net, normalised(net, raw))]) + p["pos_embed"][0]
    for i in range(net.depth):
        b = f"blocks.{i}."
        q, k, v = linear(p, b + "attn.qkv", norm(p, b + "norm1", x, 1e-6)).chunk(3, -1)
        w, y = attend(q, k, v, net.heads, None)
        maps.append(w)
        x = x + linear(p, b + "attn.proj", y)
        x = x + linear(p, b + "mlp.fc2", F.gelu(linear(p, b + "mlp.fc1", norm(p, b + "norm2", x, 1e-6))))
    return maps, x


def beit(net, x, prefix, shared):
    """BEiT's blocks over tokens x [N+1, d]: no bias on keys, LayerScale and a relative position bias where there are such."""
    p, maps, index = net.p, [], relative_index(net.grid)
    for i in range(net.depth):
        b = f"{prefix}blocks.{i}."
        h = norm(p, b + "norm1", x, 1e-6) @ p[b + "attn.qkv.weight"].T
        q, k, v = h.chunk(3, -1)
        own = p.get(b + "attn.relative_position_bias_table", shared)
        bias = None if own is None else own[index].permute(2, 0, 1)
        w, y = attend(q + p[b + "attn.q_bias"], k, v + p[b + "attn.v_bias"], net.heads, bias)
        maps.append(w)
        one = torch.ones(())
        x = x + p.get(b + "gamma_1", one) * linear(p, b + "attn.proj", y)
        x = x + p.get(b + "gamma_2", one) * linear(p, b + "mlp.fc2", F.gelu(linear(p, b + "mlp.fc1", norm(p, b + "norm2", x, 1e-6))))
    return maps, x


def clip(net, raw):
    p, maps = net.p, []
    x = torch.cat([p["visual.class_embedding"][None], tokens(net, normalised(net, raw), "visual.", "conv1")]) + p["visual.positional_embedding"]
    x = norm(p, "visual.ln_pre", x, 1e-5)
    for i in range(net.depth):
        b = f"visual.transformer.resblocks.{i}."
        h = norm(p, b + "ln_1", x, 1e-5) @ p[b + "attn.in_proj_weight"].T + p[b + "attn.in_proj_bias"]
        w, y = attend(*h.chunk(3, -1), net.heads, None)
        maps.append(w)
        x = x + linear(p, b + "attn.out_proj", y)
        h = linear(p, b + "mlp.c_fc", norm(p, b + "ln_2", x, 1e-5))
        x = x + linear(p, b + "mlp.c_proj", h * torch.sigmoid(1.702 * h))
    return maps


def declare_dino(size, patch, d, depth, heads):
    net = Network("dino.safetensors", "imagenet", size, patch, d, depth, heads)
    net.add("cls_token", 1, 1, d)
    net.add("pos_embed", 1, net.grid**2 + 1, d)
    net.conv("patch_embed.proj", d, 3, patch)
    for i in range(depth):
        b = f"blocks.{i}."
        net.layer_norm(b + "norm1", d)
        net.linear(b + "attn.qkv", 3 * d, d)
        net.linear(b + "attn.proj", d, d)
        net.layer_norm(b + "norm2", d)
        net.linear(b + "mlp.fc1", 4 * d, d)
        net.linear(b + "mlp.fc2", d, 4 * d)
    net.layer_norm("norm", d)
    return net


def declare_beit_blocks(net, prefix, d, depth, heads, scaled, table):
    for i in range(depth):
        b = f"{prefix}blocks.{i}."
        if scaled:
            net.add(b + "gamma_1", d, offset=0.5)
            net.add(b + "gamma_2", d, offset=0.5)
        net.layer_norm(b + "norm1", d)
        net.add(b + "attn.q_bias", d)
        net.add(b + "attn.v_bias", d)
        if table:
            net.add(b + "attn.relative_position_bias_table", (2 * net.grid - 1) ** 2 + 3, heads, scale=4.0)
        net.linear(b + "attn.qkv", 3 * d, d, bias=False)
        net.linear(b + "attn.proj", d, d)
        net.layer_norm(b + "norm2", d)
        net.linear(b + "mlp.fc1", 4 * d, d)
        net.linear(b + "mlp.fc2", d, 4 * d)


def declare_mim(size, patch, d, depth, heads, codes):
    net = Network("beitv2_pretrained.safetensors", "imagenet", size, patch, d, depth, heads)
    net.add("cls_token", 1, 1, d)
    net.add("mask_token", 1, 1, d)
    net.conv("patch_embed.proj", d, 3, patch)
    net.add("rel_pos_bias.relative_position_bias_table", (2 * net.grid - 1) ** 2 + 3, heads, scale=4.0)
    declare_beit_blocks(net, "", d, depth, heads, True, False)
    net.layer_norm("norm", d)
    net.linear("lm_head", codes, d)
    return net


def declare_vqkd(size, patch, d, depth, heads, codes, dim):
    net = Network("vqkd.safetensors", "symmetric", size, patch, d, depth, heads)
    for part, channels, p, blocks in (("encoder.", 3, patch, depth), ("decoder.", dim, 1, 1)):
        net.add(part + "cls_token", 1, 1, d)
        net.add(part + "pos_embed", 1, net.grid**2 + 1, d)
        net.conv(part + "patch_embed.proj", d, channels, p)
        declare_beit_blocks(net, part, d, blocks, heads, False, False)
        net.layer_norm(part + "fc_norm", d)
    for name, out in (("encode_task_layer", dim), ("decode_task_layer", 16)):
        net.linear(name + ".0", d, d)
        net.linear(name + ".2", out, d)
    net.add("quantize.embedding.weight", codes, dim, unit=True)
    net.add("quantize.embedding.cluster_size", codes, offset=1.0)
    net.add("quantize.embedding.embed_avg", codes, dim)
    net.add("quantize.embedding.initted", 1, offset=1.0, scale=0.0)
    net.add("quantize.cluster_size", codes, offset=1.0)
    return net


def declare_clip(size, patch, d, depth, heads):
    net = Network("clip.safetensors", "clip", size, patch, d, depth, heads)
    net.add("visual.class_embedding", d)
    net.add("visual.positional_embedding", net.grid**2 + 1, d)
    net.conv("visual.conv1", d, 3, patch, bias=False)
    net.layer_norm("visual.ln_pre", d)
    for i in range(depth):
        b = f"visual.transformer.resblocks.{i}."
        net.layer_norm(b + "ln_1", d)
        net.add(b + "attn.in_proj_weight", 3 * d, d, scale=net.spread(d))
        net.add(b + "attn.in_proj_bias", 3 * d)
        net.linear(b + "attn.out_proj", d, d)
        net.layer_norm(b + "ln_2", d)
        net.linear(b + "mlp.c_fc", 4 * d, d)
        net.linear(b + "mlp.c_proj", d, 4 * d)
    net.layer_norm("visual.ln_post", d)
    net.add("visual.proj", d, 8, scale=net.spread(d))
    return net


def main(out, real):
    size, patch, d, depth, heads, codes, dim = (224, 16, 768, 12, 12, 8192, 32) if real else (24, 8, 128, 2, 2, 16, 8)
    shape = size, patch, d, depth, heads
    raw, arrays, models = pixels(size), {}, []

    def keep(net, maps):
        for i, w in enumerate(maps):
            if not real or i in (0, len(maps) // 2, len(maps) - 1):
                arrays[f"{net.about['file']}/attention.{i + 1}"] = w.numpy().astype(np.float32)
        models.append(net.about)

    net = declare_dino(*shape)
    keep(net, dino(net, raw)[0])

    net = declare_mim(*shape, codes)
    x = torch.cat([net.p["cls_token"][0], tokens(net, normalised(net, raw))])
    keep(net, beit(net, x, "", net.p["rel_pos_bias.relative_position_bias_table"])[0])

    net = declare_vqkd(*shape, codes, dim)
    p = net.p
    x = torch.cat([p["encoder.cls_token"][0], tokens(net, normalised(net, raw), "encoder.")]) + p["encoder.pos_embed"][0]
    maps, x = beit(net, x, "encoder.", None)
    keep(net, maps)
    z = norm(p, "encoder.fc_norm", x[1:], 1e-6)
    z = F.normalize(linear(p, "encode_task_layer.2", torch.tanh(linear(p, "encode_task_layer.0", z))), dim=-1)
    cosines = z @ p["quantize.embedding.weight"].T
    best = cosines.topk(2, dim=-1).values
    print("smallest gap between a patch's two nearest codes:", float((best[:, 0] - best[:, 1]).min()))
    arrays[net.about["file"] + "/codes"] = cosines.argmax(-1).numpy().astype(np.int32)
    arrays[net.about["file"] + "/cosines"] = best[:, 0].numpy().astype(np.float32)

    net = declare_clip(*shape)
    keep(net, clip(net, raw))

    np.savez_compressed(os.path.join(out, "reference.npz"), **arrays)
    with open(os.path.join(out, "models.json"), "w") as f:
        rows = ",\n".join(json.dumps(dict(m, tensors=None))[:-len("null}")] + "[\n" + ",\n".join(" " + json.dumps(t) for t in m["tensors"]) + "]}" for m in models)
        f.write("[" + rows + "]\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)), sys.argv[2:] == ["real"])
