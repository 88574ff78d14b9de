"""What is asked of an engine, whichever it is: DuckDB, a database or Spark.

An expression of Ibis comes in; it is stored where it is, or its answer fetched. Where engines need
to be asked differently, that is known here and nowhere above.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import ibis
import pyarrow as pa
from ibis.expr.operations import Median
from pyarrow import parquet

from reportgen import spark
from reportgen.progress import Progress, silent
from reportgen.spark import BATCH_ROWS

#: Digits of an exact sum, and those of them after the point.
_DECIMAL_DIGITS, MONEY_DECIMALS = 38, 6

_UNIQUE = re.compile(r"\w+_[0-9a-f]{32}")


def materialise(connection: ibis.BaseBackend, expression: ibis.Table, name: str) -> ibis.Table:
    """Store what an expression gives, so that later queries do not compute it again."""
    unique = _unique(name)
    if connection.name == spark.NAME:
        return spark.stored(connection, expression, unique)
    return connection.create_table(unique, expression, temp=True)


def _unique(name: str) -> str:
    return f"{name}_{uuid4().hex}"


def is_temporary(name: str) -> bool:
    """Whether a table's name is one that `materialise` gave."""
    return _UNIQUE.fullmatch(name) is not None


def given(connection: ibis.BaseBackend, rows: pa.Table) -> ibis.Table:
    """Give an engine a small table of this process."""
    if connection.name == spark.NAME:
        return spark.shipped(connection, rows, _unique("given"))
    return ibis.memtable(rows)


def moved(table: ibis.Table, connection: ibis.BaseBackend, name: str, *,
          scratch: Path | None = None, told: Progress = silent) -> ibis.Table:
    """Store a table of another engine in this one, a batch at a time."""
    rows = (pa.Table.from_batches([batch]) for batch in _counted_batches(table, told))
    # A table without rows has columns nevertheless.
    return _passed(chain([table.schema().to_pyarrow().empty_table()], rows), connection, name,
                   scratch)


def _passed(parts: Iterable[pa.Table], connection: ibis.BaseBackend, name: str,
            scratch: Path | None) -> ibis.Table:
    """Store tables of one schema by way of a file, so that they need not be in memory at once."""
    with tempfile.TemporaryDirectory(prefix="reportgen-", dir=scratch) as folder:
        path = Path(folder) / f"{name}.parquet"
        _write(parts, path)
        return materialise(connection, connection.read_parquet(path), name)


def _batches(table: ibis.Table) -> Iterator[pa.RecordBatch]:
    """Fetch a table a batch at a time, whatever engine holds it."""
    backend = table.get_backend()
    if backend.name == "sqlite":
        yield from _batches_of_sqlite(table)
    else:
        yield from table.to_pyarrow_batches(chunk_size=BATCH_ROWS)


def _counted_batches(table: ibis.Table, told: Progress) -> Iterator[pa.RecordBatch]:
    """Fetch a table a batch at a time, and tell how many rows are done with."""
    done, total = 0, one_row(table.aggregate(rows=table.count()))["rows"]
    told(done, total, "rows")
    for batch in _batches(table):
        yield batch
        done += batch.num_rows
        told(done, total, "rows")


def _batches_of_sqlite(table: ibis.Table) -> Iterator[pa.RecordBatch]:
    """Do what Ibis does there by way of pandas, with everything in memory at once."""
    backend, schema = table.get_backend(), table.schema().to_pyarrow()
    with closing(backend.con.execute(backend.compile(table))) as cursor:
        while rows := cursor.fetchmany(BATCH_ROWS):
            columns = [_of_type(column, field.type)
                       for column, field in zip(zip(*rows, strict=True), schema, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _of_type(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of what SQLite gives, which has no truth values but 0 and 1."""
    if pa.types.is_boolean(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


def discard(table: ibis.Table) -> None:
    """Drop a table that `materialise` stored."""
    # get_name() gives the whole path, which DuckDB would take for a name.
    backend, name = table.get_backend(), table.op().name
    if backend.name == spark.NAME:
        spark.discard(backend, name)
    else:
        backend.drop_table(name)


def read_parquet(connection: ibis.BaseBackend, path: Path) -> ibis.Table:
    """Read a Parquet file, or a folder of its parts."""
    parts = path / "*.parquet" if path.is_dir() and connection.name != spark.NAME else path
    return connection.read_parquet(parts)


def mapped(table: ibis.Table, function: Callable[[pa.RecordBatch], pa.Table],
           path: Path | None = None, scratch: Path | None = None,
           told: Progress = silent) -> ibis.Table:
    """Make other rows of a table's, a batch at a time, where they are; store them.

    Parameters
    ----------
    function
        Makes a table of a batch of rows, row by row: how they are parted must not matter.
    path
        Parquet file to keep them in, for Spark the folder that its workers write their parts to;
        none where they are needed by this process only.
    scratch
        Folder for what passes through a file meanwhile; the system's one if absent.
    told
        Is told of the rows, where they pass through this process.
    """
    backend = table.get_backend()
    if backend.name == spark.NAME:
        (first,) = fetch(table.limit(1)).to_batches()
        schema = function(first).schema
        if path is None:
            return spark.mapped(table, function, schema, _unique("mapped"))
        return spark.written(table, function, schema, path)
    made = map(function, _counted_batches(table, told))
    if path is not None:
        _write(made, path)
        return backend.read_parquet(path)
    return _passed(made, backend, "mapped", scratch)


def _write(parts: Iterable[pa.Table], path: Path) -> None:
    """Write tables of one schema, at least one, to a Parquet file."""
    waiting = iter(parts)
    first = next(waiting)
    with parquet.ParquetWriter(path, first.schema, compression="zstd") as writer:
        for part in chain([first], waiting):
            writer.write_table(part)


def fetch(answer: ibis.Table) -> pa.Table:
    """Fetch an answer as a whole, without the pandas that Ibis's `to_pyarrow` loads."""
    backend = answer.get_backend()
    if backend.name == spark.NAME:
        return spark.fetch(backend, answer)
    schema = answer.schema().to_pyarrow()
    # DuckDB sums whole numbers to decimals; the schema knows what they are.
    parts = [pa.Table.from_batches([batch]).cast(schema) for batch in _batches(answer)]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def rows_of(answer: ibis.Table) -> list[dict[str, Any]]:
    """Fetch a small answer, a dictionary a row."""
    rows: list[dict[str, Any]] = fetch(answer).to_pylist()
    return rows


def exact_sum(column: ibis.Column, *, where: ibis.Column | None = None) -> ibis.Scalar:
    """Sum money so that the result does not depend on the order in which the engine adds.

    The last bits of a sum of doubles differ from thread to thread; a sum of decimals is exact, and
    so is the number next to it that is returned.
    """
    exact = column.cast(f"decimal({_DECIMAL_DIGITS}, {MONEY_DECIMALS})").sum(where=where)
    return exact.cast("float64")


def medians(values: ibis.Table) -> dict[str, float | None]:
    """Return the median of every column, NULLs apart; None where there is nothing else."""
    if not values.columns:
        return {}
    if values.get_backend().has_operation(Median):
        return one_row(values.aggregate(**{name: values[name].median()
                                           for name in values.columns}))
    return {name: _middle(values.select(value=values[name])) for name in values.columns}


def _middle(values: ibis.Table) -> float | None:
    """Find a median by sorting, where an engine knows none."""
    known = values.filter(values.value.notnull())
    count = one_row(known.aggregate(count=known.count()))["count"]
    if not count:
        return None
    middle = known.order_by("value").limit(2 - count % 2, offset=(count - 1) // 2)
    return float(one_row(middle.aggregate(mean=middle.value.mean()))["mean"])


def one_row(answer: ibis.Table) -> dict[str, Any]:
    """Fetch an aggregate over a whole table."""
    return rows_of(answer)[0]

