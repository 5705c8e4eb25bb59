"""Files made by LibreOffice for the tests: old formats and locked ones, from sources that the tests can read."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

_MODULE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Making" script:language="StarBasic">
Sub Make(source, target, filter, password)
  Dim how(1) As New com.sun.star.beans.PropertyValue
  Dim opening(0) As New com.sun.star.beans.PropertyValue
  opening(0).Name = "Hidden"
  opening(0).Value = True
  how(0).Name = "FilterName"
  how(0).Value = filter
  If password &lt;&gt; "" Then
    how(1).Name = "Password"
    how(1).Value = password
  End If
  document = StarDesktop.loadComponentFromURL(source, "_blank", 0, opening())
  document.storeToURL(target, how())
  document.close(True)
End Sub
</script:module>
"""
_LIBRARY = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" library:readonly="false"
 library:passwordprotected="false"><library:element library:name="Making"/></library:library>
"""
_FILTERS = {
    ".doc": "MS Word 97", ".xls": "MS Excel 97", ".ppt": "MS PowerPoint 97", ".odt": "writer8", ".ods": "calc8",
    ".odp": "impress8", ".odg": "draw8", ".docx": "MS Word 2007 XML", ".xlsx": "Calc MS Excel 2007 XML",
    ".pptx": "Impress MS PowerPoint 2007 XML", ".pdf": "writer_pdf_Export",
}  # fmt: skip


def made(source: Path, target: Path, *, password: str = "") -> Path:
    """`source` as LibreOffice saves it in the format that the suffix of `target` names; skips without LibreOffice."""
    office = shutil.which("soffice")
    if office is None:
        if os.environ.get("CI") == "true":
            pytest.fail("install libreoffice-writer, -calc and -impress")
        pytest.skip("LibreOffice is not installed (libreoffice-writer, -calc, -impress)")
    profile = _profile(office)
    call = f"macro:///Standard.Making.Make({source.as_uri()},{target.as_uri()},{_FILTERS[target.suffix]},{password})"
    _run(office, profile, call)
    assert target.is_file(), f"LibreOffice did not make {target.name}"
    return target


@cache
def _profile(office: str) -> Path:
    """A profile that knows the macro, for as long as the tests run."""
    profile = Path(tempfile.mkdtemp(prefix="making-"))
    atexit.register(shutil.rmtree, profile, ignore_errors=True)
    _run(office, profile, "--terminate_after_init")  # which writes an empty library over one that it finds
    basic = profile / "user" / "basic" / "Standard"
    (basic / "Making.xba").write_text(_MODULE)
    (basic / "script.xlb").write_text(_LIBRARY)
    return profile


def _run(office: str, profile: Path, order: str) -> None:
    command = [office, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", order]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
