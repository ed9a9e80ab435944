"""KerasTuner, or words that say how to get it."""

try:
    import keras_tuner
except ImportError as error:
    raise ImportError("tuning wants the package keras-tuner: pip install 'keras_attention[tuning]'") from error

__all__ = ["keras_tuner"]
