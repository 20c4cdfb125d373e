"""Evidence -> two to five plain sentences, each with the facts it stands on.

No sentence states more than its evidence: the model weighs, leans and gives figures. It finds nothing, sees nothing
and knows no causes. What speaks against the answer stands beside what speaks for it.
"""

from explain.narrative.choice import Evidence, strongest_spans, strongest_values
from explain.narrative.first import tell
from explain.narrative.second import retell

__all__ = ["Evidence", "retell", "strongest_spans", "strongest_values", "tell"]
