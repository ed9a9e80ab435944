"""Translation models: each file is the delta of its paper."""
