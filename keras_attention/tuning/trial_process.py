"""A function in a process of its own: what it took of memory goes when it ends."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
import traceback

POLL_SECONDS = 0.5
TERMINATION_SECONDS = 10


def run_in_process(function, *arguments, log=None, deadline=None, watch=None):
    """Run a function in a new process and return what it returns.

    TensorFlow gives memory back to the system only when its process ends, so a search that trains one model after the
    other in one process grows. The process is started anew (`spawn`), and ends when this one ends, however it ends: a
    killed search leaves no training behind that would write into the folders of the next one.

    Args:
        function: A function that a new process can import.
        *arguments: Its arguments, which are pickled.
        log: File that gets what the process prints, appended; None leaves it on the screen.
        deadline: `time.monotonic()` at which the process is ended; None for no limit.
        watch: Callable without arguments, called about twice a second.

    Returns:
        What the function returned.

    Raises:
        TimeoutError: At the deadline.
        RuntimeError: If the function raised, with its traceback, or if the process died.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sender, function, arguments, log and str(log)), daemon=True)
    process.start()
    sender.close()
    try:
        while not receiver.poll(POLL_SECONDS):
            if watch is not None:
                watch()
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError("the process was ended at its deadline")
        try:
            succeeded, value = receiver.recv()
        except EOFError:
            process.join()
            raise RuntimeError(f"the process ended with exit code {process.exitcode}") from None
        process.join(TERMINATION_SECONDS)
    finally:
        receiver.close()
        _end(process)
    if not succeeded:
        raise RuntimeError(value)
    return value


def _end(process):
    if process.is_alive():
        process.terminate()
        process.join(TERMINATION_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    process.close()


def _run(sender, function, arguments, log):
    """Run in the new process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the search, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if log is not None:
        with open(log, "ab") as stream:
            sys.stdout.flush()
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
    try:
        answer = True, function(*arguments)
    except BaseException:
        answer = False, traceback.format_exc()
    sys.stdout.flush()
    sender.send(answer)
    sender.close()


def _end_with_parent():
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
