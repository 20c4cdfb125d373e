"""What can go wrong on the way to a chart: one class per thing a caller can do about it.

    FhirError
      FhirRefused        401, 403: ask for other scopes
        NotCovered       the token's scopes do not cover the question, which was not sent
        AccessExpired    the token is past its time, and nothing was sent
        TokenRefused     the token server gives this service no token: check FHIR_CLIENTS
      FhirGone           404, 410: it is not there
      FhirRejected       any other 4xx: the server does not understand the question
      FhirTimeout        the deadline passed
      FhirUnavailable    5xx, 429, no connection: later, perhaps
      FhirMalformed      an answer or a prefetched value that is not what FHIR says it is
      ForeignPatient     a resource of somebody else: stop
      ServerNotAllowed   an address that the operator has not allowed
        NoArchive        no address of an image archive at all: set FHIR_DICOMWEB_URL
      ChartUnavailable   no Patient resource, therefore no chart: CDS Hooks answers 412
      ImageUnreadable    an image that cannot be shown
        DicomUnreadable    a DICOM file: another film, perhaps
          PixelsUndecodable  its header is fine, its pixels are not to be had: ask for a rendering

Messages name resource types and states, never an id, a value, a word of a note or a token.
"""

from __future__ import annotations

from fhir_adapter.record import GapReason


class FhirError(Exception):
    """Base of everything this package raises about the outside world."""


class FhirRefused(FhirError):
    """The server refused us (401 or 403)."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"reading {what} was refused with HTTP {status}: check the token and its scopes")
        self.what, self.status = what, status


class NotCovered(FhirRefused):
    """The scopes of the token do not cover what was to be asked; the server was not asked (status 0)."""

    def __init__(self, what: str) -> None:
        FhirError.__init__(self, f"the token does not cover {what}: ask for the scope")
        self.what, self.status = what, 0


class AccessExpired(FhirRefused):
    """The token's time is over; the server was not asked (status 0)."""

    def __init__(self, what: str) -> None:
        FhirError.__init__(self, f"the access token expired before {what} could be asked for")
        self.what, self.status = what, 0


class TokenRefused(FhirRefused):
    """The server's token endpoint gives this service no token of its own; `code` is an error code of RFC 6749."""

    def __init__(self, code: str, status: int = 0) -> None:
        FhirError.__init__(self, f"no access token is to be had ({code}): check FHIR_CLIENTS and the registration")
        self.what, self.status, self.code = "the access token", status, code


class FhirGone(FhirError):
    """What was asked for is not there (404) or no longer there (410)."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"{what} is not there (HTTP {status})")
        self.what, self.status = what, status


class FhirRejected(FhirError):
    """The server does not accept the question (another 4xx, or a redirect without end)."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"the server does not accept the request for {what} (HTTP {status})")
        self.what, self.status = what, status


class FhirTimeout(FhirError):
    """The deadline passed before the answer was complete."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} did not arrive before the deadline")
        self.what = what


class FhirUnavailable(FhirError):
    """The server failed (5xx), is overloaded (429) or cannot be reached (status 0).

    `retry_after` is the number of seconds it asks to be left alone, None where it says nothing.
    """

    def __init__(self, what: str, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(f"{what} is unavailable: " + (f"HTTP {status}" if status else "no connection"))
        self.what, self.status, self.retry_after = what, status, retry_after


class FhirMalformed(FhirError):
    """An answer, or a prefetched value, that is not what it should be."""

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what}: {problem}")
        self.what, self.problem = what, problem


class ForeignPatient(FhirError):
    """A resource belongs to another patient, or does not say to whom; `key` is the prefetch key or resource type."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key}: a resource does not belong to the patient in context")
        self.key = key


class ServerNotAllowed(FhirError):
    """An address outside the servers that the operator allows."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} lies outside the allowed servers: add its base address to FHIR_ALLOWED_SERVERS")
        self.what = what


class NoArchive(ServerNotAllowed):
    """A study for which no image archive is known: it names none, or where that is could not be read."""

    def __init__(self) -> None:
        FhirError.__init__(self, "no image archive is known for a study: set FHIR_DICOMWEB_URL")
        self.what = "the image archive"


class ChartUnavailable(FhirError):
    """There is no Patient resource, so there is nothing to answer about."""

    def __init__(self, reason: GapReason) -> None:
        super().__init__(f"the Patient resource cannot be had: {reason.value}")
        self.reason = reason


class ImageUnreadable(FhirError):
    """Bytes that are not a grey image we can show; `problem` holds no patient data."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the image cannot be read: {problem}")
        self.problem = problem


class DicomUnreadable(ImageUnreadable):
    """A DICOM file that is not a grey image we can show."""


class PixelsUndecodable(DicomUnreadable):
    """A DICOM file whose header can be read, and whose pixels no decoder here can: the archive may render them."""
