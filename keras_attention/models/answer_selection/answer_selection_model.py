"""The base of the four answer-selection models: one encoder for both sides, a pooling, the cosine."""

import keras
import numpy as np
from keras import ops

from keras_attention.layers.cosine_similarity import CosineSimilarity
from keras_attention.models.answer_selection import pool_scoring
from keras_attention.models.answer_selection.sequence_encoders import SequenceEncoder
from keras_attention.models.functional_model import FunctionalModel


class AnswerSelectionModel(FunctionalModel):
    """Functional model from token ids of a question and its candidate answers to cosine similarities.

    Inputs `{"question_ids": (batch, question_length), "answer_ids": (batch, candidates, answer_length)}`, integers,
    0 is padding on the right; output float32 `(batch, candidates)`, from -1 to 1. Lengths and the number of candidates
    may change from batch to batch. Padding changes nothing; an empty question or answer has similarity 0 to anything.

    Further faces share the same layers, so the same weights:

    - `in_batch_model`: `{"question_ids": (questions, question_length), "answer_ids": (answers, answer_length)}` to
      `(questions, answers)`, every question with every answer, for training with in-batch negatives;
    - `encode_questions`, `encode_answers`: what one side alone can be turned into, once;
    - `encode_by_length`: the same for an index of many answers, without padding;
    - `score`, `score_pools`: the exact similarities from there.

    A subclass names its encoder and its pooling: it defines `_make_pooling`, `_represent` and `_compare`.

    Args:
        encoder: Layer from word vectors and a mask to features.
        config: Dict of the subclass's constructor arguments, all but the matrix of word vectors.
        embedding_matrix: Optional `(vocabulary_size, embedding_width)` array, first word vectors by id.
        name: Name of the model.
        dtype: Dtype policy of the layers. Similarities are float32 under every policy.
    """

    def __init__(self, encoder, config, embedding_matrix=None, name=None, dtype=None):
        # Layers
        self._set_policy(dtype)
        width, matrix_shape = config["embedding_width"], None
        if embedding_matrix is not None:
            embedding_matrix = np.asarray(embedding_matrix, "float32")
            matrix_shape = embedding_matrix.shape
        if matrix_shape not in (None, (config["vocabulary_size"], width)):
            raise ValueError(
                "`embedding_matrix` must have the shape (vocabulary_size, embedding_width) = "
                f"{(config['vocabulary_size'], width)}. Received: embedding_matrix of shape {matrix_shape}"
            )
        self.sequence_encoder = SequenceEncoder(
            config["vocabulary_size"],
            width,
            encoder,
            train_embeddings=config["train_embeddings"],
            embedding_dropout=config["embedding_dropout"],
            word_dropout=config["word_dropout"],
            dtype=dtype,
            name="sequence_encoder",
        )
        self._make_pooling(config, dtype)
        self.cosine = CosineSimilarity(name="similarity")

        # Functional wiring
        question_ids = keras.Input((None,), dtype="int32", name="question_ids")
        answer_ids = keras.Input((None, None), dtype="int32", name="answer_ids")
        similarity = self._compare(self._represent(question_ids), self._represent(answer_ids), all_pairs=False)
        self._make_functional({"question_ids": question_ids, "answer_ids": answer_ids}, similarity, name)

        # Config
        self._config = {**config, "name": self.name}
        if dtype is not None:
            self._config["dtype"] = keras.dtype_policies.serialize(keras.dtype_policies.get(dtype))
        if embedding_matrix is not None:
            self.sequence_encoder.embedding.embeddings.assign(embedding_matrix)
        # Kept out of Keras' tracking: the faces hold the same layers once more, and would be saved once more.
        object.__setattr__(self, "_faces", {})

    def _make_pooling(self, config, dtype):
        raise NotImplementedError("A subclass makes its pooling layers here.")

    def _represent(self, ids):
        """Return a dict of what is computed of one side alone; symbolic."""
        raise NotImplementedError("A subclass represents one side here.")

    def _compare(self, question, answer, all_pairs):
        """Return the similarities of two represented sides; symbolic."""
        raise NotImplementedError("A subclass compares the two sides here.")

    def _features(self, ids):
        return self.sequence_encoder(ids), ops.not_equal(ids, 0)

    @property
    def in_batch_model(self):
        """Functional model of the same layers: every question of a batch with every answer, `(questions, answers)`."""

        def make():
            question_ids = keras.Input((None,), dtype="int32", name="question_ids")
            answer_ids = keras.Input((None,), dtype="int32", name="answer_ids")
            similarity = self._compare(self._represent(question_ids), self._represent(answer_ids), all_pairs=True)
            return keras.Model(
                {"question_ids": question_ids, "answer_ids": answer_ids}, similarity, name=f"{self.name}_in_batch"
            )

        return self._face("in_batch", make)

    @property
    def encoder_model(self):
        """Functional model of the same layers: ids `(batch, length)` to the dict that `encode_answers` returns."""

        def make():
            ids = keras.Input((None,), dtype="int32", name="ids")
            return keras.Model(ids, self._represent(ids), name=f"{self.name}_encoder")

        return self._face("encoder", make)

    @property
    def scorer_model(self):
        """Functional model of the same layers: two encoded sides to similarities `(batch, candidates)`.

        Inputs `{"question": encoded (batch, ...), "answer": encoded (batch, candidates, ...)}`.
        """

        def make():
            encoded = self._represent(keras.Input((None,), dtype="int32"))
            question = {k: keras.Input(v.shape[1:], dtype=v.dtype) for k, v in encoded.items()}
            answer = {k: keras.Input((None, *v.shape[1:]), dtype=v.dtype) for k, v in encoded.items()}
            similarity = self._compare(question, answer, all_pairs=False)
            return keras.Model({"question": question, "answer": answer}, similarity, name=f"{self.name}_scorer")

        return self._face("scorer", make)

    def _face(self, key, make):
        if key not in self._faces:
            self._faces[key] = make()
        return self._faces[key]

    def encode_answers(self, answer_ids, batch_size=256):
        """Encode answers once, for an index: the part of the model that needs no question.

        Args:
            answer_ids: Integer array `(answers, answer_length)`, 0 is padding.
            batch_size: Positive integer, answers per step.

        Returns:
            Dict of numpy arrays. QA models: `{"vector": (answers, width)}`, tanh of the maxima. AP models:
            `{"features": (answers, answer_length, width), "mask": (answers, answer_length)}`.
        """
        answer_ids = np.asarray(answer_ids, "int32")
        if answer_ids.ndim != 2:
            raise ValueError(f"`answer_ids` must be (answers, length). Received: shape {answer_ids.shape}")
        parts = [
            _predict(self.encoder_model, answer_ids[i : i + batch_size])
            for i in range(0, max(1, len(answer_ids)), batch_size)
        ]
        if len(parts) == 1:  # features are megabytes a text: no copy that can be spared
            return parts[0]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    def encode_by_length(self, answer_ids, batch_size=256):
        """Encode answers in order of length, so that little is padding, and give back what is none: for an index.

        Args:
            answer_ids: Integer array `(answers, answer_length)`, 0 is padding and stands to the right.
            batch_size: Positive integer, answers per step.

        Returns:
            Dict of numpy arrays in the order of the answers, as `build_answer_index` takes it. QA models: `{"vector":
            (answers, width)}`. AP models: `{"features": (tokens of all answers, width), "lengths": (answers,)}`, which
            are large, and are moved once, from where the encoder left them to their place.

        Raises:
            ValueError: if there is no answer.
        """
        answer_ids = np.asarray(answer_ids, "int32")
        lengths = np.count_nonzero(answer_ids, axis=1)
        if not len(answer_ids):
            raise ValueError(f"Expected at least one answer. Received: answer_ids of shape {answer_ids.shape}")
        order = np.argsort(lengths, kind="stable")
        batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        begins, place = np.cumsum(lengths) - lengths, None
        for rows in batches:
            longest = max(int(lengths[rows].max()), 1)
            encoded = self.encode_answers(answer_ids[rows, :longest], batch_size)
            key = "vector" if "vector" in encoded else "features"
            if place is None:
                count = len(answer_ids) if key == "vector" else int(lengths.sum())
                place = np.empty((count, encoded[key].shape[-1]), encoded[key].dtype)
            if key == "vector":
                place[rows] = encoded[key]
                continue
            for k, (begin, length) in enumerate(zip(begins[rows], lengths[rows])):
                place[begin : begin + length] = encoded[key][k, :length]
            del encoded  # the next batch gets its memory
        return {key: place} if key == "vector" else {key: place, "lengths": lengths}

    def encode_questions(self, question_ids, batch_size=64):
        """Encode questions: the two sides share their encoder, so this is `encode_answers` by another name.

        Args:
            question_ids: Integer array `(questions, question_length)`, 0 is padding.
            batch_size: Positive integer, questions per step.

        Returns:
            Dict as of `encode_answers`.
        """
        return self.encode_answers(question_ids, batch_size)

    def score(self, question, answers):
        """Score one encoded question against encoded answers, exactly as the whole model does.

        Args:
            question: Dict of one question, arrays without or with a first axis of 1.
            answers: Dict of encoded answers, first axis the answers; float16 arrays are taken too.

        Returns:
            Float32 numpy array `(answers,)`.
        """
        question = {k: v if v.shape[0] == 1 and v.ndim == r else v[None] for (k, v), r in self._ranks(question)}
        return self.scorer_model.predict_on_batch(
            {"question": question, "answer": {k: v[None] for k, v in answers.items()}}
        )[0]

    def _ranks(self, encoded):
        ranks = {"vector": 2, "features": 3, "mask": 2}
        return [((key, np.asarray(value)), ranks[key]) for key, value in encoded.items()]

    def score_pools(self, questions, answers, pools):
        """Score many encoded questions, each against its own pool of encoded answers, the fast way.

        Goes answer by answer: one matrix product of an answer with all questions whose pool holds it, with no padding
        computed. The same formula as the model's, so the same similarities up to float32 rounding.

        Args:
            questions: Dict of encoded questions, `(questions, ...)`.
            answers: Dict of encoded answers, `(answers, ...)`, float32 or float16, in memory or memory-mapped.
            pools: Integer array `(questions, pool_size)`, rows of `answers`; -1 is padding.

        Returns:
            Float32 numpy array `(questions, pool_size)`; 0 at padding.
        """
        return pool_scoring.score_pools(questions, answers, pools, **self._pooling_arrays())

    def _pooling_arrays(self):
        """Return what `pool_scoring.score_pools` needs of the pooling layer."""
        return {}

    def get_config(self):
        """Return the constructor's arguments, all but the word vectors, which are weights."""
        return dict(self._config)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Return the model that `get_config` describes, with new weights."""
        return cls(**config)


def _predict(model, inputs):
    """Return what `predict_on_batch` returns; on TensorFlow without its copy of it."""
    if keras.backend.backend() != "tensorflow":
        return model.predict_on_batch(inputs)
    model.make_predict_function()
    return keras.tree.map_structure(np.asarray, model.predict_function([(inputs,)]))
