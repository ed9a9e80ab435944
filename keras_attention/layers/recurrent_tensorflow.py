"""The loops of GRU and LSTM for TensorFlow, with gradients derived by hand.

As in `attention_gru_tensorflow`: the input's products are made before the loop, for all steps at once; the backward
loop carries only the deltas; each weight gradient is one large product after it. Automatic differentiation of Keras'
own loop adds up a weight gradient at every step, which costs about as much as the forward pass.

Several recurrences of one length can share one loop, say the two directions of an encoder: then there is an axis of
recurrences before the batch, and before the weights.
"""

import tensorflow as tf


def gru_states(projected, initial_state, recurrent_kernel, recurrent_bias, reset_after, step_mask=None):
    """Run a GRU in Keras' convention, h_t = z h_{t-1} + (1 - z) h~.

    Args:
        projected: W x + b of update gate, reset gate and candidate, `(length, [recurrences,] batch, 3 units)`.
        initial_state: `([recurrences,] batch, units)`.
        recurrent_kernel: U, `([recurrences,] units, 3 units)`.
        recurrent_bias: `([recurrences,] 1, 3 units)`, added to U h; zeros where there is none.
        reset_after: Whether the reset gate multiplies U h (true) or h (false).
        step_mask: `(length, [recurrences,] batch, 1)`, 1 = real, 0 = carry the state on; or None.

    Returns:
        h_1 .. h_T, `(length, [recurrences,] batch, units)`.
    """
    n = recurrent_kernel.shape[-2]
    dtype = projected.dtype

    @tf.custom_gradient
    def run(projected, h0, kernel, bias):
        steps = tf.shape(projected)[0]
        shape = h0.shape
        head = kernel if reset_after else kernel[..., : 2 * n]
        head_bias = bias if reset_after else bias[..., : 2 * n]
        heads, candidates = _each(head), _each(kernel[..., 2 * n :])

        def array(width):
            return tf.TensorArray(dtype, size=steps, element_shape=[*shape[:-1], width])

        def forward(t, state, states, gates_, recurrents):
            inputs = projected[t]
            products = _products(state, heads) + head_bias
            gates = tf.sigmoid(inputs[..., : 2 * n] + products[..., : 2 * n])
            update, reset = 1.0 - gates[..., :n], gates[..., n:]
            if reset_after:
                recurrent = products[..., 2 * n :]
                candidate = tf.tanh(inputs[..., 2 * n :] + reset * recurrent)
            else:
                recurrent = reset * state
                candidate = tf.tanh(inputs[..., 2 * n :] + _products(recurrent, candidates) + bias[..., 2 * n :])
            recurrents = recurrents.write(t, recurrent)
            if step_mask is not None:
                update = update * step_mask[t]  # a closed gate carries the state on
            gates_ = gates_.write(t, tf.concat([update, reset, candidate], -1))
            state = state + update * (candidate - state)
            return t + 1, state, states.write(t, state), gates_, recurrents

        *_, states, gates, recurrents = tf.while_loop(
            lambda t, *_: t < steps,
            forward,
            (tf.constant(0), h0, array(n), array(3 * n), array(n)),
            maximum_iterations=steps,
        )
        states, gates = states.stack(), gates.stack()
        recurrents = recurrents.stack()  # U h of the candidate, or r h where the reset gate stands before U

        def gradient(d_states):
            previous = tf.concat([h0[None], states[:-1]], 0)
            heads_t, candidates_t = [[tf.transpose(x) for x in xs] for xs in (heads, candidates)]

            def backward(i, d_state, d_inputs_, d_products_):
                t = steps - 1 - i
                state, gate = previous[t], gates[t]
                update, reset, candidate = gate[..., :n], gate[..., n : 2 * n], gate[..., 2 * n :]
                d_state = d_state + d_states[t]
                # update = m (1 - z), so the derivative by z's argument has the other sign; the mask is in it already
                d_update = d_state * (state - candidate) * update * (1.0 - update)
                d_candidate = d_state * update * (1.0 - candidate * candidate)
                d_state = d_state * (1.0 - update)
                if reset_after:
                    d_reset = d_candidate * recurrents[t] * reset * (1.0 - reset)
                    d_products = tf.concat([d_update, d_reset, d_candidate * reset], -1)
                else:
                    d_product = _products(d_candidate, candidates_t)
                    d_reset = d_product * state * reset * (1.0 - reset)
                    d_state = d_state + d_product * reset
                    d_products = tf.concat([d_update, d_reset], -1)
                d_inputs = tf.concat([d_update, d_reset, d_candidate], -1)
                d_state = d_state + _products(d_products, heads_t)
                return i + 1, d_state, d_inputs_.write(t, d_inputs), d_products_.write(t, d_products)

            _, d_h0, d_inputs, d_products = tf.while_loop(
                lambda i, *_: i < steps,
                backward,
                (tf.constant(0), tf.zeros_like(h0), array(3 * n), array(head.shape[-1])),
                maximum_iterations=steps,
            )
            d_inputs, d_products = d_inputs.stack(), _flat(d_products.stack())
            d_kernel = tf.matmul(_flat(previous), d_products, transpose_a=True)
            d_bias = tf.reduce_sum(d_products, -2, keepdims=True)
            if not reset_after:
                d_candidates = _flat(d_inputs)[..., 2 * n :]
                d_kernel = tf.concat([d_kernel, tf.matmul(_flat(recurrents), d_candidates, transpose_a=True)], -1)
                d_bias = tf.concat([d_bias, tf.reduce_sum(d_candidates, -2, keepdims=True)], -1)
            return d_inputs, d_h0, d_kernel, d_bias

        return states, gradient

    return run(projected, initial_state, recurrent_kernel, recurrent_bias)


def lstm_states(projected, initial_hidden, initial_cell, recurrent_kernel, step_mask=None):
    """Run an LSTM in Keras' convention: gates in the order input, forget, candidate, output.

    Args:
        projected: W x + b of the four, `(length, [recurrences,] batch, 4 units)`.
        initial_hidden, initial_cell: `([recurrences,] batch, units)`.
        recurrent_kernel: U, `([recurrences,] units, 4 units)`.
        step_mask: `(length, [recurrences,] batch, 1)`, 1 = real, 0 = carry the states on; or None.

    Returns:
        `(hidden, last_cell)`: h_1 .. h_T, `(length, [recurrences,] batch, units)`, and the last cell state
        `([recurrences,] batch, units)`.
    """
    n = recurrent_kernel.shape[-2]
    dtype = projected.dtype

    @tf.custom_gradient
    def run(projected, h0, c0, kernel):
        steps = tf.shape(projected)[0]
        shape = h0.shape

        kernels = _each(kernel)

        def array(width):
            return tf.TensorArray(dtype, size=steps, element_shape=[*shape[:-1], width])

        def forward(t, hidden, cell, hiddens, cells, gates_):
            inputs = projected[t] + _products(hidden, kernels)
            input_, forget = tf.split(tf.sigmoid(inputs[..., : 2 * n]), 2, axis=-1)
            candidate, output = tf.tanh(inputs[..., 2 * n : 3 * n]), tf.sigmoid(inputs[..., 3 * n :])
            gates_ = gates_.write(t, tf.concat([input_, forget, candidate, output], -1))
            new_cell = forget * cell + input_ * candidate
            new_hidden = output * tf.tanh(new_cell)
            if step_mask is not None:
                real = step_mask[t]
                new_cell, new_hidden = cell + real * (new_cell - cell), hidden + real * (new_hidden - hidden)
            return t + 1, new_hidden, new_cell, hiddens.write(t, new_hidden), cells.write(t, new_cell), gates_

        _, _, last_cell, hiddens, cells, gates = tf.while_loop(
            lambda t, *_: t < steps,
            forward,
            (tf.constant(0), h0, c0, array(n), array(n), array(4 * n)),
            maximum_iterations=steps,
        )
        hiddens, cells, gates = hiddens.stack(), cells.stack(), gates.stack()

        def gradient(d_hiddens, d_last_cell):
            previous_cells = tf.concat([c0[None], cells[:-1]], 0)
            kernels_t = [tf.transpose(x) for x in kernels]

            def backward(i, d_hidden, d_cell, d_inputs_):
                t = steps - 1 - i
                input_, forget, candidate, output = tf.split(gates[t], 4, axis=-1)
                d_hidden = d_hidden + d_hiddens[t]
                carried_hidden = carried_cell = 0.0
                if step_mask is not None:
                    real = step_mask[t]
                    carried_hidden, carried_cell = (1.0 - real) * d_hidden, (1.0 - real) * d_cell
                    d_hidden, d_cell = real * d_hidden, real * d_cell
                squashed = tf.tanh(cells[t])
                d_cell = d_cell + d_hidden * output * (1.0 - squashed * squashed)
                d_inputs = tf.concat(
                    [
                        d_cell * candidate * input_ * (1.0 - input_),
                        d_cell * previous_cells[t] * forget * (1.0 - forget),
                        d_cell * input_ * (1.0 - candidate * candidate),
                        d_hidden * squashed * output * (1.0 - output),
                    ],
                    -1,
                )
                d_hidden = _products(d_inputs, kernels_t) + carried_hidden
                return i + 1, d_hidden, d_cell * forget + carried_cell, d_inputs_.write(t, d_inputs)

            _, d_h0, d_c0, d_inputs = tf.while_loop(
                lambda i, *_: i < steps,
                backward,
                (tf.constant(0), tf.zeros_like(h0), d_last_cell, array(4 * n)),
                maximum_iterations=steps,
            )
            d_inputs = d_inputs.stack()
            previous = tf.concat([h0[None], hiddens[:-1]], 0)
            return d_inputs, d_h0, d_c0, tf.matmul(_flat(previous), _flat(d_inputs), transpose_a=True)

        return (hiddens, last_cell), gradient

    return run(projected, initial_hidden, initial_cell, recurrent_kernel)


def gpu_is_visible():
    """Whether TensorFlow sees a GPU, where cuDNN's kernels are the faster ones."""
    return bool(tf.config.list_logical_devices("GPU"))


def _flat(x):
    """`(length, [recurrences,] batch, width)` to `([recurrences,] length * batch, width)`."""
    if len(x.shape) == 3:
        return tf.reshape(x, [-1, x.shape[-1]])
    return tf.reshape(tf.transpose(x, [1, 0, 2, 3]), [x.shape[1], -1, x.shape[-1]])


def _each(kernel):
    """`([recurrences,] n, m)` to a list of matrices."""
    return [kernel] if len(kernel.shape) == 2 else tf.unstack(kernel)


def _products(state, kernels):
    """Multiply `([recurrences,] batch, n)` by each recurrence's own matrix.

    Not by one batched product: for a batch of one TensorFlow's takes twenty times as long as a matrix product.
    """
    if len(state.shape) == 2:
        return state @ kernels[0]
    return tf.stack([x @ kernel for x, kernel in zip(tf.unstack(state), kernels)])
