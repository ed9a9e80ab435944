"""What a run of the benchmarks is told."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Settings:
    """Options of the command.

    Attributes:
        tiny: Sizes so small that everything runs in seconds: to see that it works. The figures mean nothing then.
        rounds: How often each variant is timed.
        multi30k: Folder of Multi30k's raw text, or None.
        translator: Folder of a saved RNNSearch translator, or None.
        selector: Folder of a saved AP-CNN or QA-CNN selector, or None.
        compile_peers: Whether `torch.compile` is among the peers; it needs a C++ compiler.
        picture: Where the growth picture goes.
    """

    tiny: bool = False
    rounds: int = 10
    multi30k: Path | None = None
    translator: Path | None = None
    selector: Path | None = None
    compile_peers: bool = True
    picture: Path = Path("benchmarks/growth.png")

    def size(self, real, tiny):
        """The real size, or the tiny one."""
        return tiny if self.tiny else real
