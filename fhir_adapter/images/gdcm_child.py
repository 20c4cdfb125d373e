"""A process of its own: one compressed frame on stdin -> its pixels on stdout, decoded by GDCM.

GDCM aborts the whole process on damaged JPEG and JPEG-LS data (docs/images.md has the figures), and nothing in Python
can catch that. It is run as a file, apart from the package, so that it starts in a tenth of a second.
"""

from __future__ import annotations

import resource
import sys

_MOST_BYTES = 2 * 2**30
_MOST_SECONDS = 20


def main() -> None:
    """Decode; arguments: transfer syntax, photometric interpretation, rows, columns, bits allocated, stored, signed."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import gdcm  # type: ignore[import-untyped]  # noqa: PLC0415  # after the limits

    syntax, photometric = sys.argv[1:3]
    rows, columns, allocated, stored, signed = (int(text) for text in sys.argv[3:8])
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(sys.stdin.buffer.read())
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(photometric)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, stored, stored - 1, signed))
    # GDCM hands bytes over as a str.
    sys.stdout.buffer.write(image.GetBuffer().encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    main()
