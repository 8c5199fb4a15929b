"""Speed of y = x·wᵀ in PyTorch with bfloat16 in and out. Answers each line "threads M N K" of the standard input with the seconds that
one product takes in full swing.
"""
import sys
import time

import torch

SETTLE, SWING = 0.25, 0.15  # seconds; as in products.go

for line in sys.stdin:
    threads, m, n, k = map(int, line.split())
    torch.set_num_threads(threads)
    x, w = (torch.rand(rows, k).sub(0.5).bfloat16() for rows in (m, n))
    y = torch.empty(m, n, dtype=torch.bfloat16)
    time.sleep(SETTLE)
    start = time.perf_counter()
    while time.perf_counter() - start < SWING:
        torch.mm(x, w.T, out=y)
    start = time.perf_counter()
    torch.mm(x, w.T, out=y)
    print(time.perf_counter() - start, flush=True)
