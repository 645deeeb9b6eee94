"""A run's tables as Parquet, which pandas, R and databases read without being told of types.

The library is loaded where a table is written and nowhere else: no web process needs it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from evolution.archive_file import History
from evolution.archive_lines import Individual
from evolution.archive_writing import Extra

if TYPE_CHECKING:
    import pyarrow

AT_ONCE = 2000  # rows in memory, and in a row group


class _Pipe:
    """A file that keeps what was written until it is fetched."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def write(self, content: Any) -> int:
        """Keep a piece."""
        self._parts.append(bytes(content))
        self._position += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        """Return how much was written so far."""
        return self._position

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """There is nothing to close."""

    def fetch(self) -> bytes:
        """Return what was written since the last time."""
        content = b"".join(self._parts)
        self._parts.clear()
        return content


def members(history: History, champions: Sequence[tuple[Any, ...]]) -> Iterator[Extra]:
    """Yield the four tables."""
    import pyarrow as pa

    whole, real = pa.int64(), pa.float32()
    surest = pa.list_(pa.struct([("class_index", whole), ("confidence", real)]))
    columns = {
        "individuals": {
            "number": whole,
            "generation": whole,
            "parents": pa.list_(whole),
            "top": surest,
            "genome_hash": pa.string(),
        },
        "takeovers": {
            "generation": whole,
            "class_index": whole,
            "individual": whole,
            "confidence": real,
            "taken_from": whole,
        },
        "statistics": {
            "generation": whole,
            **dict.fromkeys(("median", "mean", "max", "share_99", "share_9999"), pa.float64()),
            "takeovers": whole,
            "evaluations": whole,
            "seconds": pa.float64(),
        },
        "champions": {
            "class_index": whole,
            "label": pa.string(),
            "confidence": real,
            "individual": whole,
            "generation": whole,
            "genome_hash": pa.string(),
            "picture": pa.string(),
        },
    }
    rows = {
        "individuals": map(_individual, history.individuals(with_genomes=False)),
        "takeovers": history.takeovers(),
        "statistics": (
            line._replace(seconds=round(line.seconds, 3)) for line in history.statistics()
        ),  # as CSV
        "champions": champions,
    }
    for name, kinds in columns.items():
        yield Extra(
            f"parquet/{name}.parquet", _table(pa.schema(list(kinds.items())), rows[name]), is_packed=True
        )


def _individual(one: Individual) -> tuple[Any, ...]:
    top = [{"class_index": index, "confidence": confidence} for index, confidence in one.top]
    return one.number, one.generation, list(one.parents), top, one.genome_hash


def _table(schema: "pyarrow.Schema", rows: Iterable[tuple[Any, ...]]) -> Iterator[bytes]:
    """Yield a table's bytes as they come."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    pipe, waiting = _Pipe(), iter(rows)
    with ParquetWriter(pa.PythonFile(pipe, mode="w"), schema) as writer:
        while chunk := list(islice(waiting, AT_ONCE)):
            cells = zip(*chunk, strict=True)
            arrays = [pa.array(column, kind) for column, kind in zip(cells, schema.types, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            yield pipe.fetch()
    yield pipe.fetch()
