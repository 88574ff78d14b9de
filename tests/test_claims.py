"""The figures that the project promises; slow, so they run in ``make test-all``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.bench_seeds import over_demo_stores, over_split_seeds, strong_columns

REAL_MONTH = Path(__file__).parents[2] / "shared" / "one-click" / "2026-10"
SEEDS = range(10)


@pytest.mark.slow
@pytest.mark.skipif(not REAL_MONTH.is_dir(), reason="the store's real tables are not here")
def test_ten_splits_of_the_real_month_agree_with_what_analysts_reach():
    scores = [finding.test_roc_auc for finding in over_split_seeds(REAL_MONTH, SEEDS)]
    assert 0.90 <= np.mean(scores) <= 0.94
    # A single split of 324 customers moves by some 0.04; far above means a leak.
    assert min(scores) >= 0.85
    assert max(scores) <= 0.97


@pytest.mark.slow
def test_strong_drivers_of_the_linear_world_come_out_on_top():
    strong = strong_columns("linear")
    assert len(strong) >= 3
    found = [set(finding.drivers[:len(strong)]) == strong
             for finding in over_demo_stores("linear", SEEDS)]
    assert sum(found) >= 9
