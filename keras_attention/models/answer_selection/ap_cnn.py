"""AP-CNN: convolution, attentive pooling, cosine."""

import keras

from keras_attention.models.answer_selection.attentive_pooling_model import AttentivePoolingModel
from keras_attention.models.answer_selection.sequence_encoders import convolution_encoder, initializer_config


@keras.saving.register_keras_serializable(package="keras_attention")
class APCNN(AttentivePoolingModel):
    """AP-CNN: convolution, attentive pooling, cosine.

    ```
    h_t      = W1 [window around t] + b1             linear, no activation
    r^q, r^a = attentive pooling of both sides      question_vector, answer_vector, no tanh
    s(q, a)  = cosine(r^q, r^a)                     similarity
    ```

    Inputs, output and the further faces (in-batch training, encoding, fast scoring) are those of
    `AnswerSelectionModel`. Both sides share embedding and encoder.

    Args:
        vocabulary_size: Positive integer, number of ids including 0, which is padding.
        embedding_width: Positive integer, width of a word vector. The paper has 100.
        filters: Positive integer, width of the features. The paper has 400.
        window: Positive integer, tokens per window; an even window has one more token on the right. The paper has 3.
        kernel_initializer: Initialiser of the convolution. `"center_tap"` begins as a copy of the word vectors; see
            `CenterTap`.
        score_scale: Positive float, factor on the attention scores before the softmax. 1.0 is the paper's form; see
            `AttentivePooling`.
        alignment_initializer: Initialiser of attentive pooling's `U`.
        embedding_matrix: Optional array `(vocabulary_size, embedding_width)`, first word vectors by id; None: random.
        train_embeddings: Boolean, whether word vectors are trained on.
        embedding_dropout: Fraction of the components of word vectors set to zero in training.
        word_dropout: Fraction of the tokens whose whole vector is set to zero in training.
        dropout: Fraction of the features set to zero in training, one draw per feature and sequence. The paper has
            no dropout.
        name: Name of the model.
        dtype: Dtype policy of the layers; similarities are float32 under every policy.

    Raises:
        ValueError: if `embedding_matrix` does not fit, or a size is not positive.

    Example:
    >>> import numpy as np
    >>> from keras_attention.models.answer_selection import APCNN
    >>> model = APCNN(vocabulary_size=50, embedding_width=6, filters=8)
    >>> question_ids, answer_ids = np.array([[3, 4, 0]]), np.array([[[3, 4, 5, 0], [7, 8, 0, 0]]])
    >>> tuple(model({"question_ids": question_ids, "answer_ids": answer_ids}).shape)
    (1, 2)

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", section 4.
    """

    # The paper's sizes, and how it trained (InsuranceQA): SGD, learning rate divided by the epoch.
    PAPER_SIZES = {"embedding_width": 100, "filters": 400, "window": 3}
    PAPER_TRAINING = {"margin": 0.5, "batch_size": 20, "learning_rate": 1.1}

    # What a search looks at (`keras_attention.tuning`), section by section of a configuration, with the reasons.
    SEARCH_SPACE = {
        "model": {
            # Twice to six times the 50 that small published vectors have; the paper has 100.
            "embedding_width": {"choices": [100, 150, 200, 300]},
            # The alignment compares all of them and has their square as parameters: 400 in the paper.
            "filters": {"choices": [100, 200, 300, 400]},
            "window": {"minimum": 1, "maximum": 5},  # the paper's 3 in the middle
            # The paper's softmax over tanh scores is nearly even over long answers; a factor lets it choose.
            "score_scale": {"minimum": 1.0, "maximum": 16.0, "scale": "log"},
            # The paper's way, or from what already compares the same words.
            "kernel_initializer": {"choices": ["glorot_uniform", "center_tap"]},
            "alignment_initializer": {"choices": ["glorot_uniform", "identity"]},
            # Word vectors are most of the parameters, and what is learned by heart first.
            "embedding_dropout": {"minimum": 0.0, "maximum": 0.4, "step": 0.1},
            "word_dropout": {"minimum": 0.0, "maximum": 0.2, "step": 0.05},  # more takes away what the question asks
        },
        "training": {
            "learning_rate": {"minimum": 3e-4, "maximum": 4e-3, "scale": "log"},  # Adam
            "margin": {"minimum": 0.05, "maximum": 0.8, "scale": "log"},  # of the triplet loss, around the paper's 0.5
        },
    }

    def __init__(
        self,
        vocabulary_size,
        embedding_width=100,
        filters=400,
        window=3,
        kernel_initializer="glorot_uniform",
        score_scale=1.0,
        alignment_initializer="glorot_uniform",
        embedding_matrix=None,
        train_embeddings=True,
        embedding_dropout=0.0,
        word_dropout=0.0,
        dropout=0.0,
        name="ap_cnn",
        dtype=None,
    ):
        config = {
            "vocabulary_size": vocabulary_size,
            "embedding_width": embedding_width,
            "filters": filters,
            "window": window,
            "kernel_initializer": initializer_config(kernel_initializer),
            "score_scale": score_scale,
            "alignment_initializer": initializer_config(alignment_initializer),
            "train_embeddings": train_embeddings,
            "embedding_dropout": embedding_dropout,
            "word_dropout": word_dropout,
            "dropout": dropout,
        }
        super().__init__(
            convolution_encoder(filters, window, kernel_initializer, dtype), config, embedding_matrix, name, dtype
        )
