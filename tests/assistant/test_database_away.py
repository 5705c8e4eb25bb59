"""PostgreSQL restarted, or away, under a service that goes on."""

from __future__ import annotations

import psycopg
import pytest

from assistant.database import PostgresDatabase
from assistant.errors import ServiceUnavailable
from tests import postgres

SCHEMA = "CREATE TABLE IF NOT EXISTS rows (\n    number INTEGER NOT NULL\n);"


def _dropped(url: str) -> None:
    """What a restart of the server does to every connection that stands."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


def test_nobody_notices_that_the_server_was_restarted_between_two_requests(postgres_server: str) -> None:
    url = postgres.new_database(postgres_server)
    database = PostgresDatabase(url, SCHEMA, namespace="away")
    with database.writing() as connection:
        connection.execute("INSERT INTO rows (number) VALUES (?)", (1,))
    _dropped(url)
    assert database.connection().execute("SELECT COUNT(*) AS n FROM rows").fetchone()["n"] == 1
    _dropped(url)
    with database.writing() as connection:
        connection.execute("INSERT INTO rows (number) VALUES (?)", (2,))
    assert [row["number"] for row in database.connection().execute("SELECT number FROM rows ORDER BY number")] == [1, 2]
    database.close()


def test_a_transaction_that_the_server_drops_is_undone_and_said_to_be(postgres_server: str) -> None:
    url = postgres.new_database(postgres_server)
    database = PostgresDatabase(url, SCHEMA, namespace="away")

    def cut_off() -> None:
        with database.writing() as connection:
            connection.execute("INSERT INTO rows (number) VALUES (?)", (1,))
            _dropped(url)
            connection.execute("INSERT INTO rows (number) VALUES (?)", (2,))

    with pytest.raises(ServiceUnavailable, match="check the server"):
        cut_off()
    assert database.connection().execute("SELECT COUNT(*) AS n FROM rows").fetchone()["n"] == 0
    database.close()


def test_a_server_that_is_away_is_a_service_that_is_away() -> None:
    with postgres.running_server() as folder:
        database = PostgresDatabase(postgres.new_database(folder), SCHEMA, namespace="away")
        database.connection().execute("SELECT 1")
    for _ in range(2):  # the connection that broke, and none at all
        with pytest.raises(ServiceUnavailable, match="check the server"):
            database.connection().execute("SELECT 1")
        with pytest.raises(ServiceUnavailable, match="check the server"), database.writing():
            pass
    database.close()
