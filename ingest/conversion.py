"""Old formats, rewritten by LibreOffice into one that has a reader here; without LibreOffice they are rejected as such.

LibreOffice runs inside the parser's own child process group, under its limits (1 GB of address space is enough for it) and
without network, with a profile of its own that is made for one file: no macro runs, no link is followed or updated. The
profile and the result lie in the child's temporary folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.compound import DOC, PPT, WPS, XLS
from ingest.parsing import DOCX, ODS, ODT, PPTX, SXC, SXI, SXW, XLSB, XLSX, ParsingSettings, Rejected, RejectionCategory

_STARTS = 2
"""With a new profile LibreOffice may want to start again, and then stumbles over a socket that it was not allowed to remove; the
name of the socket follows from the profile's, so the second start has the same profile under another name."""
_SHARE_OF_TIME = 0.9
"""Of the parser's wall time, so that what LibreOffice has written can still be read."""
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop>
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Misc">
<prop oor:name="FirstRun" oor:op="fuse"><value>false</value></prop></item>
<item oor:path="/org.openoffice.Setup/Office">
<prop oor:name="ooSetupConnectionURL" oor:op="fuse"><value></value></prop></item>
</oor:items>
"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a person calls the format, LibreOffice's filters for it, and the format it becomes."""

    called: str
    suffix: str
    import_filter: str
    target: str
    target_suffix: str
    export_filter: str


_WORD = (DOCX, "docx", "MS Word 2007 XML")
_EXCEL = (XLSX, "xlsx", "Calc MS Excel 2007 XML")
_POWERPOINT = (PPTX, "pptx", "Impress MS PowerPoint 2007 XML")
_KINDS = {
    DOC: _Kind("an old Word file (DOC)", "doc", "MS Word 97", *_WORD),
    XLS: _Kind("an old Excel workbook (XLS)", "xls", "MS Excel 97", *_EXCEL),
    PPT: _Kind("an old PowerPoint presentation (PPT)", "ppt", "MS PowerPoint 97", *_POWERPOINT),
    XLSB: _Kind("a binary Excel workbook (XLSB)", "xlsb", "Calc MS Excel 2007 Binary", *_EXCEL),
    WPS: _Kind("a Microsoft Works text (WPS)", "wps", "", *_WORD),
    SXW: _Kind("an old StarOffice text (SXW)", "sxw", "StarOffice XML (Writer)", ODT, "odt", "writer8"),
    SXC: _Kind("an old StarOffice spreadsheet (SXC)", "sxc", "StarOffice XML (Calc)", ODS, "ods", "calc8"),
    SXI: _Kind("an old StarOffice presentation (SXI)", "sxi", "StarOffice XML (Impress)", *_POWERPOINT),
}
CONVERTED_TYPES = frozenset(_KINDS)
_WORD_6_MAGIC = (b"\xdc\xa5", b"\xdb\xa5")


def program() -> str | None:
    """LibreOffice's program on this machine; None when it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


@contextmanager
def converted(path: Path, media_type: str, settings: ParsingSettings) -> Iterator[Path | Rejected]:
    """The file at `path` in a format that is read here, for as long as the context lasts; Rejected when it cannot be had."""
    kind = _KINDS[media_type]
    office = program()
    if office is None:
        yield Rejected(
            RejectionCategory.UNSUPPORTED_TYPE,
            f"LibreOffice is not installed; without it {kind.called} cannot be read. Save it as "
            f"{kind.target_suffix.upper()}, or ask the operator to install LibreOffice",
        )
        return
    with tempfile.TemporaryDirectory(prefix="office-", ignore_cleanup_errors=True) as folder:
        yield _converted(office, path, kind, Path(folder), settings)


def _converted(office: str, path: Path, kind: _Kind, folder: Path, settings: ParsingSettings) -> Path | Rejected:
    source = folder / f"document.{kind.suffix}"
    shutil.copyfile(path, source)
    profile = folder / "profile-0"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
    import_filter = "MS WinWord 6" if kind.suffix == "doc" and _is_word_6(path) else kind.import_filter
    deadline = time.monotonic() + settings.wall_s * _SHARE_OF_TIME
    result = folder / "out" / f"document.{kind.target_suffix}"
    for attempt in range(_STARTS):
        profile = profile.rename(folder / f"profile-{attempt}")
        command = [
            office, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nologo", "--nolockcheck",
            "--nodefault", "--nofirststartwizard", *([f"--infilter={import_filter}"] if import_filter else []),
            "--convert-to", f"{kind.target_suffix}:{kind.export_filter}", "--outdir", str(result.parent), str(source),
        ]  # fmt: skip
        if not _ran(command, folder, deadline - time.monotonic()):
            return Rejected(RejectionCategory.TIMED_OUT, f"LibreOffice took too long to read {kind.called}")
        if result.exists():
            break
    if not result.is_file() or result.is_symlink():
        return Rejected(
            RejectionCategory.DAMAGED, f"{kind.called}: LibreOffice cannot open it; it is damaged or cut off"
        )
    return result


def _ran(command: list[str], folder: Path, timeout_s: float) -> bool:
    """Run LibreOffice to its end; False when its time ran out. Nothing that it started is left behind."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8",
        "SAL_USE_VCLPLUGIN": "svp",
    }  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        _kill_family(process.pid)
        process.wait()
        return False
    return True


def _kill_family(parent: int) -> None:
    """Kill a process and its descendants; each is stopped before it is asked for its children, so that none is missed.

    They stay in the process group of the parser, which the nursery kills in any case.
    """
    family = [parent]
    for member in family:
        with contextlib.suppress(OSError):
            os.kill(member, signal.SIGSTOP)
            for thread in Path(f"/proc/{member}/task").iterdir():
                family += [int(child) for child in (thread / "children").read_text(encoding="ascii").split()]
    for member in family:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(member, signal.SIGKILL)


def _is_word_6(path: Path) -> bool:
    """True for Word 6 and 95, whose files LibreOffice reads by a filter of their own."""
    import olefile

    try:
        with olefile.OleFileIO(path) as compound, compound.openstream("WordDocument") as stream:
            return stream.read(2) in _WORD_6_MAGIC
    except Exception:  # the reader promises nothing narrower for a broken file
        return False
