"""The processes that fit models and draw pages beside this one, and the garbage they share.

Nothing comes in but how many processes the settings want; they start while the tables are read,
and end with the run.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from threading import Thread
from typing import Any

from reportgen.progress import Progress, counted

#: What drawing a document imports.
_DRAWING = ("reportgen.charts", "reportgen.templating", "reportgen.pdf")


def wake(count: int) -> Thread:
    """Let so many processes start while the tables are read: importing takes them seconds.

    With a count of 0 there is one a core.
    """
    from joblib import Parallel, cpu_count, delayed

    count = count or cpu_count()

    def begin() -> None:
        # Interrupted, the processes end under this thread; whoever uses them first tells more.
        with suppress(Exception):
            Parallel(n_jobs=count)(delayed(_import)("reportgen.estimators") for _ in range(count))

    waking = Thread(daemon=True, target=begin)
    waking.start()
    return waking


def fitted(fits: Iterable[Any], total: int, *, workers: int, told: Progress) -> list[Any]:
    """Do all fits in the processes, as many of these as `wake` was given; return what they make.

    Parameters
    ----------
    fits
        Calls that joblib has delayed; each is made when a process is about to be free.
    told
        Is told how many of the ``total`` are done.
    """
    from joblib import Parallel

    made = Parallel(n_jobs=workers or -1, return_as="generator")(fits)
    return list(counted(made, total, "fits", told))


@contextmanager
def drawing(count: int) -> Iterator[Executor | None]:
    """Have so many processes beside this one that draw pages; none for a count of 0.

    They import what drawing needs while this one reads. They are not those that fit models:
    joblib does not share its processes.
    """
    if count < 1:
        yield None
        return
    from joblib.externals.loky import ProcessPoolExecutor

    executor = ProcessPoolExecutor(max_workers=count)
    importing = [executor.submit(_import, module) for module in _DRAWING * count]
    try:
        yield executor
    finally:
        # A process that is killed while it starts takes the thread that watches it along. Then
        # what was asked for is done or given up; ending politely would take most of a second.
        wait(importing)
        executor.shutdown(wait=True, kill_workers=True)


def release() -> None:
    """End the processes now; left alone they hold up the program's end."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True)


def one_thread_each() -> AbstractContextManager[object]:
    """Let linear algebra use one thread a process.

    The processes share the cores already, and for the small matrices of a sample threads wait for
    each other up to four hundred times as long as they compute.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def spare_collector() -> None:
    """Collect garbage seldom, and not at the end.

    A run makes millions of objects that live until it ends; looking through them again and again
    costs it three seconds and frees nothing.
    """
    gc.set_threshold(200_000, 50, 100)
    atexit.register(gc.freeze)


def _import(module: str) -> None:
    spare_collector()
    import_module(module)
