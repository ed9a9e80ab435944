"""The smallest search: two options around `counting_run.train`, with the real tuner.

What is heavy is imported where it is used: the trials' processes load this file, and not that.
"""

import sys

from tuning.counting_run import train

CONFIGURATION = {"model": {"name": "seq2seq", "units": 4}, "training": {"epochs": 9, "learning_rate": 0.01}}
SPACE = {
    "data": {"batch_size": {}},
    "model": {
        "units": {"minimum": 2, "maximum": 40},
        **{key: {} for key in ("embedding_dim", "layers_count", "dropout", "tie_embeddings")},
    },
    "training": {
        "learning_rate": {"minimum": 1e-3, "maximum": 1e-1, "scale": "log"},
        **{key: {} for key in ("label_smoothing", "average_decay")},
    },
}


def make_tuner(workdir, method="hyperband", trials=None, minutes=None, processes=False, watch=None, **training):
    from keras_attention.tuning import ConfigurationTuner, TranslationHyperModel, make_oracle

    configuration = {**CONFIGURATION, "training": {**CONFIGURATION["training"], **training}}
    hyper_model = TranslationHyperModel(configuration, space=SPACE)
    epochs = configuration["training"]["epochs"]
    oracle = make_oracle(method, "bleu", seed=3, trials=trials, minutes=minutes, max_epochs=epochs)
    return ConfigurationTuner(hyper_model, oracle, train, workdir, processes=processes, watch=watch)


if __name__ == "__main__":  # workdir, method, trials, pause: a search to be killed, or a chief or worker of one
    make_tuner(sys.argv[1], sys.argv[2], int(sys.argv[3]), processes=True, pause=float(sys.argv[4])).search()
