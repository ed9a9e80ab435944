"""Token ids back into their pieces, inside the graph."""

import tensorflow as tf


def token_pieces(tokenizer, token_ids):
    """Look up the pieces of ids of any shape.

    Args:
        tokenizer: Their tokenizer.
        token_ids: Integer tensor.

    Returns:
        String tensor of the same shape; padding gives the empty string.
    """
    pieces = [tokenizer.id_to_piece(i) for i in range(tokenizer.vocabulary_size)]
    pieces[tokenizer.pad_id] = ""
    return tf.gather(tf.constant(pieces), token_ids)
