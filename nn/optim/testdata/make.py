"""Writes torch.json: weights after each step of PyTorch's optimizers, and rates of its schedules, in float64.

    python3 make.py > torch.json
"""
import json
import math

import torch

torch.set_default_dtype(torch.float64)


def gradients(step):
    # float32, as the engine gets them
    return [torch.tensor([math.cos(1.3 * step + i) * (1 + i) for i in range(n)]).float().double() for n in (4, 3)]


def steps(make, clip):
    weight = torch.nn.Parameter(torch.tensor([[0.5, -1.0], [0.25, 2.0]]))
    bias = torch.nn.Parameter(torch.tensor([0.0, 1.0, -0.5]))
    opt = make([{"params": [weight]}, {"params": [bias], "weight_decay": 0.0}])
    out = []
    for step in range(6):
        weight.grad, bias.grad = (g.reshape(p.shape).clone() for g, p in zip(gradients(step), (weight, bias)))
        norm = torch.nn.utils.clip_grad_norm_([weight, bias], clip if clip else float("inf"))
        for group in opt.param_groups:
            group["lr"] = 0.1 / (1 + step)
        opt.step()
        out.append({"norm": norm.item(), "weight": weight.flatten().tolist(), "bias": bias.tolist()})
    return out


def rates(make, n=12):
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = make(opt)
    out = []
    for _ in range(n):
        out.append(opt.param_groups[0]["lr"])
        opt.step()
        schedule.step()
    return out


optim, lr = torch.optim, torch.optim.lr_scheduler
optimizers = {
    "adam": (lambda p: optim.Adam(p, betas=(0.9, 0.99)), 0),
    "adam_l2_clip": (lambda p: optim.Adam(p, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1), 2.5),
    "adamw_clip": (lambda p: optim.AdamW(p, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1), 2.5),
    "sgd": (lambda p: optim.SGD(p, lr=1, weight_decay=0.1), 0),
    "sgd_momentum_clip": (lambda p: optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.1), 2.5),
    "sgd_nesterov": (lambda p: optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.1, nesterov=True), 0),
}
schedules = {
    "StepLR": lambda o: lr.StepLR(o, step_size=3, gamma=0.5),
    "MultiStepLR": lambda o: lr.MultiStepLR(o, milestones=[2, 7], gamma=0.1),
    "PolynomialLR": lambda o: lr.PolynomialLR(o, total_iters=8, power=1.5),
    "LinearLR": lambda o: lr.LinearLR(o, start_factor=0.25, end_factor=0.75, total_iters=8),
    "CosineAnnealingLR": lambda o: lr.CosineAnnealingLR(o, T_max=11, eta_min=0.1),
}
print(json.dumps({
    "torch": torch.__version__,
    "optimizers": {name: steps(*case) for name, case in optimizers.items()},
    "schedules": {name: rates(make) for name, make in schedules.items()},
}, indent=1))
