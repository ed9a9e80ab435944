"""QA-biLSTM: bidirectional LSTM, maximum over positions, tanh, cosine."""

import keras

from keras_attention.models.answer_selection.max_pooling_model import MaxPoolingModel
from keras_attention.models.answer_selection.sequence_encoders import bilstm_encoder


@keras.saving.register_keras_serializable(package="keras_attention")
class QABiLSTM(MaxPoolingModel):
    """QA-biLSTM: bidirectional LSTM, maximum over positions, tanh, cosine.

    ```
    h_t     = [forward LSTM_t; backward LSTM_t]
    r       = tanh(max over real t of h_t)          question_vector, answer_vector
    s(q, a) = cosine(r^q, r^a)                      similarity
    ```

    Inputs, output and the further faces (in-batch training, encoding, fast scoring) are those of
    `AnswerSelectionModel`. Both sides share embedding and encoder.

    Args:
        vocabulary_size: Positive integer, number of ids including 0, which is padding.
        embedding_width: Positive integer, width of a word vector. The paper has 100.
        units: Positive integer, units of each direction: features are twice as wide. The paper has 141.
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
    >>> from keras_attention.models.answer_selection import QABiLSTM
    >>> model = QABiLSTM(vocabulary_size=50, embedding_width=6, units=4)
    >>> question_ids, answer_ids = np.array([[3, 4, 0]]), np.array([[[3, 4, 5, 0], [7, 8, 0, 0]]])
    >>> tuple(model({"question_ids": question_ids, "answer_ids": answer_ids}).shape)
    (1, 2)

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", sections 3.1 and 3.2.
    """

    # The paper's sizes, and how it trained (InsuranceQA): SGD, learning rate divided by the epoch.
    PAPER_SIZES = {"embedding_width": 100, "units": 141}
    PAPER_TRAINING = {"margin": 0.1, "batch_size": 1, "learning_rate": 1.1}

    # What a search looks at (`keras_attention.tuning`), section by section of a configuration, with the reasons.
    SEARCH_SPACE = {
        "model": {
            # Twice to six times the 50 that small published vectors have; the paper has 100.
            "embedding_width": {"choices": [100, 150, 200, 300]},
            "units": {"choices": [64, 100, 141, 200]},  # of each direction; 141 in the paper, time grows with it
            # Word vectors are most of the parameters, and what is learned by heart first.
            "embedding_dropout": {"minimum": 0.0, "maximum": 0.4, "step": 0.1},
            "word_dropout": {"minimum": 0.0, "maximum": 0.2, "step": 0.05},  # more takes away what the question asks
            "dropout": {"minimum": 0.0, "maximum": 0.4, "step": 0.1},  # of the pooled vector; none in the paper
        },
        "training": {
            # Adam; LSTMs over hundreds of tokens tend to diverge above 3e-3.
            "learning_rate": {"minimum": 3e-4, "maximum": 3e-3, "scale": "log"},
            "margin": {"minimum": 0.02, "maximum": 0.4, "scale": "log"},  # of the triplet loss, around the paper's 0.1
        },
    }

    def __init__(
        self,
        vocabulary_size,
        embedding_width=100,
        units=141,
        embedding_matrix=None,
        train_embeddings=True,
        embedding_dropout=0.0,
        word_dropout=0.0,
        dropout=0.0,
        name="qa_bilstm",
        dtype=None,
    ):
        config = {
            "vocabulary_size": vocabulary_size,
            "embedding_width": embedding_width,
            "units": units,
            "train_embeddings": train_embeddings,
            "embedding_dropout": embedding_dropout,
            "word_dropout": word_dropout,
            "dropout": dropout,
        }
        super().__init__(bilstm_encoder(units, dtype), config, embedding_matrix, name, dtype)
