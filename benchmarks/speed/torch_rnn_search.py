"""The peer: RNNSearch in PyTorch, as a competent engineer writes it, with the same weights and the same numbers.

Keys and input projections are made once, outside the loop; the two products that start from the state are one; sources
are packed; keys and values stay per sentence in the beam; sentences that have ended leave the batch.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class TorchAttentionGRU(nn.Module):
    """The attention decoder, batch first; the reset gate after the product (as `nn.GRU` has it) or before it."""

    def __init__(self, input_width, value_width, units, attention_units, reset_after=True):
        super().__init__()
        self.units, self.attention_units, self.reset_after = units, attention_units, reset_after
        self.inputs = nn.Linear(input_width, 3 * units)
        self.context = nn.Linear(value_width, 3 * units, bias=False)
        # [W_a | U_z | U_r | U], the last of them apart where the reset comes before
        self.from_state = nn.Linear(units, attention_units + (3 if reset_after else 2) * units, bias=False)
        if reset_after:
            self.recurrent_bias = nn.Parameter(torch.zeros(units))
        else:
            self.candidate = nn.Linear(units, units, bias=False)
        self.keys = nn.Linear(value_width, attention_units, bias=False)
        self.score = nn.Parameter(torch.empty(attention_units).uniform_(-0.05, 0.05))

    def forward(self, embedded, value, state, blocked=None):
        """Return states and contexts of a whole target sequence; `blocked` (batch, source) is True at padding."""
        keys, inputs = self.keys(value), self.inputs(embedded)
        states, contexts = [], []
        for given in inputs.unbind(1):
            state, context = self.step(given, state, keys, value, blocked)
            states.append(state)
            contexts.append(context)
        return torch.stack(states, 1), torch.stack(contexts, 1)

    def step(self, given, state, keys, value, blocked=None):
        """Advance one step: `given` is what `self.inputs` made of the word before."""
        a, n = self.attention_units, self.units
        products = self.from_state(state)
        hidden = torch.tanh(products[..., None, :a] + (keys if state.dim() == 2 else keys[:, None]))
        scores = hidden @ self.score
        if blocked is not None:
            scores = scores.masked_fill(blocked if state.dim() == 2 else blocked[:, None], -1e30)
        weights = torch.softmax(scores, -1)
        context = (weights[:, None] @ value)[:, 0] if state.dim() == 2 else weights @ value
        given = given + self.context(context)
        gates = torch.sigmoid(given[..., : 2 * n] + products[..., a : a + 2 * n])
        update, reset = gates.chunk(2, -1)
        if self.reset_after:
            recurrent = reset * (products[..., a + 2 * n :] + self.recurrent_bias)
        else:
            recurrent = self.candidate(reset * state)
        candidate = torch.tanh(given[..., 2 * n :] + recurrent)
        return state + update * (candidate - state), context


class ResetBeforeGRU(nn.Module):
    """A bidirectional GRU whose reset gate comes before the product, which `nn.GRU` does not have; for decoding."""

    def __init__(self, input_width, units):
        super().__init__()
        self.units = units
        self.inputs = nn.ModuleList(nn.Linear(input_width, 3 * units) for _ in range(2))
        self.recurrent = nn.ModuleList(nn.Linear(units, 3 * units, bias=False) for _ in range(2))

    def forward(self, embedded, real):
        """Return both directions' states `(batch, length, 2 units)`; `real` `(batch, length)` is False at padding."""
        n, real, both = self.units, real[..., None], []
        for direction in range(2):
            given, kernel = self.inputs[direction](embedded), self.recurrent[direction].weight
            state, states = embedded.new_zeros(len(embedded), n), [None] * embedded.shape[1]
            for t in range(embedded.shape[1])[:: -1 if direction else 1]:
                gates = torch.sigmoid(given[:, t, : 2 * n] + state @ kernel[: 2 * n].T)
                kept, reset = gates.chunk(2, -1)
                candidate = torch.tanh(given[:, t, 2 * n :] + (reset * state) @ kernel[2 * n :].T)
                state = torch.where(real[:, t], kept * state + (1 - kept) * candidate, state)
                states[t] = state
            both.append(torch.stack(states, 1))
        return torch.cat(both, -1)


class TorchRNNSearch(nn.Module):
    """The whole model; `tie_embeddings` scores words by the target embeddings, as ours does."""

    def __init__(
        self,
        source_size,
        target_size,
        embedding,
        encoder_units,
        units,
        attention_units,
        maxout_units,
        tie=False,
        reset_after=True,
    ):
        super().__init__()
        self.source_embedding = nn.Embedding(source_size, embedding, padding_idx=None)
        self.target_embedding = nn.Embedding(target_size, embedding)
        if reset_after:
            self.encoder = nn.GRU(embedding, encoder_units, batch_first=True, bidirectional=True)
        else:
            self.encoder = ResetBeforeGRU(embedding, encoder_units)
        self.first_state = nn.Linear(encoder_units, units)
        self.decoder = TorchAttentionGRU(embedding, 2 * encoder_units, units, attention_units, reset_after)
        self.readout = nn.Linear(units + embedding + 2 * encoder_units, 2 * maxout_units)
        self.words = nn.Linear(maxout_units, embedding if tie else target_size)
        self.tie = tie
        self.dropout = 0.0

    def encode(self, source_ids, lengths=None):
        """Return annotations, first state and the mask of padding (None where there is none)."""
        embedded = self._drop(self.source_embedding(source_ids))
        if not self.decoder.reset_after:
            real = torch.arange(source_ids.shape[1]) < lengths[:, None]
            annotations, blocked = self.encoder(embedded, real), ~real
        elif lengths is None:
            annotations, _ = self.encoder(embedded)
            blocked = None
        else:
            packed = nn.utils.rnn.pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
            annotations, _ = nn.utils.rnn.pad_packed_sequence(
                self.encoder(packed)[0], batch_first=True, total_length=source_ids.shape[1]
            )
            blocked = torch.arange(source_ids.shape[1]) >= lengths[:, None]
        state = torch.tanh(self.first_state(annotations[:, 0, annotations.shape[2] // 2 :]))
        return self._drop(annotations), state, blocked

    def logits(self, states, embedded, contexts):
        """Return the logits over the vocabulary."""
        readout = self.readout(torch.cat([states, embedded, contexts], -1))
        readout = readout.unflatten(-1, (-1, 2)).amax(-1)
        words = self.words(self._drop(readout))
        return words @ self.target_embedding.weight.T if self.tie else words

    def forward(self, source_ids, target_ids, lengths=None):
        """Return logits `(batch, target_length, vocabulary)`."""
        annotations, state, blocked = self.encode(source_ids, lengths)
        embedded = self._drop(self.target_embedding(target_ids))
        states, contexts = self.decoder(embedded, annotations, state, blocked)
        return self.logits(states, embedded, contexts)

    def _drop(self, x):
        return functional.dropout(x, self.dropout, self.training)


@torch.inference_mode()
def greedy(model, source_ids, lengths, limits, start_id, end_id, forbidden):
    """Greedy decoding of a batch; sentences that have ended leave it once they are half. Returns a list of id lists."""
    annotations, state, blocked = model.encode(source_ids, lengths)
    keys = model.decoder.keys(annotations)
    rows = torch.arange(len(source_ids))
    tokens = torch.full((len(rows),), start_id)
    out = torch.zeros((len(rows), int(limits.max())), dtype=torch.long)
    live = limits > 0
    for position in range(out.shape[1]):
        if not live.any():
            break
        if live.sum() * 2 <= len(live):
            kept = live.nonzero()[:, 0]
            annotations, keys, blocked, state, tokens, rows, limits = (
                x[kept] for x in (annotations, keys, blocked, state, tokens, rows, limits)
            )
            live = live[kept]
        embedded = model.target_embedding(tokens)
        state, context = model.decoder.step(model.decoder.inputs(embedded), state, keys, annotations, blocked)
        logits = model.logits(state, embedded, context)
        logits[:, forbidden] = -torch.inf
        tokens = torch.where(live, logits.argmax(-1), 0)
        out[rows, position] = tokens
        live = live & (tokens != end_id) & (position + 1 < limits)
    return [[i for i in row if i] for row in out.tolist()]


@torch.inference_mode()
def beam(model, source_ids, lengths, limits, start_id, end_id, forbidden, width, alpha):
    """Beam search with the GNMT length norm, frozen hypotheses keeping their slots, exact stop; one id list a sentence.

    Memory stays per sentence. Sentences that are decided leave the batch once they are half of it.
    """
    annotations, state, blocked = model.encode(source_ids, lengths)
    keys = model.decoder.keys(annotations)
    count, longest = len(source_ids), int(limits.max())
    state = state[:, None].expand(-1, width, -1)
    tokens = torch.full((count, width), start_id)
    gained = torch.full((count, width), -torch.inf)
    gained[:, 0] = 0.0
    final = torch.full((count, width), -torch.inf)  # scores of the frozen
    written = torch.zeros((count, width, longest), dtype=torch.long)
    rows = torch.arange(count)
    result = [[] for _ in range(count)]
    norm = lambda length: ((5.0 + length) / 6.0) ** alpha  # noqa: E731
    for position in range(longest):
        if not len(rows):
            break
        embedded = model.target_embedding(tokens)
        state, context = model.decoder.step(model.decoder.inputs(embedded), state, keys, annotations, blocked)
        logits = model.logits(state, embedded, context)
        normalizer = logits.logsumexp(-1, keepdim=True)
        logits[..., forbidden] = -torch.inf
        best, ids = logits.topk(width, -1)
        totals = gained[..., None] + (best - normalizer)
        frozen = final > -torch.inf
        totals[frozen] = -torch.inf
        totals[..., 0] = torch.where(frozen, torch.inf, totals[..., 0])
        totals, chosen = totals.flatten(1).topk(width, -1)
        slots = chosen // width
        was_frozen = totals == torch.inf
        tokens = torch.where(was_frozen | (totals == -torch.inf), 0, ids.flatten(1).gather(1, chosen))
        gained = torch.where(was_frozen, gained.gather(1, slots), totals)
        state = state.gather(1, slots[..., None].expand(-1, -1, state.shape[2]))
        written = written.gather(1, slots[..., None].expand(-1, -1, longest))
        written[:, :, position] = tokens
        ended = ~was_frozen & (totals > -torch.inf) & ((tokens == end_id) | (position + 1 >= limits[:, None]))
        final = torch.where(
            was_frozen, final.gather(1, slots), torch.where(ended, totals / norm(position + 1), -torch.inf)
        )
        reach = torch.where(final > -torch.inf, -torch.inf, gained).amax(1) / norm(limits)
        decided = reach <= final.amax(1)
        gained = torch.where(decided[:, None] & (final == -torch.inf), -torch.inf, gained)
        if decided.sum() * 2 >= len(decided) or position + 1 == longest:
            done = decided if position + 1 < longest else torch.ones_like(decided)
            for i in done.nonzero()[:, 0].tolist():
                result[int(rows[i])] = [t for t in written[i, int(final[i].argmax())].tolist() if t]
            kept = (~done).nonzero()[:, 0]
            annotations, keys, blocked, state, tokens, gained, final, written, rows, limits = (
                x[kept] for x in (annotations, keys, blocked, state, tokens, gained, final, written, rows, limits)
            )
    return result


@torch.no_grad()
def copy_weights(ours, peer):
    """Give the PyTorch model the weights of an `RNNSearch` with the same `reset_after`."""

    def put(parameter, value):
        parameter.copy_(torch.as_tensor(value))

    put(peer.source_embedding.weight, ours.source_embedding.embeddings.numpy())
    put(peer.target_embedding.weight, ours.target_embedding.embeddings.numpy())
    for layer, suffix in ((ours.encoder.forward_layer, ""), (ours.encoder.backward_layer, "_reverse")):
        kernel, recurrent, bias = (w.numpy() for w in (layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias))
        n = recurrent.shape[0]
        if not ours.reset_after:
            direction = bool(suffix)
            put(peer.encoder.inputs[direction].weight, kernel.T)
            put(peer.encoder.inputs[direction].bias, bias)
            put(peer.encoder.recurrent[direction].weight, recurrent.T)
            continue
        order = torch.cat([torch.arange(n, 2 * n), torch.arange(n), torch.arange(2 * n, 3 * n)])  # r, z, n
        put(getattr(peer.encoder, f"weight_ih_l0{suffix}"), kernel.T[order])
        put(getattr(peer.encoder, f"weight_hh_l0{suffix}"), recurrent.T[order])
        put(getattr(peer.encoder, f"bias_ih_l0{suffix}"), bias[0][order])
        put(getattr(peer.encoder, f"bias_hh_l0{suffix}"), bias[1][order])
    copy_dense(ours.state_projection, peer.first_state)
    copy_decoder(ours.decoder, peer.decoder)
    copy_dense(ours.maxout.projection, peer.readout)
    copy_dense(ours.word_projection, peer.words)


@torch.no_grad()
def copy_decoder(ours, peer):
    """Give the PyTorch decoder the weights of an `AttentionGRU` with the same `reset_after`."""
    query = ours.attention.query_projection.kernel.numpy()
    peer.inputs.weight.copy_(torch.as_tensor(ours.kernel.numpy().T))
    peer.inputs.bias.copy_(torch.as_tensor(ours.bias.numpy()))
    peer.context.weight.copy_(torch.as_tensor(ours.context_kernel.numpy().T))
    recurrent, n = torch.as_tensor(ours.recurrent_kernel.numpy()), ours.units
    if ours.reset_after:
        peer.recurrent_bias.copy_(torch.as_tensor(ours.recurrent_bias.numpy()))
    else:
        peer.candidate.weight.copy_(recurrent[:, 2 * n :].T)
        recurrent = recurrent[:, : 2 * n]
    peer.from_state.weight.copy_(torch.cat([torch.as_tensor(query), recurrent], 1).T)
    peer.keys.weight.copy_(torch.as_tensor(ours.attention.key_projection.kernel.numpy().T))
    peer.score.copy_(torch.as_tensor(np.array(ours.attention.effective_score_vector())[:, 0]))


@torch.no_grad()
def copy_dense(ours, peer):
    """Give a PyTorch linear layer the weights of a Keras one."""
    peer.weight.copy_(torch.as_tensor(ours.kernel.numpy().T))
    peer.bias.copy_(torch.as_tensor(ours.bias.numpy()))


def twin(ours):
    """Return a PyTorch model of the sizes and weights of an `RNNSearch`, in inference mode."""
    peer = TorchRNNSearch(
        ours.source_vocabulary_size,
        ours.target_vocabulary_size,
        ours.embedding_dim,
        ours.encoder_units,
        ours.decoder_units,
        ours.decoder.attention.units,
        ours.maxout_units,
        ours.tie_embeddings,
        ours.reset_after,
    )
    copy_weights(ours, peer)
    return peer.eval()
