"""Everything whose numbers must not depend on the backend, computed on the backend of this process.

`KERAS_BACKEND=jax python tests/conformance/backend_numbers.py numbers.npz` writes them to a file. Weights are drawn by
NumPy from the name of what they belong to, so every backend has the same ones.
"""

import sys
import zlib

import keras
import numpy as np
from conformance.row import call, numbers, token_ids
from conformance.rows import MODELS, ROWS
from decoding.conftest import TableModel
from keras import ops

from keras_attention.decoding import beam_search, greedy_decode, sample, score_targets
from keras_attention.losses import InBatchSoftmaxLoss, TokenCrossEntropy
from keras_attention.training.answer_selection_trainer import AnswerSelectionTrainer

START, END = 2, 3


def outputs_of_row(row):
    """What a class of the table gives for its sample, and for the sample with an empty sequence in it."""
    instance = row.make()
    whole = numbers(call(instance, row.sample()))
    if row.kind in ("layer", "model"):
        _draw_weights(instance, str(row))
        whole = numbers(call(instance, row.sample()))
    return [*whole, *numbers(call(instance, row.sample(padding=1, empty=True)))]


def step_of_model(row):
    """Loss and weights of a model after a step of SGD at rate 1: its gradients. Without dropout."""
    config = row.make().get_config()
    model = row.cls.from_config({**config, **{name: 0.0 for name in config if "dropout" in name}})
    _draw_weights(model, str(row))
    (inputs,), _ = row.sample()
    if "source_ids" in inputs:
        trained, loss, labels = model, TokenCrossEntropy(label_smoothing=0.1), token_ids(3, [3, 3], 13)
    else:
        trained, loss = AnswerSelectionTrainer(model, hardest=1), InBatchSoftmaxLoss(0.5)
        labels = np.array([[1, 0, 0], [0, 1, 0]], "float32")
        inputs = {**inputs, "labels": labels}
    trained.compile(keras.optimizers.SGD(1.0), loss=loss, run_eagerly=True, jit_compile=False)
    value = trained.train_on_batch(inputs, labels)
    return [np.asarray(value), *(ops.convert_to_numpy(v) for v in model.trainable_variables)]


def decoding_by_table(name):
    """Results of a driver on logits that are the same everywhere."""
    table = TableModel(seed=5, batch=4, source=3)
    options = {"start_id": START, "end_id": END, "source_mask": table.mask, "return_alignment": True}
    state = {"prefix": ops.full((table.batch, 1), -1, dtype="int32")}
    if name == "score_targets":
        targets = np.array([[1, 4, END], [4, END, 0], [END, 0, 0], [1, 1, 1]], "int32")
        del options["end_id"]
        result = score_targets(table.step, state, table.memory, targets, length_normalization=0.6, **options)
    else:
        options["maximum_length"] = 4
        driver, more = {
            "greedy": (greedy_decode, {}),
            "beam": (beam_search, {"beam_width": 3, "n_best": 3, "length_normalization": 0.6, "coverage_penalty": 0.2}),
            "sample": (sample, {"seed": 7, "sample_count": 3, "temperature": 1.5}),
            "top_k": (sample, {"seed": 7, "sample_count": 2, "top_k": 2}),
            "top_p": (sample, {"seed": 7, "sample_count": 2, "top_p": 0.8}),
        }[name]
        result = driver(table.step, state, table.memory, **options, **more)
    return [ops.convert_to_numpy(result[key]) for key in sorted(result)]


def decoding_by_model(row):
    """What a translation model with drawn weights says to two sentences, by greedy decoding and by beam."""
    model = row.make()
    _draw_weights(model, str(row))
    source_ids = ops.convert_to_tensor(token_ids(1, [4, 2], 11))
    found = []
    for driver, options in ((greedy_decode, {}), (beam_search, {"beam_width": 3, "n_best": 2})):
        memory = model.encode(source_ids)
        result = driver(
            model.decode_step,
            model.initial_state(memory),
            memory,
            start_id=START,
            end_id=END,
            maximum_length=5,
            batch_size=2,
            source_mask=ops.not_equal(source_ids, 0),
            return_alignment=model.has_alignment,
            **options,
        )
        found += [ops.convert_to_numpy(result[key]) for key in sorted(result) if result[key] is not None]
    return found


def _draw_weights(layer, name):
    key = zlib.crc32(name.encode())
    layer.set_weights(
        [
            np.random.default_rng([key, i]).normal(scale=0.6, size=weight.shape).astype("float32")
            for i, weight in enumerate(layer.weights)
        ]
    )


TRANSLATION = [row for row in MODELS if hasattr(row.cls, "has_alignment")]
TABLE_DRIVERS = ("greedy", "beam", "sample", "top_k", "top_p", "score_targets")
# Name of what is computed to (function, argument).
COMPUTED = {
    **{f"outputs/{row}": (outputs_of_row, row) for row in ROWS},
    **{f"step/{row}": (step_of_model, row) for row in MODELS},
    **{f"decoding/{name}": (decoding_by_table, name) for name in TABLE_DRIVERS},
    **{f"decoding/{row}": (decoding_by_model, row) for row in TRANSLATION},
}


def compute(name):
    """Return the arrays that belong to a name of `COMPUTED`."""
    function, argument = COMPUTED[name]
    return function(argument)


if __name__ == "__main__":
    np.savez(sys.argv[1], **{f"{name}/{i}": x for name in COMPUTED for i, x in enumerate(compute(name))})
