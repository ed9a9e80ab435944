"""The classic attention models in Keras 3, from raw text to a served SavedModel."""

__version__ = "0.1.0"
