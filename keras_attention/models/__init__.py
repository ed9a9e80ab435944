"""Models: every system of the line of work as a Functional Keras model."""
