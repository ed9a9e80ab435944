"""QA-CNN: convolution, maximum over positions, tanh, cosine."""

import keras

from keras_attention.models.answer_selection.max_pooling_model import MaxPoolingModel
from keras_attention.models.answer_selection.sequence_encoders import convolution_encoder, initializer_config


@keras.saving.register_keras_serializable(package="keras_attention")
class QACNN(MaxPoolingModel):
    """QA-CNN: convolution, maximum over positions, tanh, cosine.

    ```
    h_t     = W1 [window around t] + b1              linear, no activation
    r       = tanh(max over real t of h_t)          question_vector, answer_vector
    s(q, a) = cosine(r^q, r^a)                      similarity
    ```

    Inputs, output and the further faces (in-batch training, encoding, fast scoring) are those of
    `AnswerSelectionModel`. Both sides share embedding and encoder.

    Args:
        vocabulary_size: Positive integer, number of ids including 0, which is padding.
        embedding_width: Positive integer, width of a word vector. The paper has 100.
        filters: Positive integer, width of the features. The paper has 4,000.
        window: Positive integer, tokens per window; an even window has one more token on the right. The paper has 2.
        kernel_initializer: Initialiser of the convolution. `"center_tap"` begins as a copy of the word vectors; see
            `CenterTap`.
        embedding_matrix: Optional array `(vocabulary_size, embedding_width)`, first word vectors by id; None: random.
        train_embeddings: Boolean, whether word vectors are trained on.
        embedding_dropout: Fraction of the components of word vectors set to zero in training.
        word_dropout: Fraction of the tokens whose whole vector is set to zero in training.
        dropout: Fraction of the pooled vectors set to zero in training. The paper has no dropout.
        name: Name of the model.
        dtype: Dtype policy of the layers; similarities are float32 under every policy.

    Raises:
        ValueError: if `embedding_matrix` does not fit, or a size is not positive.

    Example:
    >>> import numpy as np
    >>> from keras_attention.models.answer_selection import QACNN
    >>> model = QACNN(vocabulary_size=50, embedding_width=6, filters=8)
    >>> question_ids, answer_ids = np.array([[3, 4, 0]]), np.array([[[3, 4, 5, 0], [7, 8, 0, 0]]])
    >>> tuple(model({"question_ids": question_ids, "answer_ids": answer_ids}).shape)
    (1, 2)

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", sections 3.1 and 3.2.
    """

    # The paper's sizes, and how it trained (InsuranceQA): SGD, learning rate divided by the epoch.
    PAPER_SIZES = {"embedding_width": 100, "filters": 4000, "window": 2}
    PAPER_TRAINING = {"margin": 0.009, "batch_size": 1, "learning_rate": 0.05}

    # What a search looks at (`keras_attention.tuning`), section by section of a configuration, with the reasons.
    SEARCH_SPACE = {
        "model": {
            # Twice to six times the 50 that small published vectors have; the paper has 100.
            "embedding_width": {"choices": [100, 150, 200, 300]},
            # The maximum keeps one number of a whole text per filter, so many are wanted: 4,000 in the paper.
            "filters": {"choices": [200, 400, 800, 1600]},
            "window": {"minimum": 1, "maximum": 4},  # the paper's 2, its neighbours, and none
            "kernel_initializer": {"choices": ["glorot_uniform", "center_tap"]},  # the paper's way, or from a copy
            # Word vectors are most of the parameters, and what is learned by heart first.
            "embedding_dropout": {"minimum": 0.0, "maximum": 0.4, "step": 0.1},
            "word_dropout": {"minimum": 0.0, "maximum": 0.2, "step": 0.05},  # more takes away what the question asks
        },
        "training": {
            # Adam. One pooled vector per side takes large steps.
            "learning_rate": {"minimum": 3e-4, "maximum": 5e-3, "scale": "log"},
            # Of the triplet loss. The paper's 0.009 is the lower end: cosines of maxima lie close together.
            "margin": {"minimum": 0.005, "maximum": 0.3, "scale": "log"},
        },
    }

    def __init__(
        self,
        vocabulary_size,
        embedding_width=100,
        filters=400,
        window=2,
        kernel_initializer="glorot_uniform",
        embedding_matrix=None,
        train_embeddings=True,
        embedding_dropout=0.0,
        word_dropout=0.0,
        dropout=0.0,
        name="qa_cnn",
        dtype=None,
    ):
        config = {
            "vocabulary_size": vocabulary_size,
            "embedding_width": embedding_width,
            "filters": filters,
            "window": window,
            "kernel_initializer": initializer_config(kernel_initializer),
            "train_embeddings": train_embeddings,
            "embedding_dropout": embedding_dropout,
            "word_dropout": word_dropout,
            "dropout": dropout,
        }
        super().__init__(
            convolution_encoder(filters, window, kernel_initializer, dtype), config, embedding_matrix, name, dtype
        )
