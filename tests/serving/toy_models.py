"""SavedModels whose answers can be worked out by eye, with the signatures of the real ones. Made in a second."""

import tensorflow as tf

INDEXED = ("of seven", "an answer that is long", "four")
ENDLESS = 1 << 40  # steps of `slow` that no test waits for


def text(name, size=None):
    return tf.TensorSpec([size], tf.string, name=name)


class ToyTranslator(tf.Module):
    """Version 1 translates into capitals, version 2 backwards. The score is the length in bytes, below zero."""

    def __init__(self, version):
        super().__init__()
        self.translate = tf.strings.upper if version == 1 else self.backwards
        self.bias = tf.Variable(1.0)  # so that there is something to restore

    @staticmethod
    def backwards(texts):
        characters = tf.strings.unicode_split(texts, "UTF-8").to_tensor()
        return tf.strings.reduce_join(tf.reverse(characters, [-1]), axis=-1)  # the padding is empty

    def default(self, text):
        return {"translation": self.translate(text), "score": -tf.cast(tf.strings.length(text), tf.float32) * self.bias}

    def alignment(self, text):
        """Words against words: all the weight on the word of the same place."""
        source = tf.strings.split(text).to_tensor()
        target = tf.where(source == "", source, self.translate(source))
        alignment = tf.tile(tf.eye(tf.shape(source)[1])[None], [tf.shape(source)[0], 1, 1])
        tokens = {"source_tokens": source, "target_tokens": target, "alignment": alignment}
        return {**self.default(text), **tokens}

    def numbers(self, x, n, flag):
        """Types other than strings: x doubled, n doubled, flag negated."""
        return {"x": x * 2, "n": n * 2, "flag": tf.logical_not(flag)}

    def doubled(self, value):
        return {"value": value * 2}

    def blob(self, data_bytes):
        return {"data_bytes": tf.identity(data_bytes)}

    def strict(self, text):
        """Fails inside the graph on what is no number."""
        return {"number": tf.strings.to_number(text)}

    def slow(self, steps):
        """Counts, one step after another."""
        (count,) = tf.while_loop(lambda i: i < steps[0], lambda i: (i + 1,), (tf.constant(0, tf.int64),))
        return {"count": tf.fill(tf.shape(steps), count)}


class ToySelector(tf.Module):
    """The similarity falls with the difference of the lengths; every token has the same weight."""

    def default(self, question, answer):
        difference = tf.strings.length(question) - tf.strings.length(answer)
        return {"similarity": 1.0 / (1.0 + tf.cast(tf.abs(difference), tf.float32))}

    def rank(self, question, answers):
        similarity = self.default(tf.repeat(question, tf.size(answers)), answers)["similarity"]
        return {"similarity": similarity, "order": tf.argsort(similarity, direction="DESCENDING", stable=True)}

    def find(self, question):
        similarity = self.default(question[:, None], tf.constant([INDEXED]))["similarity"]
        scores, places = tf.math.top_k(similarity, 2)
        return {"answers": tf.gather(tf.constant(INDEXED), places), "places": places, "scores": scores}

    def attention(self, question, answer):
        outputs = self.default(question, answer)
        for side, texts in (("question", question), ("answer", answer)):
            tokens = tf.strings.split(texts).to_tensor()
            real = tf.cast(tokens != "", tf.float32)
            outputs[f"{side}_tokens"] = tokens
            outputs[f"{side}_weights"] = tf.math.divide_no_nan(real, tf.reduce_sum(real, axis=1, keepdims=True))
        return outputs


def write_toy_translator(folder, version):
    """Write `<folder>/<version>`."""
    model = ToyTranslator(version)
    numbers = [
        tf.TensorSpec([None, 2], tf.float32, name="x"),
        tf.TensorSpec([None], tf.int32, name="n"),
        tf.TensorSpec([None], tf.bool, name="flag"),
    ]
    signatures = {
        "serving_default": (model.default, [text("text")]),
        "alignment": (model.alignment, [text("text")]),
        "numbers": (model.numbers, numbers),
        "doubled": (model.doubled, [tf.TensorSpec([], tf.float32, name="value")]),
        "blob": (model.blob, [text("data_bytes")]),
        "strict": (model.strict, [text("text")]),
        "slow": (model.slow, [tf.TensorSpec([None], tf.int64, name="steps")]),
    }
    save(model, folder / str(version), signatures)
    return folder


def write_toy_selector(folder, with_index=False):
    """Write `<folder>/1`; with an index, the question alone is asked for."""
    model = ToySelector()
    pairs = (model.default, [text("question"), text("answer")])
    signatures = {
        "serving_default": (model.find, [text("question")]) if with_index else pairs,
        "similarity": pairs,
        "rank": (model.rank, [text("question", 1), text("answers")]),
        "attention": (model.attention, [text("question"), text("answer")]),
    }
    save(model, folder / "1", signatures)
    return folder


def save(model, path, signatures):
    functions = {name: tf.function(function, spec) for name, (function, spec) in signatures.items()}
    tf.saved_model.save(model, str(path), {name: f.get_concrete_function() for name, f in functions.items()})
