"""A deflated DICOM file (PS3.5 A.5) -> the same file uncompressed, up to a limit. Others pass as they are.

pydicom inflates the whole file at once: a megabyte may become a gigabyte.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Final

from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from fhir_adapter.errors import DicomUnreadable

_PREAMBLE: Final = 128
_META: Final = _PREAMBLE + len(b"DICM")
_META_GROUP: Final = 2
_EXPLICIT: Final = b"1.2.840.10008.1.2.1\0"


def inflate(data: bytes, limit: int) -> bytes:
    """Return the file in Explicit VR Little Endian where it is deflated, else as it is.

    Raises:
        DicomUnreadable: it inflates to more than the limit, or is no deflate stream.
        Exception: whatever pydicom raises for a damaged header.
    """
    if data[_PREAMBLE:_META] != b"DICM":
        return data
    # The header is read as pydicom will read it, not by its stated length, which may lie.
    stream = BytesIO(data)
    stream.seek(_META)
    meta = read_dataset(stream, is_implicit_VR=False, is_little_endian=True, stop_when=_is_past_meta)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return data
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        body = inflater.decompress(data[stream.tell() :], limit)
    except zlib.error:
        raise DicomUnreadable("its compression is broken") from None
    if inflater.unconsumed_tail:
        raise DicomUnreadable("it unpacks to more than a film can be")
    return _header() + body


def _is_past_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group != _META_GROUP


def _header() -> bytes:
    syntax = struct.pack("<HH2sH", _META_GROUP, 0x10, b"UI", len(_EXPLICIT)) + _EXPLICIT
    return b"\0" * _PREAMBLE + b"DICM" + struct.pack("<HH2sHI", _META_GROUP, 0, b"UL", 4, len(syntax)) + syntax
