"""A process that keeps tesseract's models loaded and reads one picture after the other.

Run as a program of its own by `ingest.tesseract`, without the packages of this project or any other: a crash of the library, or a
picture that it does not come to an end with, costs this process and one reading. The command `tesseract` loads its model for
every picture, which takes a tenth of a second in French and English; the library that it is made of does not have to.

    from the library   {"version": "5.3.0"}
    asked              {"models": "fra", "layout": 3, "width": 2480, "height": 3508}   the picture lies in shared memory, in grey
    answered           {"bytes": 81234, "processor_s": 1.9}   and so many bytes of tesseract's table, or "bytes": null
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import sys
import time

LIBRARY = "libtesseract.so.5"
_DPI = 300
_DEFAULT_ENGINE = 3
"""OEM_DEFAULT, what the command takes as well."""
_Pointer, _Text, _Int = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "TessVersion": (_Text, ()),
    "TessBaseAPICreate": (_Pointer, ()),
    "TessBaseAPIInit2": (_Int, (_Pointer, _Text, _Text, _Int)),
    "TessBaseAPISetPageSegMode": (None, (_Pointer, _Int)),
    "TessBaseAPISetImage": (None, (_Pointer, _Pointer, _Int, _Int, _Int, _Int)),
    "TessBaseAPISetSourceResolution": (None, (_Pointer, _Int)),
    "TessBaseAPIRecognize": (_Int, (_Pointer, _Pointer)),
    "TessBaseAPIGetTsvText": (_Pointer, (_Pointer, _Int)),
    "TessBaseAPIClear": (None, (_Pointer,)),
    "TessBaseAPIClearAdaptiveClassifier": (None, (_Pointer,)),
    "TessDeleteText": (None, (_Pointer,)),
}


def main(shared: int) -> None:
    """Answer requests on standard input until it is closed; the pictures lie in the memory of file `shared`."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what the library prints is no answer
    os.dup2(nowhere, 2)
    library = _loaded()
    engines: dict[str, int] = {}
    answers.write(json.dumps({"version": library.TessVersion().decode()}).encode() + b"\n")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        table = _table(library, engines, shared, request)
        answer = {"bytes": None if table is None else len(table), "processor_s": time.process_time()}
        answers.write(json.dumps(answer).encode() + b"\n")
        rest = memoryview(table or b"")
        while rest:
            rest = rest[answers.write(rest) :]
    os._exit(0)  # the library complains at its end about what it holds


def _loaded() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY)
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _table(library: ctypes.CDLL, engines: dict[str, int], shared: int, request: dict[str, object]) -> bytes | None:
    """What `tesseract … tsv` prints of the picture, without its headline; None when the library fails on it."""
    models, width, height = str(request["models"]), int(str(request["width"])), int(str(request["height"]))
    if models not in engines:
        engine = library.TessBaseAPICreate()
        if library.TessBaseAPIInit2(engine, None, models.encode(), _DEFAULT_ENGINE) != 0:
            return None
        engines[models] = engine
    engine = engines[models]
    library.TessBaseAPISetPageSegMode(engine, int(str(request["layout"])))
    with mmap.mmap(shared, width * height) as picture:
        pixels = (ctypes.c_char * len(picture)).from_buffer(picture)
        library.TessBaseAPISetImage(engine, ctypes.addressof(pixels), width, height, 1, width)  # copies it
        del pixels
    library.TessBaseAPISetSourceResolution(engine, _DPI)
    text = library.TessBaseAPIGetTsvText(engine, 0) if library.TessBaseAPIRecognize(engine, None) == 0 else None
    table = ctypes.string_at(text) if text else None
    if text:
        library.TessDeleteText(text)
    library.TessBaseAPIClear(engine)
    library.TessBaseAPIClearAdaptiveClassifier(engine)  # no page is read otherwise for the page before it
    return table


if __name__ == "__main__":
    main(int(sys.argv[1]))
