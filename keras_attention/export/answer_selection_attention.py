"""What a selector with attentive pooling looked at, as a signature of its SavedModel."""

import tensorflow as tf

from keras_attention.export.token_pieces import token_pieces


def attention_endpoints(graph):
    """Return the endpoint `attention` of models that have weights; of others, none.

    `attention`: `question`, `answer` string `[batch]` to `similarity` float32 `[batch]`; `question_tokens` string and
    `question_weights` float32 `[batch, question_length]`; `answer_tokens` and `answer_weights` `[batch,
    answer_length]`. Weights stand after the softmax; padding has the empty token and weight 0. Tokens that the
    vocabulary does not know come as its unknown token.

    Args:
        graph: An `AnswerSelectionGraph`.

    Returns:
        Dict from the signature's name to `(function, input_signature)`.
    """
    # Made here and not while the graph is traced.
    attention_model = getattr(graph.model, "attention_model", None)
    if attention_model is None:
        return {}

    def attention(question, answer):
        question_ids = graph.ids(question, graph.question_length)
        answer_ids = graph.ids(answer, graph.answer_length)
        question_weights, answer_weights = attention_model(
            {"question_ids": question_ids, "answer_ids": answer_ids[:, None]}
        )
        return {
            **graph.similarity(question, answer),
            "question_tokens": token_pieces(graph.tokenizer, question_ids),
            "question_weights": question_weights[:, 0],
            "answer_tokens": token_pieces(graph.tokenizer, answer_ids),
            "answer_weights": answer_weights[:, 0],
        }

    text = [tf.TensorSpec([None], tf.string, name=name) for name in ("question", "answer")]
    return {"attention": (attention, text)}
