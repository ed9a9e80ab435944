"""Mining: which right and wrong answers of a list make a training pair. Below losses and metrics alike."""
