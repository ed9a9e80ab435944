"""The conformance table: one row (or more) per public class. A new class is a new row here, and nothing else.

The files beside this one hold one property each and run it over every row.
"""

import keras
import numpy as np
from conformance.row import Row, sequence, token_ids

from keras_attention.layers.attention_gru import AttentionGRU
from keras_attention.layers.attentive_pooling import AttentivePooling
from keras_attention.layers.bahdanau_attention import BahdanauAttention
from keras_attention.layers.cosine_similarity import CosineSimilarity
from keras_attention.layers.fused_bidirectional import FusedBidirectional
from keras_attention.layers.fused_gru import FusedGRU
from keras_attention.layers.fused_lstm import FusedLSTM
from keras_attention.layers.luong_attention import LuongAttention
from keras_attention.layers.masked_max_pooling import MaskedMaxPooling
from keras_attention.layers.maxout import Maxout
from keras_attention.layers.window_convolution import WindowConvolution
from keras_attention.losses.in_batch_softmax_loss import InBatchSoftmaxLoss
from keras_attention.losses.token_cross_entropy import TokenCrossEntropy
from keras_attention.losses.triplet_margin_loss import TripletMarginLoss
from keras_attention.metrics.accuracy_at_1 import AccuracyAt1
from keras_attention.metrics.active_triplet_fraction import ActiveTripletFraction
from keras_attention.metrics.mean_average_precision import MeanAveragePrecision
from keras_attention.metrics.mean_hardest_wrong_similarity import MeanHardestWrongSimilarity
from keras_attention.metrics.mean_reciprocal_rank import MeanReciprocalRank
from keras_attention.metrics.mean_right_similarity import MeanRightSimilarity
from keras_attention.metrics.ndcg import NDCG
from keras_attention.models.answer_selection import APCNN, QACNN, APBiLSTM, QABiLSTM
from keras_attention.models.translation import RNNEncoderDecoder, RNNSearch, Seq2Seq

# Public classes that need no row, each with its reason.
EXEMPT = {}


def builder(cls, *args, **kwargs):
    return lambda **extra: cls(*args, **{**kwargs, **extra})


# Layers


def attention(padding=0, content=0, empty=False, query_width=4):
    query, query_mask = sequence(1, [3, 3], query_width, padding, content)
    value, value_mask = sequence(2, [4, 2], 5, padding, content)
    value_mask[-1] &= not empty
    return ([query, value],), {"mask": [query_mask, value_mask], "return_attention_scores": True}


def real_attention(outputs):
    context, weights = outputs
    return [context[:, :3], weights[:, :3, :4]]


def equal_widths(**options):
    return attention(query_width=5, **options)


def decoder(padding=0, content=0, empty=False):
    embeddings, target_mask = sequence(1, [3, 3], 4, padding, content)
    annotations, source_mask = sequence(2, [4, 2], 5, padding, content)
    source_mask[-1] &= not empty
    state = np.random.default_rng(3).normal(size=(2, 6)).astype("float32")
    masks = {"mask": [target_mask, source_mask], "return_attention_scores": True}
    return ([embeddings, annotations],), {"initial_state": state, **masks}


def real_decoder(outputs):
    states, contexts, weights = outputs
    return [states[:, :3], contexts[:, :3], weights[:, :3, :4]]


DECODER = {
    "units": 6,
    "attention_units": 3,
    "normalize_attention": True,
    "attention_dropout": 0.2,
    "reset_after": True,
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "he_uniform",
    "attention_kernel_initializer": "lecun_normal",
    "attention_score_initializer": "lecun_uniform",
    "seed": 5,
}


def two_sides(padding=0, content=0, empty=False):
    question, question_mask = sequence(1, [3, 2], 4, padding, content)
    answer, answer_mask = sequence(2, [4, 2], 5, padding, content)
    answer_mask[-1] &= not empty
    return ([question, answer],), {"mask": [question_mask, answer_mask], "return_attention_scores": True}


def real_two_sides(outputs):
    question, answer, question_weights, answer_weights = outputs
    return [question, answer, question_weights[:, :3], answer_weights[:, :4]]


def one_sequence(padding=0, content=0, empty=False):
    vectors, mask = sequence(1, [4, 2], 5, padding, content)
    mask[-1] &= not empty
    return (vectors,), {"mask": mask}


def real_sequence(outputs):
    """Of a sequence its real steps; a state, which has no length, whole."""
    return [part for x in outputs for part in ([x[0, :4], x[1, :2]] if x.ndim == 3 else [x])]


def vectors(padding=0, content=0, empty=False):
    x, _ = sequence(1, [4, 4], 5)
    if empty:
        x[-1] = 0
    return (x,), {}


def two_vectors(padding=0, content=0, empty=False):
    (x,), _ = vectors(empty=empty)
    return ([x, x[:, ::-1].copy() + 1],), {}


LAYERS = [
    *(
        Row(
            LuongAttention,
            builder(LuongAttention, mode, 0.3, "he_normal", keras.regularizers.L2(0.1), seed=3),
            attention if mode == "general" else equal_widths,
            real_attention,
            float32_outputs=(1,),
            rows_of_weights=(1,),
            name=f"LuongAttention-{mode}",
        )
        for mode in ("dot", "scaled_dot", "general")
    ),
    *(
        Row(
            BahdanauAttention,
            builder(BahdanauAttention, 3, normalize, 0.3, "he_normal", "he_uniform", keras.regularizers.L2(0.1), 3),
            attention,
            real_attention,
            float32_outputs=(1,),
            rows_of_weights=(1,),
            name=f"BahdanauAttention-{'normalized' if normalize else 'plain'}",
        )
        for normalize in (False, True)
    ),
    *(
        Row(
            AttentionGRU,
            builder(AttentionGRU, **{**DECODER, "fused": fused, "reset_after": fused is False}),
            decoder,
            real_decoder,
            float32_outputs=(2,),
            rows_of_weights=(2,),
            slow_graph=True,
            # Keras 3.15's scan fails on TensorFlow for several sequences of unknown length; the fused loop does not.
            name=f"AttentionGRU-{name}",
        )
        for name, fused in (("plain", False), ("fused", None))
    ),
    Row(
        AttentivePooling,
        builder(AttentivePooling, 3.0, "he_normal", keras.regularizers.L2(0.1), keras.constraints.MaxNorm(3)),
        two_sides,
        real_two_sides,
        float32_outputs=(2, 3),
        rows_of_weights=(2, 3),
    ),
    Row(CosineSimilarity, builder(CosineSimilarity), two_vectors, float32_outputs=(0,), position_wise=True),
    *(
        Row(
            cls,
            # Not orthogonal: TensorFlow cannot draw such a matrix in bfloat16.
            builder(cls, 3, recurrent_initializer="he_normal", bias_initializer="random_normal", **options),
            one_sequence,
            real_sequence,
            slow_graph=True,
            name=f"{cls.__name__}-{name}",
        )
        for cls, name, options in (
            (FusedGRU, "forward", {"return_sequences": True, "return_state": True, "reset_after": False}),
            (FusedGRU, "backward", {"go_backwards": True}),
            (FusedLSTM, "forward", {"return_sequences": True, "return_state": True}),
            (FusedLSTM, "backward", {"go_backwards": True}),
        )
    ),
    *(
        Row(
            FusedBidirectional,
            lambda dtype=None, cls=cls: FusedBidirectional(
                cls(
                    3,
                    recurrent_initializer="he_normal",
                    bias_initializer="random_normal",
                    return_sequences=True,
                    dtype=dtype,
                ),
                dtype=dtype,
            ),
            one_sequence,
            real_sequence,
            slow_graph=True,
            name=f"FusedBidirectional-{cls.__name__}",
        )
        for cls in (FusedGRU, FusedLSTM)
    ),
    Row(MaskedMaxPooling, builder(MaskedMaxPooling), one_sequence),
    Row(Maxout, builder(Maxout, 3, 4, "he_normal"), vectors, position_wise=True),
    Row(
        WindowConvolution,
        builder(WindowConvolution, 3, 2, True, "he_normal", "ones", keras.regularizers.L2(0.1)),
        one_sequence,
        real_sequence,
        name="WindowConvolution-bias",
    ),
    Row(
        WindowConvolution,
        builder(WindowConvolution, 3, 4, use_bias=False),
        one_sequence,
        real_sequence,
        name="WindowConvolution-no-bias",
    ),
]

# Losses and metrics


def tokens(padding=0, content=0, empty=False):
    labels = token_ids(1, [4, 2], 7, padding)
    logits, _ = sequence(2, [4, 2], 7, padding, content)
    labels[-1] *= not empty
    return (labels, logits), {}


def candidate_lists(padding=0, content=0, empty=False):
    """Lists of 4 and of 3 candidates; no two scores are close, so that no precision changes their order."""
    labels = np.array([[1, 0, 0, 1], [0, 1, 0, -1], [0, 0, 1, 0]], "int32")
    scores = np.array([[0.5, 0.75, -0.5, 0.25], [0.125, 0.0, 0.375, 9.0], [0.375, -0.25, 0.625, 0.0]], "float32")
    labels = np.pad(labels, ((0, 0), (0, padding)), constant_values=-1)
    scores = np.pad(scores, ((0, 0), (0, padding)))
    if empty:
        labels[-1] = -1
    garbage = np.random.default_rng(content).normal(size=scores.shape).astype("float32")
    return (labels, np.where(labels < 0, garbage, scores)), {}


def list_row(cls, *args, row=""):
    """A loss or metric on lists of similarities."""
    return Row(cls, builder(cls, *args, name="another_name"), candidate_lists, float32_outputs=(0,), name=row)


LOSSES = [
    Row(
        TokenCrossEntropy,
        builder(TokenCrossEntropy, 0.1, 0, "sum", "another_name"),
        tokens,
        float32_outputs=(0,),
        keep_default=("ignore_id",),  # 0 is the house's padding, and the samples have it
    ),
    list_row(TripletMarginLoss, 0.75, "all", "active_pairs", "sum", row="TripletMarginLoss-all"),
    list_row(TripletMarginLoss, 0.75, "hardest", row="TripletMarginLoss-hardest"),
    list_row(TripletMarginLoss, 0.75, "semi_hard", row="TripletMarginLoss-semi-hard"),
    list_row(InBatchSoftmaxLoss, 0.5, False, "sum", row="InBatchSoftmaxLoss-sum"),
    list_row(InBatchSoftmaxLoss, 0.5, True, row="InBatchSoftmaxLoss-symmetric"),
]

METRICS = [
    list_row(AccuracyAt1),
    list_row(MeanAveragePrecision),
    list_row(MeanReciprocalRank, 2),
    list_row(NDCG, 2),
    list_row(MeanRightSimilarity),
    list_row(MeanHardestWrongSimilarity),
    list_row(ActiveTripletFraction, 0.75, "all"),
]

# Models


def sentence_pairs(padding=0, content=0, empty=False):
    source_ids = token_ids(1, [4, 2], 11, padding)
    source_ids[-1] *= not empty
    return ({"source_ids": source_ids, "target_ids": token_ids(2, [3, 3], 13, padding)},), {}


def real_logits(outputs):
    return [outputs[0][:, :3]]


def pools(padding=0, content=0, empty=False):
    answer_ids = token_ids(2, [4, 2, 3, 1, 4, 2], 11, padding).reshape(2, 3, -1)
    if empty:
        answer_ids[-1, -1] = 0
    return ({"question_ids": token_ids(1, [3, 2], 11, padding), "answer_ids": answer_ids},), {}


TRANSLATION = {
    "source_vocabulary_size": 11,
    "target_vocabulary_size": 13,
    "embedding_dim": 4,
    "dropout": 0.1,
    "tie_embeddings": True,
    "paper_initialization": True,
    "name": "another_name",
}
SELECTION = {
    "vocabulary_size": 11,
    "embedding_width": 4,
    "train_embeddings": False,
    "embedding_dropout": 0.1,
    "word_dropout": 0.2,
    "dropout": 0.3,
    "name": "another_name",
}


def translation_row(cls, **kwargs):
    name = kwargs.pop("row", "")
    make = builder(cls, **{**TRANSLATION, **kwargs})
    return Row(cls, make, sentence_pairs, real_logits, float32_outputs=(0,), slow_graph=True, name=name)


def selection_row(cls, **kwargs):
    make = builder(cls, **SELECTION, **kwargs)
    return Row(cls, make, pools, float32_outputs=(0,), not_in_config=("embedding_matrix",), slow_graph=True)


SEARCH = {"encoder_units": 3, "decoder_units": 5, "attention_units": 4, "maxout_units": 6}
SEARCH |= {"attention_dropout": 0.2, "normalize_attention": True, "reset_after": True}
ENCODER_DECODER = {"encoder_units": 3, "decoder_units": 5, "context_units": 4, "maxout_units": 6}
ENCODER_DECODER |= {"reset_after": False, "bidirectional": True, "reverse_source": True}

MODELS = [
    translation_row(Seq2Seq, units=3, layers_count=3, reverse_source=False, row="Seq2Seq-tied"),
    translation_row(Seq2Seq, units=3, tie_embeddings=False, paper_initialization=False, row="Seq2Seq-reversed"),
    translation_row(RNNEncoderDecoder, **ENCODER_DECODER, row="RNNEncoderDecoder-tied"),
    translation_row(
        RNNEncoderDecoder,
        encoder_units=3,
        decoder_units=5,
        tie_embeddings=False,
        paper_initialization=False,
        row="RNNEncoderDecoder-default",
    ),
    translation_row(RNNSearch, **SEARCH, row="RNNSearch-tied"),
    translation_row(
        RNNSearch,
        encoder_units=3,
        decoder_units=5,
        tie_embeddings=False,
        paper_initialization=False,
        row="RNNSearch-default",
    ),
    selection_row(QACNN, filters=5, window=3, kernel_initializer="center_tap"),
    selection_row(QABiLSTM, units=3),
    selection_row(
        APCNN, filters=5, window=2, kernel_initializer="center_tap", score_scale=2.0, alignment_initializer="he_normal"
    ),
    selection_row(APBiLSTM, units=3, score_scale=2.0, alignment_initializer="he_normal"),
]

ROWS = [*LAYERS, *LOSSES, *METRICS, *MODELS]
