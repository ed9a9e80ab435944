"""How requests are joined into batches: TF Serving's batching parameters."""

import dataclasses
import os
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class BatchingParameters:
    """The parameters of `tensorflow_model_server --batching_parameters_file`, with its names.

    Args:
        max_batch_size: Items (first dimension) of a batch, at most. A request with more is refused.
        batch_timeout_micros: How long a request waits for others, in microseconds.
        max_enqueued_batches: How many full batches may wait; a request beyond is refused.
        num_batch_threads: Batches run at a time.
        allowed_batch_sizes: If given, increasing, the last one `max_batch_size`: a batch is filled up, with copies of
            its first item, to the next of these.

    Raises:
        ValueError: If one is out of range.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 1000
    max_enqueued_batches: int = 64
    num_batch_threads: int = 2
    allowed_batch_sizes: tuple = ()

    def __post_init__(self):
        for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={getattr(self, name)}")
        if self.batch_timeout_micros < 0:
            raise ValueError(
                "`batch_timeout_micros` must not be negative. "
                f"Received: batch_timeout_micros={self.batch_timeout_micros}"
            )
        sizes = self.allowed_batch_sizes
        if sizes and (list(sizes) != sorted(set(sizes)) or sizes[0] < 1 or sizes[-1] != self.max_batch_size):
            raise ValueError(
                "`allowed_batch_sizes` must be positive, increasing, and end with `max_batch_size`. "
                f"Received: allowed_batch_sizes={sizes}, max_batch_size={self.max_batch_size}"
            )


def read_batching_parameters(path):
    """Read a `BatchingParameters` file, protocol buffers' text form.

    Args:
        path: The file.

    Raises:
        ValueError: If it is none, or asks for `pad_variable_length_inputs`, which the local server does not have.
    """
    from google.protobuf import text_format

    message = _message_class()()
    try:
        text_format.Parse(Path(path).read_text(encoding="utf-8"), message)
    except text_format.ParseError as error:
        raise ValueError(f"Expected BatchingParameters. Received: {os.fspath(path)}: {error}") from error
    if message.pad_variable_length_inputs:
        raise ValueError("The local server pads no inputs. Received: pad_variable_length_inputs=true")
    names = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    given = {name: getattr(message, name).value for name in names if message.HasField(name)}
    return BatchingParameters(**given, allowed_batch_sizes=tuple(message.allowed_batch_sizes))


def _message_class():
    """Return the message `BatchingParameters`, which `tensorflow-serving-api` does not bring.

    Names, numbers and types are those of session_bundle_config.proto, so that the real parser reads the file.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="keras_attention/batching_parameters.proto",
        package="keras_attention",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="BatchingParameters")
    wrapped = {
        "max_batch_size": 1,
        "batch_timeout_micros": 2,
        "max_enqueued_batches": 3,
        "num_batch_threads": 4,
        "thread_pool_name": 5,
    }
    for name, number in wrapped.items():
        kind = "StringValue" if name == "thread_pool_name" else "Int64Value"
        message.field.add(
            name=name,
            number=number,
            label=field.LABEL_OPTIONAL,
            type=field.TYPE_MESSAGE,
            type_name=f".google.protobuf.{kind}",
        )
    message.field.add(name="allowed_batch_sizes", number=6, label=field.LABEL_REPEATED, type=field.TYPE_INT64)
    message.field.add(name="pad_variable_length_inputs", number=7, label=field.LABEL_OPTIONAL, type=field.TYPE_BOOL)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("keras_attention.BatchingParameters"))
