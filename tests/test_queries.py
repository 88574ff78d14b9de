"""What is asked of an engine: the same answers whichever it is."""

from __future__ import annotations

from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.common.exceptions import TableNotFound

from reportgen import queries


@pytest.fixture(params=["duckdb", "sqlite"])
def connection(request: pytest.FixtureRequest):
    if request.param == "sqlite":
        pytest.importorskip("regex", reason="pip install 'reportgen[sqlite]'")
    connection = getattr(ibis, request.param).connect()
    yield connection
    connection.disconnect()


def stored(connection, **columns) -> ibis.Table:
    return queries.materialise(connection, ibis.memtable(pa.table(columns)), "numbers")


def test_medians_leave_unknown_values_aside(connection) -> None:
    """Odd: 1, 2, 9 gives 2. Even: 1, 2, 4, 9 gives (2 + 4) / 2 = 3. Nothing: none."""
    table = stored(connection, odd=[9.0, None, 1.0, 2.0], even=[4.0, 9.0, 1.0, 2.0],
                   none=pa.nulls(4, pa.float64()))
    assert queries.medians(table) == {"odd": 2.0, "even": 3.0, "none": None}
    assert queries.medians(table.filter(table.even > 100)) == dict.fromkeys(("odd", "even", "none"))


def test_tables_pass_a_batch_at_a_time(connection, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(queries, "BATCH_ROWS", 100)
    table = stored(connection, n=list(range(250)), text=[f"№ {n}" for n in range(250)])
    table = table.mutate(even=table.n % 2 == 0)
    seen: list[tuple[float, float, str]] = []
    other = ibis.duckdb.connect()
    moved = queries.moved(table, other, "moved", scratch=tmp_path,
                          told=lambda *what: seen.append(what))
    assert seen == [(done, 250, "rows") for done in (0, 100, 200, 250)]
    assert queries.fetch(moved.order_by("n")).equals(queries.fetch(table.order_by("n")))
    assert list(tmp_path.iterdir()) == []
    nobody = queries.moved(table.filter(table.n < 0), other, "nobody")
    assert queries.fetch(nobody).schema.names == ["n", "text", "even"]
    assert queries.fetch(nobody).num_rows == 0


def test_rows_are_mapped_where_they_are(tmp_path: Path) -> None:
    table = stored(ibis.duckdb.connect(), n=[1, 2, 3])

    def doubled(batch: pa.RecordBatch) -> pa.Table:
        values = [2 * value for value in batch.column("n").to_pylist()]
        return pa.Table.from_batches([batch]).append_column("twice", pa.array(values))

    for path in (None, tmp_path / "mapped.parquet"):
        mapped = queries.mapped(table, doubled, path)
        assert sorted(queries.rows_of(mapped), key=lambda row: row["n"]) == [
            {"n": n, "twice": 2 * n} for n in (1, 2, 3)]
    assert [one.name for one in tmp_path.iterdir()] == ["mapped.parquet"]


def test_discarded_tables_are_gone_and_known_by_their_names(connection) -> None:
    table = stored(connection, n=[1])
    name = table.op().name
    assert queries.is_temporary(name)
    assert not queries.is_temporary("market_file")
    queries.discard(table)
    with pytest.raises(TableNotFound):
        connection.table(name)


def test_folder_of_parts_reads_as_one_file(tmp_path: Path) -> None:
    connection = ibis.duckdb.connect()
    for part in (1, 2):
        pq.write_table(pa.table({"n": [part]}), tmp_path / f"part-{part}.parquet")
    assert queries.one_row(queries.read_parquet(connection, tmp_path).aggregate(
        total=ibis._.n.sum())) == {"total": 3}
