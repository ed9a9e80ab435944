"""The attention GRU's loop for TensorFlow, with a gradient derived by hand.

Automatic differentiation of the loop does at every step what need be done once: it keeps the `(batch, source, units)`
tensor of every step's alignment network, and multiplies out every weight gradient step by step. Here

- the forward loop keeps only vectors per step: state, context, gates and weights;
- the backward loop carries only deltas, and computes the alignment network again instead of reading it back;
- each weight gradient is one large product after the loop;
- the two products of a step that start from s_{t-1} are one: `[W_a | U_z | U_r]` (and `U` where the reset comes after).

The hyperbolic tangent of a sum needs no tanh per pair. With P = exp(2 q) exp(2 k), tanh(q + k) = 2 P / (1 + P) - 1, so
the exponentials are taken of the queries and of the keys, which are few. A pair then costs a product and one pass more:
P / (1 + P) is the softsign of a positive number, and a quarter of the derivative, P / (1 + P)^2, is what TensorFlow
computes as the softsign's gradient. So each is a single kernel, where a reciprocal of a sum would be two.

Every pass over `(batch, source, units)` costs as much as a third of the step's products, so there are few: what the
gradient multiplies by a vector per sentence or per unit is done by a product of matrices, or once after the loop.

The exponents are held within +-43, that is q and k within +-21.5 each: P stays finite in float32. A tanh is 1 to the
last bit from 9 on, so a sum comes out otherwise only where a query beyond 21.5 meets a key that all but cancels it.
"""

import tensorflow as tf

_LIMIT = 43.0
_LOWEST = -1e30


def attention_gru(
    projected,
    initial_state,
    memory,
    *,
    query_kernel,
    score_vector,
    context_kernel,
    recurrent_kernel,
    recurrent_bias=None,
    step_mask=None,
    dropout_mask=None,
):
    """Run the decoder over a whole target sequence.

    Args:
        projected: W y + b of the three gates (update, reset, candidate), `(target_length, batch, 3 units)`.
        initial_state: s_0, `(batch, units)`.
        memory: What `BahdanauAttention.precompute` returned.
        query_kernel: W_a, `(units, attention_units)`.
        score_vector: v_a as used, `(attention_units, 1)`, float32 (or float64).
        context_kernel: C, `(value_width, 3 units)`.
        recurrent_kernel: U, `(units, 3 units)`.
        recurrent_bias: b_u, `(units,)`, given exactly when the reset gate comes after the product.
        step_mask: `(target_length, batch, 1)`, 1 = real, 0 = carry the state on; or None.
        dropout_mask: `(target_length, batch, source_length)`, factors of the weights; or None.

    Returns:
        `(states, contexts, weights)`, time first: `(target_length, batch, units)`, `(..., value_width)` and
        `(..., source_length)`, the last float32.
    """
    n = recurrent_kernel.shape[0]
    attention_units = query_kernel.shape[1]
    reset_after = recurrent_bias is not None
    dtype, score_dtype = projected.dtype, score_vector.dtype
    source_mask = tf.cast(memory["mask"], score_dtype)
    masked_scores = (1.0 - source_mask) * _LOWEST
    has_step_mask, has_dropout = step_mask is not None, dropout_mask is not None

    def exponentials(x):
        return tf.exp(tf.clip_by_value(2.0 * tf.cast(x, score_dtype), -_LIMIT, _LIMIT))

    def pair_products(exp_queries, exp_keys):
        """P = exp(2 q) exp(2 k): `(batch, source_length, attention_units)`."""
        return exp_queries[:, None, :] * exp_keys

    def times_vector(pairs, vector):
        """Multiply `(batch, source_length, attention_units)` by a vector: one product, not one a sentence."""
        flat = tf.linalg.matvec(tf.reshape(pairs, [-1, attention_units]), vector)
        return tf.reshape(flat, tf.shape(pairs)[:2])

    @tf.custom_gradient
    def run(projected, s0, value, keys, query_kernel, vector, context_kernel, recurrent_kernel, recurrent_bias):
        steps = tf.shape(projected)[0]
        from_state = tf.concat([query_kernel, recurrent_kernel if reset_after else recurrent_kernel[:, : 2 * n]], 1)
        candidate_kernel = recurrent_kernel[:, 2 * n :]
        exp_keys = exponentials(keys)
        vector = tf.reshape(vector, [-1])

        def array(element_shape, element_dtype=dtype):
            return tf.TensorArray(element_dtype, size=steps, element_shape=element_shape)

        def forward(t, state, states, contexts, weights_, queries, gates_, candidates, recurrents):
            products = state @ from_state
            # tanh = 2 softsign(P) - 1, and the constant sum(v) moves no weight
            exp_query = exponentials(products[:, :attention_units])
            pairs = pair_products(exp_query, exp_keys)
            scores = times_vector(tf.nn.softsign(pairs), 2.0 * vector)
            weights = tf.nn.softmax(scores + masked_scores) * source_mask
            used = weights * dropout_mask[t] if has_dropout else weights
            context = tf.squeeze(tf.matmul(tf.cast(used, dtype)[:, None, :], value), 1)
            inputs = projected[t] + context @ context_kernel
            gates = tf.sigmoid(inputs[:, : 2 * n] + products[:, attention_units : attention_units + 2 * n])
            update, reset = gates[:, :n], gates[:, n:]
            if reset_after:
                recurrent = products[:, attention_units + 2 * n :] + recurrent_bias
                candidate = tf.tanh(inputs[:, 2 * n :] + reset * recurrent)
            else:
                recurrent = reset * state
                candidate = tf.tanh(inputs[:, 2 * n :] + recurrent @ candidate_kernel)
            recurrents = recurrents.write(t, recurrent)
            if has_step_mask:
                update = update * step_mask[t]
                gates = tf.concat([update, reset], 1)
            gates_ = gates_.write(t, gates)
            state = state + update * (candidate - state)
            return (
                t + 1,
                state,
                states.write(t, state),
                contexts.write(t, context),
                weights_.write(t, weights),
                queries.write(t, exp_query),
                gates_,
                candidates.write(t, candidate),
                recurrents,
            )

        batch, source_length = keys.shape[0], keys.shape[1]
        width = value.shape[2]
        *_, states, contexts, weights, queries, gates, candidates, recurrents = tf.while_loop(
            lambda t, *_: t < steps,
            forward,
            (
                tf.constant(0),
                s0,
                array([batch, n]),
                array([batch, width]),
                array([batch, source_length], score_dtype),
                array([batch, attention_units], score_dtype),
                array([batch, 2 * n]),
                array([batch, n]),
                array([batch, n]),
            ),
            maximum_iterations=steps,
        )
        states, contexts, weights = states.stack(), contexts.stack(), weights.stack()
        queries, gates, candidates = queries.stack(), gates.stack(), candidates.stack()
        recurrents = recurrents.stack()  # U h of the candidate, or r h where the reset gate stands before U

        def gradient(d_states, d_contexts, d_weights):
            previous = tf.concat([s0[None], states[:-1]], 0)
            # [d gates | d candidate] -> d context; deltas of everything that s_{t-1} was multiplied with -> d s_{t-1}
            context_kernel_t, from_state_t = tf.transpose(context_kernel), tf.transpose(from_state)
            candidate_kernel_t = tf.transpose(candidate_kernel)
            used_all = weights * dropout_mask if has_dropout else weights

            def backward(i, d_state, d_keys, d_vector, d_inputs_, d_products_, d_contexts_):
                t = steps - 1 - i
                state, weight, candidate = previous[t], weights[t], candidates[t]
                update, reset = gates[t][:, :n], gates[t][:, n:]
                d_state = d_state + d_states[t]
                # with the masked gate m z the product (m z)(1 - m z) is m z (1 - z): the mask is in it already
                d_update = d_state * (candidate - state) * update * (1.0 - update)
                d_candidate = d_state * update * (1.0 - candidate * candidate)
                if reset_after:
                    d_reset = d_candidate * recurrents[t] * reset * (1.0 - reset)
                    d_recurrent = d_candidate * reset
                    d_previous = d_state * (1.0 - update)
                else:
                    d_product = d_candidate @ candidate_kernel_t
                    d_reset = d_product * state * reset * (1.0 - reset)
                    d_previous = d_state * (1.0 - update) + d_product * reset
                d_inputs = tf.concat([d_update, d_reset, d_candidate], 1)
                d_context = d_contexts[t] + d_inputs @ context_kernel_t
                d_weight = tf.cast(
                    tf.squeeze(tf.matmul(d_context[:, None, :], value, transpose_b=True), 1), score_dtype
                )
                if has_dropout:
                    d_weight = d_weight * dropout_mask[t]
                d_weight = d_weight + d_weights[t]
                d_scores = weight * (d_weight - tf.reduce_sum(weight * d_weight, 1, keepdims=True))
                pairs = pair_products(queries[t], exp_keys)
                flat = tf.reshape(tf.nn.softsign(pairs), [-1, attention_units])
                d_vector = d_vector + tf.linalg.matvec(flat, tf.reshape(d_scores, [-1]), transpose_a=True)
                # slope = tanh' / 4; the factor 4 v_a of the keys' gradient waits until after the loop
                slope = tf.raw_ops.SoftsignGrad(gradients=pairs, features=pairs)
                d_query = tf.squeeze(tf.matmul(d_scores[:, None, :], slope), 1) * (4.0 * vector)
                d_query = tf.cast(d_query, dtype)
                deltas = [d_query, d_update, d_reset, d_recurrent] if reset_after else [d_query, d_update, d_reset]
                d_products = tf.concat(deltas, 1)
                return (
                    i + 1,
                    d_previous + d_products @ from_state_t,
                    d_keys + d_scores[:, :, None] * slope,
                    d_vector,
                    d_inputs_.write(t, d_inputs),
                    d_products_.write(t, d_products),
                    d_contexts_.write(t, d_context),
                )

            _, d_s0, d_keys, d_vector, d_inputs, d_products, d_contexts_all = tf.while_loop(
                lambda i, *_: i < steps,
                backward,
                (
                    tf.constant(0),
                    tf.zeros_like(s0),
                    tf.zeros_like(exp_keys),
                    tf.zeros_like(vector),
                    array([batch, 3 * n]),
                    array([batch, from_state.shape[1]]),
                    array([batch, width]),
                ),
                maximum_iterations=steps,
            )
            d_inputs, d_products, d_contexts_all = d_inputs.stack(), d_products.stack(), d_contexts_all.stack()

            def flat(x):
                return tf.reshape(x, [-1, x.shape[-1]])

            d_from_state = tf.matmul(flat(previous), flat(d_products), transpose_a=True)
            d_query_kernel = d_from_state[:, :attention_units]
            if reset_after:
                d_recurrent_kernel = d_from_state[:, attention_units:]
                d_recurrent_bias = tf.reduce_sum(d_products[:, :, attention_units + 2 * n :], [0, 1])
            else:
                d_candidate_kernel = tf.matmul(flat(recurrents), flat(d_inputs[:, :, 2 * n :]), transpose_a=True)
                d_recurrent_kernel = tf.concat([d_from_state[:, attention_units:], d_candidate_kernel], 1)
                d_recurrent_bias = tf.zeros_like(recurrent_bias)
            d_context_kernel = tf.matmul(flat(contexts), flat(d_inputs), transpose_a=True)
            d_value = tf.matmul(
                tf.transpose(tf.cast(used_all, dtype), [1, 2, 0]), tf.transpose(d_contexts_all, [1, 0, 2])
            )
            return (
                d_inputs,
                d_s0,
                d_value,
                tf.cast(d_keys * (4.0 * vector), keys.dtype),
                d_query_kernel,
                2.0 * d_vector[:, None],
                d_context_kernel,
                d_recurrent_kernel,
                d_recurrent_bias,
            )

        return (states, contexts, weights), gradient

    if not reset_after:
        recurrent_bias = tf.zeros([n], dtype)
    states, contexts, weights = run(
        projected,
        initial_state,
        memory["value"],
        memory["keys"],
        query_kernel,
        score_vector,
        context_kernel,
        recurrent_kernel,
        recurrent_bias,
    )
    return states, contexts, weights * dropout_mask if has_dropout else weights
