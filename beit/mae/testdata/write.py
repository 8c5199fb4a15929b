"""Writes a file as facebookresearch/mae publishes its models: write.py base|large|huge encoder|whole FILE.

Names and shapes are those of its models_mae.py, values are random but for the fixed tables of positions.
"""

import sys

import torch
from torch import nn


def positions(width, grid):
    table = torch.zeros(1, 1 + grid * grid, width, dtype=torch.float64)
    quarter = width // 4
    omega = torch.tensor([10000 ** (-i / quarter) for i in range(quarter)], dtype=torch.float64)
    for row in range(grid):
        for column in range(grid):
            parts = [f(at * omega) for at in (column, row) for f in (torch.sin, torch.cos)]
            table[0, 1 + row * grid + column] = torch.cat(parts)
    return nn.Parameter(table.float(), requires_grad=False)


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = MLP(width)


class Patches(nn.Module):
    def __init__(self, patch, width):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)


class MAE(nn.Module):
    def __init__(self, patch, width, depth, whole):
        super().__init__()
        grid = 224 // patch
        self.cls_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.pos_embed = positions(width, grid)
        self.patch_embed = Patches(patch, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        if whole:
            self.decoder_embed = nn.Linear(width, 512)
            self.mask_token = nn.Parameter(torch.randn(1, 1, 512) * 0.02)
            self.decoder_pos_embed = positions(512, grid)
            self.decoder_blocks = nn.ModuleList(Block(512) for _ in range(8))
            self.decoder_norm = nn.LayerNorm(512, eps=1e-6)
            self.decoder_pred = nn.Linear(512, patch * patch * 3)


def main(size, part, path):
    patch, width, depth = {"base": (16, 768, 12), "large": (16, 1024, 24), "huge": (14, 1280, 32)}[size]
    torch.save({"model": MAE(patch, width, depth, part == "whole").state_dict()}, path)


main(*sys.argv[1:])
