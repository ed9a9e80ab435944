"""Sentence pairs of a large corpus as TFRecord files: written once, tokenised, and read file by file."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_attention.data.batching import assign_buckets, choose_bucket_shapes

_MANIFEST = "records.json"
_FEATURES = {side: tf.io.RaggedFeature(tf.int64) for side in ("source", "target")}
_CHUNK = 4096  # pairs tokenised together


class TranslationRecords:
    """A folder of TFRecord files with tokenised sentence pairs, as `write_translation_records` leaves it.

    What `translation_dataset` keeps in memory is read from the files here, so the corpus may be larger than memory.
    How many pairs there are of which lengths stands beside the files, so that the shapes of batches and the number of
    batches in an epoch are known before anything is read.

    Args:
        directory: The folder.

    Attributes:
        files: Paths of the files, sorted.
        pair_count: Number of pairs.
        lengths: int array `(distinct, 2)`, the lengths of source and target that occur, end symbols included.
        counts: int array `(distinct,)`, how many pairs have them.

    Raises:
        ValueError: If the folder holds no records, or not all of them.
    """

    def __init__(self, directory):
        directory = Path(directory)
        if not (directory / _MANIFEST).exists():
            raise ValueError(
                f"Expected a folder of records, with {_MANIFEST}: `write_translation_records` makes one. "
                f"Received: directory={str(directory)!r}"
            )
        manifest = json.loads((directory / _MANIFEST).read_text("utf-8"))
        self.files = [str(directory / name) for name in manifest["files"]]
        missing = [name for name in self.files if not Path(name).exists()]
        if missing:
            raise ValueError(f"Expected {len(self.files)} files of records. Received: {missing[0]} is not there")
        self.start_id = manifest["start_id"]
        self.lengths = np.asarray(manifest["lengths"], "int64")
        self.counts = np.asarray(manifest["counts"], "int64")
        self.pair_count = int(self.counts.sum())

    def bucket_shapes(self, count):
        """Return `count` shapes of batches that keep the padding small, chosen from the lengths that occur."""
        # In proportion, and at least once each, so that the longest pair has a place.
        share = np.maximum(1, self.counts * min(1.0, 200_000 / self.pair_count)).astype("int64")
        return choose_bucket_shapes(np.repeat(self.lengths, share, axis=0), count)

    def steps_per_epoch(self, bucket_shapes, batch_size):
        """Return the number of batches in an epoch: as many as each bucket's pairs fill, the last ones filled up."""
        buckets = assign_buckets(self.lengths, bucket_shapes)
        in_bucket = np.bincount(buckets, weights=self.counts, minlength=len(bucket_shapes)).astype("int64")
        return int((-(-in_bucket // batch_size)).sum())


def write_translation_records(pairs, directory, source_tokenizer, target_tokenizer, file_count=16, maximum_length=None):
    """Tokenise sentence pairs and write them into TFRecord files, pair i into file i modulo `file_count`.

    Args:
        pairs: Iterable of `(source, target)` strings; read once, so a generator over a huge file is all right.
        directory: Folder to write into; made if missing.
        source_tokenizer, target_tokenizer: Tokenizers of `keras_attention.text`.
        file_count: Number of files: several per host or worker that shall read them.
        maximum_length: Tokens of a side, end symbol included, above which a pair is left out; None keeps all.

    Returns:
        The `TranslationRecords`.

    Raises:
        ValueError: If the folder holds records already, or there is no pair to write.
    """
    directory = Path(directory)
    if file_count < 1:
        raise ValueError(f"`file_count` must be at least 1. Received: file_count={file_count}")
    if (directory / _MANIFEST).exists():
        raise ValueError(f"Expected a folder without records. Received: directory={str(directory)!r}")
    directory.mkdir(parents=True, exist_ok=True)
    names = [f"pairs-{i:05d}-of-{file_count:05d}.tfrecord" for i in range(file_count)]
    writers = [tf.io.TFRecordWriter(str(directory / name)) for name in names]
    counts, written = {}, 0
    for source_ids, target_ids in _tokenized(pairs, source_tokenizer, target_tokenizer):
        lengths = len(source_ids), len(target_ids)
        if maximum_length is not None and max(lengths) > maximum_length:
            continue
        features = {
            side: tf.train.Feature(int64_list=tf.train.Int64List(value=ids))
            for side, ids in (("source", source_ids), ("target", target_ids))
        }
        example = tf.train.Example(features=tf.train.Features(feature=features))
        writers[written % file_count].write(example.SerializeToString())
        counts[lengths] = counts.get(lengths, 0) + 1
        written += 1
    for writer in writers:
        writer.close()
    if not written:
        raise ValueError(f"Expected at least one pair to write. Received: none, maximum_length={maximum_length}")
    manifest = {
        "files": names,
        "start_id": int(target_tokenizer.start_id),
        "lengths": [list(pair) for pair in sorted(counts)],
        "counts": [counts[pair] for pair in sorted(counts)],
    }
    # Last, and at once: a folder without it is not taken for whole.
    temporary = directory / (_MANIFEST + ".partial")
    temporary.write_text(json.dumps(manifest) + "\n", "utf-8")
    temporary.replace(directory / _MANIFEST)
    return TranslationRecords(directory)


def _tokenized(pairs, source_tokenizer, target_tokenizer):
    chunk = []
    for pair in pairs:
        chunk.append(pair)
        if len(chunk) == _CHUNK:
            yield from _tokenize_chunk(chunk, source_tokenizer, target_tokenizer)
            chunk = []
    if chunk:
        yield from _tokenize_chunk(chunk, source_tokenizer, target_tokenizer)


def _tokenize_chunk(chunk, source_tokenizer, target_tokenizer):
    sides = zip(zip(*chunk), (source_tokenizer, target_tokenizer))
    rows = [
        [[*row, tokenizer.end_id] for row in tokenizer.tokenize(list(texts)).to_list()] for texts, tokenizer in sides
    ]
    yield from zip(*rows)


def parse_pairs(serialized):
    """Turn serialised records `(n,)` into `source` and `target`, ragged int32 `(n, length)`."""
    parsed = tf.io.parse_example(serialized, _FEATURES)
    return tuple(tf.cast(parsed[side], tf.int32) for side in ("source", "target"))
