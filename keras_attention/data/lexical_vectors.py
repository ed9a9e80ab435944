"""First word vectors of a translation model, in which a word lies near its translations."""

import numpy
import tensorflow as tf


def lexical_vectors(
    sources,
    targets,
    source_vocabulary_size,
    target_vocabulary_size,
    width,
    *,
    iterations=4,
    smoothing=0.75,
    least_count=0.05,
    seed=0,
):
    """Return word vectors of both languages in one space, learnt from the sentence pairs themselves in seconds.

    With random first vectors a translation model has to learn word by word which source word goes with which target
    word. That much is in the sentence pairs, and counting finds it faster than descending:

    1. IBM model 1 aligns the words, ``iterations`` times: with ``t(y | x)`` the table of word translations, each
       target word ``y_j`` gives every source word of its sentence the share ``t(y_j | x_i) / sum_k t(y_j | x_k)``;
       the table is the shares' sum ``n(x, y)``, normalised for each ``x``.
    2. The association of two words is their positive pointwise mutual information,
       ``max(0, log(n(x, y) / (n(x) p(y))))``, with ``p(y)`` proportional to ``n(y)**smoothing``.
    3. A singular value decomposition ``U S V^T`` of rank ``width`` gives ``U sqrt(S)`` and ``V sqrt(S)``: the product
       of a source and a target vector is their association, and words that translate alike lie near each other.

    The model then begins with one map to learn, from annotations back to the words they stand for, in place of a map
    for every word.

    Args:
        sources: token ids of the source sentences: a ``tf.RaggedTensor`` ``(pairs, None)``, as tokenizers return, or a
            list of lists.
        targets: their translations.
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        width: width of the vectors; at most the smaller vocabulary.
        iterations: of model 1.
        smoothing: exponent of the target words' counts; below 1 it holds rare words back.
        least_count: expected counts below it are taken for none.
        seed: seed of the decomposition's random start.

    Returns:
        ``(source_vectors, target_vectors)``, float32 ``(source_vocabulary_size, width)`` and
        ``(target_vocabulary_size, width)``, rows of length 1; all zero for words that were not seen or associate with
        nothing, which are to keep what they have.

    Raises:
        ValueError: numbers of sentences that differ, ids out of range, or a width that does not fit.

    Example:
    >>> from keras_attention.data import lexical_vectors
    >>> dog, cat, the = 1, 2, 3
    >>> chien, chat, le = 2, 1, 3
    >>> source, target = lexical_vectors([[the, dog], [the, cat], [dog]], [[le, chien], [le, chat], [chien]], 4, 4, 3)
    >>> int((target @ source[dog]).argmax()) == chien
    True

    References: Brown, Della Pietra, Della Pietra and Mercer 1993, section 4.1 (model 1); Levy, Goldberg and Dagan 2015,
    section 3 (smoothing); Halko, Martinsson and Tropp 2011, algorithm 4.4 (the decomposition).
    """
    source_ids, source_lengths = _flat(sources)
    target_ids, target_lengths = _flat(targets)
    if len(source_lengths) != len(target_lengths):
        raise ValueError(
            f"Expected one target for each source. Received: {len(source_lengths):,} sources and "
            f"{len(target_lengths):,} targets"
        )
    for name, ids, size in (
        ("source", source_ids, source_vocabulary_size),
        ("target", target_ids, target_vocabulary_size),
    ):
        if len(ids) and not 0 <= ids.min() <= ids.max() < size:
            raise ValueError(
                f"Expected {name} ids from 0 to {size - 1}. Received: ids from {ids.min()} to {ids.max()}, "
                f"{name}_vocabulary_size={size}"
            )
    if not 1 <= width <= min(source_vocabulary_size, target_vocabulary_size):
        raise ValueError(
            f"`width` must be from 1 to the smaller vocabulary's {min(source_vocabulary_size, target_vocabulary_size)}."
            f" Received: width={width}"
        )
    keys, counts = _expected_counts(
        source_ids, source_lengths, target_ids, target_lengths, target_vocabulary_size, iterations
    )
    keys, counts = keys[counts > least_count], counts[counts > least_count]
    rows, columns = numpy.divmod(keys, target_vocabulary_size)
    of_source = numpy.bincount(rows, weights=counts, minlength=source_vocabulary_size)
    of_target = numpy.bincount(columns, weights=counts, minlength=target_vocabulary_size) ** smoothing
    share = of_target / max(of_target.sum(), 1e-30)
    association = numpy.log(counts / (of_source[rows] * share[columns]))
    kept = association > 0
    shape = (source_vocabulary_size, target_vocabulary_size)
    matrix = tf.sparse.SparseTensor(
        numpy.stack([rows[kept], columns[kept]], axis=1).astype("int64").reshape(-1, 2),
        association[kept].astype("float32"),
        shape,
    )
    left, right = _decompose(matrix, width, seed)
    return _unit(left), _unit(right)


def _flat(rows):
    if not isinstance(rows, tf.RaggedTensor):
        rows = tf.ragged.constant(rows, dtype=tf.int32, ragged_rank=1)
    return rows.flat_values.numpy().astype("int64"), rows.row_lengths().numpy()


def _expected_counts(source_ids, source_lengths, target_ids, target_lengths, target_vocabulary_size, iterations):
    """Return `(keys, counts)`: word pairs as `source * target_vocabulary_size + target`, and n(x, y)."""
    # One link for every source and target word of a pair; the links of one target word stand together.
    sentence = numpy.repeat(numpy.arange(len(target_lengths)), target_lengths)
    links = source_lengths[sentence]
    target_ids, sentence, links = target_ids[links > 0], sentence[links > 0], links[links > 0]
    if not len(links):
        return numpy.zeros(0, "int64"), numpy.zeros(0)
    first = numpy.cumsum(links) - links
    place = numpy.arange(links.sum()) - numpy.repeat(first, links)
    begins = numpy.cumsum(source_lengths) - source_lengths
    linked = source_ids[numpy.repeat(begins[sentence], links) + place]
    keys, pair = numpy.unique(linked * target_vocabulary_size + numpy.repeat(target_ids, links), return_inverse=True)
    source_of_pair = keys // target_vocabulary_size
    table = numpy.ones(len(keys))
    for _ in range(iterations):
        share = table[pair]
        share /= numpy.repeat(numpy.add.reduceat(share, first), links)
        counts = numpy.bincount(pair, weights=share, minlength=len(keys))
        table = counts / numpy.bincount(source_of_pair, weights=counts)[source_of_pair]
    return keys, counts


def _decompose(matrix, width, seed, passes=4, spare=16):
    """Return `U sqrt(S)` and `V sqrt(S)` of the sparse matrix, by iterating a random subspace."""
    columns = int(matrix.shape[1])
    rank = min(width + spare, *matrix.shape)
    basis = numpy.random.default_rng(seed).standard_normal((columns, rank)).astype("float32")

    def times(x, adjoint=False):
        return tf.sparse.sparse_dense_matmul(matrix, x, adjoint_a=adjoint).numpy()

    for _ in range(passes):
        basis = numpy.linalg.qr(times(basis))[0]
        basis = numpy.linalg.qr(times(basis, adjoint=True))[0]
    left, scale, right = numpy.linalg.svd(times(basis), full_matrices=False)
    root = numpy.sqrt(scale[:width])
    # What the matrix has not: directions of no weight would be noise made as long as the others.
    root[scale[:width] < 1e-5 * max(scale[0], 1e-30)] = 0.0
    return left[:, :width] * root, (basis @ right.T)[:, :width] * root


def _unit(rows):
    length = numpy.linalg.norm(rows, axis=1, keepdims=True)
    return numpy.where(length > 1e-4, rows / numpy.maximum(length, 1e-30), 0.0).astype("float32")
