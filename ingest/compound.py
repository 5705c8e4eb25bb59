"""Old binary Office files: which kind one is, told from the names at the root of its compound file and nothing else."""

from __future__ import annotations

from pathlib import Path

DOC = "application/msword"
XLS = "application/vnd.ms-excel"
PPT = "application/vnd.ms-powerpoint"
WPS = "application/vnd.ms-works"
MSG = "application/vnd.ms-outlook"
LOCKED_OFFICE = "application/vnd.ms-office.encrypted"
"""A DOCX, XLSX or PPTX under a password: which of them shows only when it is opened."""
OLE = "application/x-ole-storage"

_ROOT_NAMES = (
    ("EncryptedPackage", LOCKED_OFFICE),
    ("WordDocument", DOC),
    ("PowerPoint Document", PPT),
    ("Workbook", XLS),
    ("Book", XLS),
    ("__properties_version1.0", MSG),
    ("MatOST", WPS),
)


def compound_type(path: Path) -> str:
    """The media type of the compound file at `path`; `OLE` for one of an unknown kind.

    What is embedded in a file does not count, only what the file is itself. A damaged one is told by the names in its bytes.
    """
    import olefile

    try:
        with olefile.OleFileIO(path) as compound:
            names = {entry[0].lower() for entry in compound.listdir(streams=True, storages=True)}
    except Exception:  # the reader promises nothing narrower for a broken file
        content = path.read_bytes()
        names = {name.lower() for name, _ in _ROOT_NAMES if f"{name}\0".encode("utf-16-le") in content}
    return next((media_type for name, media_type in _ROOT_NAMES if name.lower() in names), OLE)
