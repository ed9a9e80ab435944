"""Training: compile, fit, keep the best, resume after a kill."""
