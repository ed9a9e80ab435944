"""What every model of the package is: Functional, with its layers as attributes, under one dtype policy."""

import keras

from keras_attention.models.half_precision import prepare_half_precision


class FunctionalModel(keras.Model):
    """Base of the models: layers are made and set first, then `keras.Model.__init__` is given inputs and outputs.

    Beside what Keras does, `dtype` is the policy of the whole model, so that `compile` knows whether the loss is to be
    scaled (Keras gives a Functional model the global policy, whatever its layers have).
    """

    def __setattr__(self, name, value):
        # Torch refuses modules before `Module.__init__`. Keras' own tracking has them, in the order of every backend.
        if keras.backend.backend() == "torch" and "_modules" not in self.__dict__ and name != "_tracker":
            if not hasattr(self, "_tracker"):
                self._initialize_tracker()
            object.__setattr__(self, name, self._tracker.track(value))
        else:
            super().__setattr__(name, value)

    def _set_policy(self, dtype):
        """Take the policy that `dtype` names, or the global one for None, and make it ready to be computed in."""
        self._policy = keras.dtype_policies.get(dtype) if dtype is not None else keras.config.dtype_policy()
        prepare_half_precision(self._policy)

    def _make_functional(self, inputs, outputs, name):
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.dtype_policy = self._policy
