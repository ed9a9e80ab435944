"""The QA half of the models' table: each side alone becomes a vector by its maxima."""

import keras
from keras import ops

from keras_attention.layers.masked_max_pooling import MaskedMaxPooling
from keras_attention.models.answer_selection.answer_selection_model import AnswerSelectionModel


class MaxPoolingModel(AnswerSelectionModel):
    """Base of QA-CNN and QA-biLSTM: `r = tanh(max over real positions)` on each side, then the cosine.

    A side's vector does not depend on the other side: `encode_answers` gives vectors that any nearest-neighbour
    library can index.
    """

    def _make_pooling(self, config, dtype):
        self.pooling = MaskedMaxPooling(name="pooling", dtype=dtype)
        self.drop_vectors = keras.layers.Dropout(config["dropout"], name="drop_vectors", dtype=dtype)

    def _represent(self, ids):
        features, mask = self._features(ids)
        return {"vector": self.drop_vectors(ops.tanh(self.pooling(features, mask=mask)))}

    def _compare(self, question, answer, all_pairs):
        vector = question["vector"] if all_pairs else ops.expand_dims(question["vector"], 1)
        return self.cosine([vector, answer["vector"]], all_pairs=all_pairs)
