"""The AP half of the models' table: attentive pooling makes the vectors of a pair."""

import keras
from keras import ops

from keras_attention.layers.attentive_pooling import AttentivePooling
from keras_attention.models.answer_selection.answer_selection_model import AnswerSelectionModel


class AttentivePoolingModel(AnswerSelectionModel):
    """Base of AP-CNN and AP-biLSTM: attentive pooling of question and answer, then the cosine, no tanh.

    An answer's vector depends on the question: `encode_answers` gives its features and mask, and scoring projects
    the question.
    """

    def _make_pooling(self, config, dtype):
        initializer = config["alignment_initializer"]
        self.pooling = AttentivePooling(
            score_scale=config["score_scale"], kernel_initializer=initializer, name="pooling", dtype=dtype
        )
        # One draw per feature and sequence: a feature is gone from a whole sequence, or stays in it.
        self.drop_features = keras.layers.Dropout(
            config["dropout"], noise_shape=(None, 1, None), name="drop_features", dtype=dtype
        )
        self.drop_candidate_features = keras.layers.Dropout(
            config["dropout"], noise_shape=(None, None, 1, None), name="drop_candidate_features", dtype=dtype
        )

    def _represent(self, ids):
        features, mask = self._features(ids)
        drop = self.drop_features if len(features.shape) == 3 else self.drop_candidate_features
        return {"features": drop(features), "mask": mask}

    def _pool(self, question, answer, all_pairs=False):
        # Always with the weights: Keras wants every call of a layer in a Functional model to have as many outputs.
        return self.pooling(
            [question["features"], answer["features"]],
            mask=[question["mask"], answer["mask"]],
            return_attention_scores=True,
            all_pairs=all_pairs,
        )

    def _compare(self, question, answer, all_pairs):
        vectors, _ = self._pool(question, answer, all_pairs)
        return self.cosine(list(vectors))

    @property
    def attention_model(self):
        """Functional model of the same layers: the model's inputs to the weights of both sides.

        Returns `(question_weights, answer_weights)`, `(batch, candidates, question_length)` and `(batch, candidates,
        answer_length)`, float32, for pictures of what was looked at.
        """

        def make():
            question_ids = keras.Input((None,), dtype="int32", name="question_ids")
            answer_ids = keras.Input((None, None), dtype="int32", name="answer_ids")
            _, weights = self._pool(self._represent(question_ids), self._represent(answer_ids))
            return keras.Model({"question_ids": question_ids, "answer_ids": answer_ids}, weights)

        return self._face("attention", make)

    def _pooling_arrays(self):
        kernel = ops.convert_to_numpy(self.pooling.alignment_kernel)
        return {"alignment_kernel": kernel, "score_scale": self.pooling.score_scale}
