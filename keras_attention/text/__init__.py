"""Text: normalisation and tokenizers that run inside a TensorFlow graph."""
