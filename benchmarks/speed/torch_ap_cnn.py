"""The peer: AP-CNN in PyTorch, training and batch scoring, as a competent engineer writes it."""

import torch
from torch import nn
from torch.nn import functional


class TorchAPCNN(nn.Module):
    """Convolution, attentive pooling, cosine."""

    def __init__(self, vocabulary, embedding, filters, window=3, score_scale=1.0):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.convolution = nn.Conv1d(embedding, filters, window, padding=window // 2)
        self.alignment = nn.Parameter(torch.empty(filters, filters))
        nn.init.xavier_uniform_(self.alignment)
        self.score_scale = score_scale

    def encode(self, ids):
        """Return features `(..., length, filters)` and the mask of real tokens."""
        flat = ids.flatten(0, -2)
        # Row 0 of a copied embedding need not be zero, and a convolution would see it at the last real tokens.
        vectors = self.embedding(flat) * (flat != 0)[..., None]
        features = self.convolution(vectors.transpose(1, 2)).transpose(1, 2)
        return features.view(*ids.shape, -1), ids != 0

    def all_pairs(self, question_ids, answer_ids):
        """Return similarities of every question with every answer of a batch."""
        question, question_real = self.encode(question_ids)
        answer, answer_real = self.encode(answer_ids)
        scores = torch.einsum("qld,amd->qlam", question @ self.alignment, answer)
        real = question_real[:, :, None, None] & answer_real[None, None]
        scores = scores.masked_fill(~real, -1e9)
        weights = self._softmax(scores.amax(3).transpose(1, 2), question_real[:, None])
        question_vector = weights @ question  # (questions, answers, filters)
        answer_vector = torch.einsum("qam,amd->qad", self._softmax(scores.amax(1), answer_real[None]), answer)
        return functional.cosine_similarity(question_vector, answer_vector, dim=-1)

    def candidates(self, question, question_real, answer, answer_real):
        """Return similarities of each question's own candidates from encoded sides."""
        batch, count, length, width = answer.shape
        columns = answer.reshape(batch, count * length, width).transpose(1, 2)
        scores = ((question @ self.alignment) @ columns).view(batch, -1, count, length)
        scores = scores.masked_fill(~(question_real[:, :, None, None] & answer_real[:, None]), -1e9)
        question_vector = self._softmax(scores.amax(3).transpose(1, 2), question_real[:, None]) @ question
        weights = self._softmax(scores.amax(1), answer_real)
        answer_vector = (weights[:, :, None] @ answer)[:, :, 0]
        return functional.cosine_similarity(question_vector, answer_vector, dim=-1)

    def _softmax(self, scores, real):
        scores = (self.score_scale * torch.tanh(scores)).masked_fill(~real, -1e9)
        return torch.softmax(scores, -1)


def in_batch_step(model, question_ids, answer_ids, temperature=0.05):
    """Return a callable that makes one training step with in-batch wrong answers."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    right = torch.arange(len(question_ids))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(model.all_pairs(question_ids, answer_ids) / temperature, right)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    return step


def hardest_step(model, question_ids, answer_ids, margin=0.5):
    """Return a callable that makes one step on the hardest of the sampled wrong answers; column 0 is right."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            scores = model.candidates(*model.encode(question_ids), *model.encode(answer_ids))
        hardest = scores[:, 1:].argmax(1) + 1
        chosen = answer_ids[
            torch.arange(len(answer_ids))[:, None], torch.stack([torch.zeros_like(hardest), hardest], 1)
        ]
        similarity = model.candidates(*model.encode(question_ids), *model.encode(chosen))
        loss = functional.relu(margin - similarity[:, 0] + similarity[:, 1]).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    return step


@torch.inference_mode()
def score_pools(model, question_ids, answer_ids, pools, batch=64):
    """Encode both sides once, then score each question against its gathered pool, cut to the pool's longest answer."""
    encoded = [model.encode(answer_ids[i : i + batch]) for i in range(0, len(answer_ids), batch)]
    answers, real = (torch.cat(parts) for parts in zip(*encoded))
    questions, question_real = model.encode(question_ids)
    lengths, scores = real.sum(1), []
    for i, pool in enumerate(pools):
        longest, words = int(lengths[pool].max()), int(question_real[i].sum())
        scores.append(
            model.candidates(
                questions[i : i + 1, :words],
                question_real[i : i + 1, :words],
                answers[pool][None, :, :longest],
                real[pool][None, :, :longest],
            )[0]
        )
    return torch.stack(scores)


@torch.no_grad()
def copy_weights(ours, peer):
    """Give the PyTorch model the weights of an `APCNN`."""
    convolution = ours.sequence_encoder.encoder
    peer.embedding.weight.copy_(torch.as_tensor(ours.sequence_encoder.embedding.embeddings.numpy()))
    peer.convolution.weight.copy_(torch.as_tensor(convolution.kernel.numpy().transpose(2, 1, 0)))
    peer.convolution.bias.copy_(torch.as_tensor(convolution.bias.numpy()))
    peer.alignment.copy_(torch.as_tensor(ours.pooling.alignment_kernel.numpy()))
