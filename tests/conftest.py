"""One real instance with the demo documents for all tests that need one; it starts at the first use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests import postgres
from tests.instances import RunningInstance, running_instance
from tests.worlds import DEMO, instance_file


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """A running instance that has read the demo documents: `url`, `enter_url`, `token`, `home`, `file`."""
    folder = tmp_path_factory.mktemp("instance")
    file = instance_file(folder, extra=f'[demo]\ndocuments = "{DEMO / "documents"}"\n')
    with running_instance(file) as instance:
        yield instance


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The socket folder of a real PostgreSQL; it starts at the first use."""
    with postgres.running_server() as socket_folder:
        yield socket_folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Empty for SQLite, then the address of an empty PostgreSQL database: the test runs on both."""
    if request.param == "sqlite":
        return ""
    return postgres.new_database(request.getfixturevalue("postgres_server"))


def needed(program: str, package: str) -> str:
    """The path of a system program; without it, a skip that says what to install, or a failure under CI=true."""
    found = shutil.which(program)
    if found is None:
        message = f"{program} is not installed; install the Debian package {package} to run this test"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found
