"""One training step in PyTorch: forward, loss, backward, clipping, Adam."""

import torch
from torch.nn import functional


def make_training_step(model, inputs, labels, compiled=False, learning_rate=1e-3, clip_norm=1.0):
    """Return a callable that makes one step and returns the loss as a tensor."""
    optimizer = torch.optim.Adam(model.parameters(), learning_rate, fused=True)

    def loss_of(*inputs):
        logits = model(*inputs)
        return functional.cross_entropy(logits.flatten(0, 1), labels.flatten())

    forward = torch.compile(loss_of) if compiled else loss_of

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = forward(*inputs)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
        return loss.detach()

    return step
