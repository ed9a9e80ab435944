"""Answer-selection models: two encoders times two poolings."""
