"""Sentence pairs from TFRecord files: every pair once an epoch, the same batches as from memory, also by a service."""

import numpy as np
import pytest

from keras_attention.data import (
    StreamedTranslationDataset,
    TranslationRecords,
    translation_dataset,
    write_translation_records,
)
from keras_attention.text import WordTokenizer

tf = pytest.importorskip("tensorflow")

# Pair i says its number in the source; the target has another length.
PAIRS = [(f"n{i} " + "a " * (i % 4), "b " * (1 + i % 3) + f"n{i}") for i in range(23)]
SHAPES = [(4, 5), (6, 5)]
OPTIONS = {"batch_size": 4, "bucket_shapes": SHAPES}


@pytest.fixture(scope="module")
def tokenizer():
    return WordTokenizer.train([text for pair in PAIRS for text in pair])


@pytest.fixture(scope="module")
def records(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    return write_translation_records(iter(PAIRS), folder, tokenizer, tokenizer, file_count=3)


def numbers(batches, tokenizer):
    """The numbers of the pairs that weigh something, in order."""
    found = []
    for inputs, _, weights in batches:
        words = tokenizer.detokenize(inputs["source_ids"]).numpy()
        found += [int(text.split()[0][1:]) for text, real in zip(words, weights.numpy().sum(1)) if real]
    return found


def test_what_stands_beside_the_files(records):
    assert [name.rsplit("/", 1)[1] for name in records.files] == [f"pairs-0000{i}-of-00003.tfrecord" for i in range(3)]
    assert records.pair_count == 23
    # the end symbol is counted
    assert {tuple(pair) for pair in records.lengths.tolist()} == {(2 + i % 4, 3 + i % 3) for i in range(23)}
    again = TranslationRecords(records.files[0].rsplit("/", 1)[0])
    assert again.counts.tolist() == records.counts.tolist()


def test_the_batches_of_an_epoch(records, tokenizer):
    data = StreamedTranslationDataset(records, **OPTIONS, shuffle_window=0, epochs=1)
    batches = list(data.dataset)
    assert len(batches) == data.steps_per_epoch == 5 + 2  # 18 pairs of up to three source words, 5 of four
    assert sorted(numbers(batches, tokenizer)) == list(range(23))
    for inputs, labels, weights in batches:
        assert (inputs["source_ids"].shape[1], labels.shape[1]) in SHAPES
        assert labels.shape[0] == weights.shape[0] == 4
        assert (inputs["source_ids"].numpy() != 0).any(axis=1).all()
        np.testing.assert_array_equal(inputs["target_ids"][:, 1:], np.where(labels[:, 1:] != 0, labels[:, :-1], 0))
        assert (inputs["target_ids"][:, 0].numpy() == tokenizer.start_id).all()
        full = weights.numpy().any(axis=1)
        np.testing.assert_array_equal(weights.numpy()[full], (labels.numpy() != 0)[full])


def test_the_same_rows_as_from_memory(records, tokenizer):
    memory = translation_dataset(*zip(*PAIRS), tokenizer, tokenizer, **OPTIONS, shuffle=False).dataset
    streamed = StreamedTranslationDataset(records, **OPTIONS, shuffle_window=0, epochs=1).dataset

    def rows(dataset):
        return sorted(
            (
                *inputs["source_ids"][i].numpy().tolist(),
                -1,
                *inputs["target_ids"][i].numpy().tolist(),
                -1,
                *labels[i].numpy(),
            )
            for inputs, labels, weights in dataset
            for i in range(4)
            if weights[i].numpy().any() and inputs["source_ids"].shape[1] == 6
        )

    # Rows of the larger shape: of the smaller one some may stand here or there, where that saves filling up.
    assert set(rows(streamed)) <= set(rows(memory))


def test_an_epoch_depends_on_seed_and_number_alone(records, tokenizer):
    def order(**options):
        data = StreamedTranslationDataset(records, **OPTIONS, **{"shuffle_window": 10, "seed": 1, **options})
        return numbers(data.dataset.take(data.steps_per_epoch * options.get("epochs", 1)), tokenizer)

    both = order(epochs=2)
    first, second = both[:23], both[23:]
    assert sorted(first) == sorted(second) == list(range(23))
    assert first != second
    assert order() == first  # without end
    assert order(first_epoch=1) == second
    assert order(seed=2) != first


def test_a_service_with_two_workers_gives_every_pair_once_an_epoch(records, tokenizer):
    service = tf.data.experimental.service
    dispatcher = service.DispatchServer()
    address = dispatcher.target.split("://")[1]
    workers = [service.WorkerServer(service.WorkerConfig(dispatcher_address=address)) for _ in range(2)]
    data = StreamedTranslationDataset(
        records, **OPTIONS, shuffle_window=10, epochs=2, service=dispatcher.target, prefetch=0
    )
    batches = list(data.dataset)
    assert len(batches) == 2 * data.steps_per_epoch
    for epoch in (batches[: data.steps_per_epoch], batches[data.steps_per_epoch :]):
        assert sorted(numbers(epoch, tokenizer)) == list(range(23))
    del workers


def test_what_is_too_long_is_left_out(tokenizer, tmp_path):
    records = write_translation_records(PAIRS, tmp_path, tokenizer, tokenizer, file_count=2, maximum_length=4)
    assert records.pair_count == sum(i % 4 <= 2 and i % 3 <= 1 for i in range(23))
    with pytest.raises(ValueError, match="without records"):
        write_translation_records(PAIRS, tmp_path, tokenizer, tokenizer)
    with pytest.raises(ValueError, match="maximum_length=1"):
        write_translation_records(PAIRS, tmp_path / "none", tokenizer, tokenizer, maximum_length=1)


def test_wrong_arguments(records, tmp_path):
    with pytest.raises(ValueError, match=r"records\.json"):
        TranslationRecords(tmp_path)
    with pytest.raises(ValueError, match="batch_size=0"):
        StreamedTranslationDataset(records, batch_size=0)
    with pytest.raises(ValueError, match="epochs=None"):
        StreamedTranslationDataset(records, service="grpc://localhost:1")
    with pytest.raises(ValueError, match="a shape that holds every row"):
        StreamedTranslationDataset(records, bucket_shapes=[(3, 3)])
