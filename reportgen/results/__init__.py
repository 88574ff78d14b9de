"""Report: every number of a month's report, and nothing else.

The analysis ends here and every renderer begins here. A `Report` holds plain numbers, dates,
labels from the contract and keys of texts, never a data frame and never a sentence, and it
round-trips exactly through results.json. Shares and probabilities lie between 0 and 1, changes
of shares are differences of such shares, and anything that is unknown is None, never NaN.

Customer ids have no place here: a Report is published.
"""

from reportgen.results.common import (
    ColumnInfo,
    Direction,
    Estimate,
    Labels,
    Light,
    Status,
    StoreInfo,
)
from reportgen.results.data import (
    CleaningEntry,
    DataQuality,
    Exclusion,
    SourceFile,
)
from reportgen.results.model import (
    Bin,
    CalibrationBin,
    Driver,
    Explanation,
    FamilyScore,
    ModelCard,
    Point,
)
from reportgen.results.overview import (
    Band,
    ClassMeans,
    Overview,
    Total,
)
from reportgen.results.recommendations import (
    Audience,
    CategoryEvidence,
    DepthEvidence,
    Evidence,
    LoyaltyEvidence,
    MailingEvidence,
    Recommendation,
    Signal,
    SignalEvidence,
)
from reportgen.results.report import (
    SCHEMA_VERSION,
    SIGNIFICANT_DIGITS,
    Caveat,
    Provenance,
    Report,
    ResultsError,
    from_json,
    rounded,
    to_json,
)
from reportgen.results.segments import (
    CategoryRow,
    ProfileRow,
    Segment,
)

__all__ = [
    "Audience",
    "Band",
    "Bin",
    "CalibrationBin",
    "CategoryEvidence",
    "CategoryRow",
    "Caveat",
    "ClassMeans",
    "CleaningEntry",
    "ColumnInfo",
    "DataQuality",
    "DepthEvidence",
    "Direction",
    "Driver",
    "Estimate",
    "Evidence",
    "Exclusion",
    "Explanation",
    "FamilyScore",
    "Labels",
    "Light",
    "LoyaltyEvidence",
    "MailingEvidence",
    "ModelCard",
    "Overview",
    "Point",
    "ProfileRow",
    "Provenance",
    "Recommendation",
    "Report",
    "SIGNIFICANT_DIGITS",
    "ResultsError",
    "SCHEMA_VERSION",
    "Segment",
    "Signal",
    "SignalEvidence",
    "SourceFile",
    "Status",
    "StoreInfo",
    "Total",
    "from_json",
    "rounded",
    "to_json",
]
