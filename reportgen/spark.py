"""Apache Spark: the tables on more than one machine.

The address of the settings comes in, a connection of Ibis goes out, and what Ibis has no words for
is done here: to keep a table among the workers, to fetch an answer as Arrow, and to let every
worker score the rows it holds. The only module that knows PySpark.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.errors import MachineError
from reportgen.sections import Engine

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    _OfBatch = Callable[[pa.RecordBatch], pa.Table]

#: How Ibis calls it.
NAME = "pyspark"

#: Java that Spark 4 runs on, and how to get it.
JAVA, JAVA_REMEDIES = 17, (
    "Debian, Ubuntu:  apt-get install openjdk-17-jre-headless",
    "Fedora:          dnf install java-21-openjdk-headless",
    "macOS:           brew install openjdk@17",
    "Windows:         winget install EclipseAdoptium.Temurin.17.JRE",
)

#: Rows that are handed over at once: enough for fast matrix products, few enough for any memory.
BATCH_ROWS = 65_536

#: What every session needs, whatever the cluster's own configuration is.
_SESSION = {
    "spark.sql.ansi.enabled": "true",               # a cast that fails is told
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.legacy.javaCharsets": "true",        # else no cp1251
    # A row with too few fields is told though the missing one is not wanted.
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
}

#: What a session brings whose workers are threads of this machine. By default Spark parts every
#: table in 200, which costs minutes on a small one.
_LOCAL = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "16",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}

_QUIET = {
    "spark.ui.showConsoleProgress": "false",
    "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
    "spark.executorEnv.OMP_NUM_THREADS": "1",
}


def java() -> str | None:
    """Return the Java that Spark would start, None where there is none."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")


def connect(settings: Engine) -> ibis.BaseBackend:
    """Open a session of the cluster, the server or the local workers that the settings name.

    Raises
    ------
    MachineError
        Where PySpark or Java is missing, or nobody answers at the address.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MachineError("[engine] url names Spark, and PySpark is not installed; type: "
                           "pip install 'reportgen[spark]'") from error
    import ibis

    remote = settings.url.startswith("sc://")
    if not remote and java() is None:
        raise MachineError("\n".join([f"Spark needs Java {JAVA} or newer, and there is none:",
                                      *(f"  {remedy}" for remedy in JAVA_REMEDIES)]))
    builder = SparkSession.builder.appName("reportgen")
    builder = builder.remote(settings.url) if remote else _own(builder, settings)
    with told():
        session = builder.getOrCreate()
        for name in tuple(_kept):           # of a month before, in the same session
            _release(session, name)
        for name, value in _SESSION.items():
            session.conf.set(name, value)
        if not remote:
            session.sparkContext.setLogLevel("ERROR")
        return ibis.pyspark.connect(session)


def _own(builder: Any, settings: Engine) -> Any:
    """Configure a session whose driver is this process."""
    chosen = dict(_QUIET)
    if settings.url.startswith("local"):
        chosen |= _LOCAL | {"spark.driver.memory": _memory(settings.memory)}
        if settings.scratch is not None:
            settings.scratch.mkdir(parents=True, exist_ok=True)
            chosen["spark.local.dir"] = str(settings.scratch)
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        # Local workers are this Python, whatever the first one in the path is.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = builder.master(settings.url)
    for name, value in chosen.items():
        builder = builder.config(name, value)
    return builder


def _memory(told: str) -> str:
    """Write a limit of memory as Java does: whole megabytes, at least what Spark starts with."""
    number = float("".join(sign for sign in told if sign.isdigit() or sign == "."))
    factors = {"K": 1e-3, "M": 1.0, "G": 1e3, "T": 1e6}
    unit = next((sign for sign in told if sign in factors), None)
    if unit is None:                    # a share of this machine's memory
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return f"{int(number / 100 * pages / 1e6)}m"
    return f"{max(int(number * factors[unit]), 512)}m"


@contextmanager
def told() -> Iterator[None]:
    """Tell a fault of Spark as one message.

    Raises
    ------
    MachineError
        With what Spark says first.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        if type(error).__module__.partition(".")[0] not in ("py4j", "pyspark", "grpc"):
            raise
        lines = [line for line in str(error).strip().splitlines() if line.strip()]
        raise MachineError(
            f"Spark says: {lines[0] if lines else type(error).__name__}; look at [engine] url and "
            "at the cluster's log, and whether its workers can read the tables' folder, write "
            "the output folder and have reportgen installed") from error


def is_malformed(error: Exception) -> bool:
    """Whether Spark gave up because a row of a text file is not like the others."""
    return "MALFORMED" in str(error)


def stored(connection: ibis.BaseBackend, expression: ibis.Table, name: str) -> ibis.Table:
    """Keep what an expression gives among the workers, on disk where memory is short."""
    return _keep(connection, _frame(connection, expression), name)


def discard(connection: ibis.BaseBackend, name: str) -> None:
    """Let go of a table that `stored` or `mapped` keeps."""
    _release(connection._session, name)


def _keep(connection: ibis.BaseBackend, frame: Any, name: str) -> ibis.Table:
    frame.persist().createOrReplaceTempView(name)
    _kept.add(name)
    return connection.table(name)


def _release(session: Any, name: str) -> None:
    session.table(name).unpersist()
    session.catalog.dropTempView(name)
    _kept.discard(name)


#: Names of the tables that the workers keep for this process.
_kept: set[str] = set()


def fetch(connection: ibis.BaseBackend, expression: ibis.Table) -> pa.Table:
    """Fetch an answer."""
    answer: pa.Table = _frame(connection, expression).toArrow()
    return answer.cast(expression.schema().to_pyarrow())


def shipped(connection: ibis.BaseBackend, rows: pa.Table, name: str) -> ibis.Table:
    """Hand a small table of this process to the workers."""
    from pyspark.sql.pandas.types import from_arrow_schema

    # Of no rows, Spark Connect cannot tell the types.
    frame = connection._session.createDataFrame(rows, schema=from_arrow_schema(rows.schema))
    frame.createOrReplaceTempView(name)
    return connection.table(name)


def mapped(table: ibis.Table, function: _OfBatch, schema: pa.Schema, name: str) -> ibis.Table:
    """Let every worker make other rows of those it holds, and keep them.

    ``function`` makes rows of ``schema``; every worker gets it once.
    """
    return _keep(table.get_backend(), _mapped(table, function, schema), name)


def written(table: ibis.Table, function: _OfBatch, schema: pa.Schema, path: Path) -> ibis.Table:
    """Let the workers write what they make to a folder, which they reach under the same name."""
    _mapped(table, function, schema).write.mode("overwrite").parquet(str(path))
    for left in (*path.glob("_SUCCESS"), *path.glob(".*.crc")):
        left.unlink()
    return table.get_backend().read_parquet(path)


def _mapped(table: ibis.Table, function: _OfBatch, schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    connection = table.get_backend()
    known = _sent(connection, function)

    def of_partition(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield from known()(batch).cast(schema).to_batches()

    return _frame(connection, table).mapInArrow(of_partition, from_arrow_schema(schema))


def _sent(connection: ibis.BaseBackend, function: _OfBatch) -> Callable[[], _OfBatch]:
    """Send a function to every worker once; Spark Connect knows no broadcast and sends copies."""
    session = connection._session
    if ".connect." in type(session).__module__:
        return lambda: function
    copy = session.sparkContext.broadcast(function)
    return lambda: copy.value


def _frame(connection: ibis.BaseBackend, expression: ibis.Table) -> Any:
    return connection._session.sql(connection.compile(expression))
