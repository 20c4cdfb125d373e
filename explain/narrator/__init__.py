"""A generative narrator as a plug-in: it words the claims again, and is believed only as far as they can be checked."""

from explain.narrator.opening import open_narrator
from explain.narrator.protocol import Narrator, NarratorError
from explain.narrator.telling import tell_again

__all__ = ["Narrator", "NarratorError", "open_narrator", "tell_again"]
