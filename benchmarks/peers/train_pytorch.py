"""Train 16 tanh units in PyTorch on 8-bit sums until all pairs come out right, as one would there.

Run: ``python benchmarks/peers/train_pytorch.py SEED``
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor, nn

BITS, HIDDEN, BATCH, RATE, CLIP, CHECK_EVERY = 8, 16, 64, 0.0625, 1.0, 10


class Adder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(2, HIDDEN)
        self.readout = nn.Linear(HIDDEN, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.readout(self.rnn(inputs)[0])[..., 0]


def encode(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return input vectors (T, N, 2) and digits of the sums (T, N)."""
    places = torch.arange(BITS + 1)[:, None]
    inputs = torch.stack([first >> places & 1, second >> places & 1], -1)
    return inputs.float(), (first + second >> places & 1).float()


def main(seed: int) -> None:
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    everything = encode(*torch.cartesian_prod(*[torch.arange(2**BITS)] * 2).T)
    net, loss = Adder(), nn.BCEWithLogitsLoss()
    adam = torch.optim.Adam(net.parameters(), RATE, fused=True)
    step = 0
    while True:
        step += 1
        inputs, targets = encode(*torch.randint(2**BITS, (2, BATCH)))
        logits = net(inputs)
        adam.zero_grad(set_to_none=True)
        loss(logits, targets).backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        adam.step()
        # All pairs take as long as 20 steps: not tried while even this batch has errors.
        if step % CHECK_EVERY == 0 and ((logits > 0) == (targets > 0)).all():
            with torch.inference_mode():
                if ((net(everything[0]) > 0) == (everything[1] > 0)).all():
                    break
    torch.save(net.state_dict(), f"adder-{seed}.pt")
    print(f"exact after {step} steps")


if __name__ == "__main__":
    main(int(sys.argv[1]))
