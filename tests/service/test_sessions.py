import base64
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from itsdangerous import URLSafeTimedSerializer
from starlette.responses import JSONResponse
from starlette.testclient import TestClient

from assistant.access import Label, Role
from assistant.build import Parts
from assistant.config import load_settings
from assistant.errors import ConfigurationError, SignInRequired
from assistant.service.application import create_interface, protected
from assistant.sessions import LocalKeySignIn, local_key
from tests.worlds import instance_file


def sign_in(folder: Path, hours: float = 1.0) -> LocalKeySignIn:
    return LocalKeySignIn(folder, clearance=Label.parse("internal"), session_hours=hours)


def test_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    key = local_key(tmp_path)
    assert local_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "local.key").stat().st_mode) == 0o600


def test_key_and_session_lead_to_the_local_principal(tmp_path: Path) -> None:
    door = sign_in(tmp_path)
    token = door.session(local_key(tmp_path))
    for credential in (token, local_key(tmp_path)):
        principal = door.principal(credential)
        assert (str(principal.clearance), Role.ARCHIVIST in principal.roles) == ("internal", True)


@pytest.mark.parametrize("credential", ["", "wrong", "clé", "مفتاح", "a.b.c", "\ud800"])
def test_anything_else_is_refused(tmp_path: Path, credential: str) -> None:
    with pytest.raises(SignInRequired):
        sign_in(tmp_path).principal(credential)
    with pytest.raises(SignInRequired):
        sign_in(tmp_path).session(credential)


def test_session_of_somebody_else_is_refused_though_it_is_signed_with_our_key(tmp_path: Path) -> None:
    door = sign_in(tmp_path)
    ours = URLSafeTimedSerializer((tmp_path / "session.key").read_text(), salt="assistant session")
    assert door.principal(ours.dumps("local")).id == "local"
    for token in (ours.dumps("somebody"), ours.dumps(None), URLSafeTimedSerializer(ours.secret_key).dumps("local")):
        with pytest.raises(SignInRequired):
            door.principal(token)


def test_session_lasts_as_many_hours_as_the_instance_says(tmp_path: Path) -> None:
    assert sign_in(tmp_path, hours=1.5).session_seconds == 5400


def test_a_session_ends(tmp_path: Path) -> None:
    token = sign_in(tmp_path).session(local_key(tmp_path))
    with pytest.raises(SignInRequired):
        sign_in(tmp_path, hours=-1).principal(token)


def browser(folder: Path) -> TestClient:
    """A browser before an instance of which there is no more than a page and the way in."""
    parts = cast(
        Parts, SimpleNamespace(settings=load_settings(instance_file(folder)), sign_in=sign_in(folder / "keys"))
    )
    page = JSONResponse({"page": True})
    return TestClient(
        protected(create_interface(parts), page, parts), base_url="http://127.0.0.1", follow_redirects=False
    )


def test_two_instances_on_one_machine_do_not_sign_each_others_readers_out(tmp_path: Path) -> None:
    folders = (tmp_path / "one", tmp_path / "two")
    for folder in folders:
        folder.mkdir()
    here, there = map(browser, folders)
    there.cookies.jar = here.cookies.jar  # one browser, and a host's cookies go to all its ports
    here.get("/enter", params={"key": local_key(folders[0] / "keys")})
    assert [client.get("/").status_code for client in (here, there)] == [200, 303]
    there.get("/enter", params={"key": local_key(folders[1] / "keys")})
    assert [client.get("/").status_code for client in (here, there)] == [200, 200]
    there.post("/leave")
    assert [client.get("/").status_code for client in (here, there)] == [200, 303]


def test_another_instances_session_is_refused(tmp_path: Path) -> None:
    token = sign_in(tmp_path / "one").session(local_key(tmp_path / "one"))
    with pytest.raises(SignInRequired):
        sign_in(tmp_path / "other").principal(token)


def test_changed_session_is_refused(tmp_path: Path) -> None:
    token = sign_in(tmp_path).session(local_key(tmp_path))
    with pytest.raises(SignInRequired):
        sign_in(tmp_path).principal(token[:-2] + ("AA" if token[-2:] != "AA" else "BB"))


def test_keys_have_256_bits_and_lie_in_a_folder_for_their_owner_alone(tmp_path: Path) -> None:
    key = local_key(tmp_path / "new" / "data")
    assert len(base64.urlsafe_b64decode(f"{key}=")) == 32
    assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize(("characters", "usable"), [(31, False), (32, True)])
def test_key_that_is_too_short_is_not_used(tmp_path: Path, characters: int, usable: bool) -> None:
    (tmp_path / "local.key").write_text(f"{'k' * characters}\n")
    if usable:
        assert local_key(tmp_path) == "k" * characters
    else:
        with pytest.raises(ConfigurationError, match="too short"):
            local_key(tmp_path)


def test_emptied_key_file_opens_nothing(tmp_path: Path) -> None:
    local_key(tmp_path)
    (tmp_path / "local.key").write_text("")
    with pytest.raises(ConfigurationError):
        sign_in(tmp_path)
