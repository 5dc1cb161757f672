"""The embedded engine that the surrounding test started, through clickhouse-connect."""

import os
import unittest

import clickhouse_connect

HOST = os.environ["COLDPATH_ENGINE_HOST"]
PORT = int(os.environ["COLDPATH_ENGINE_PORT"])
PASSWORD = os.environ["COLDPATH_ENGINE_PASSWORD"]
# The engine reads statements inside of zstd bodies where its Node.js can.
HAS_ZSTD = os.environ["COLDPATH_ENGINE_HAS_ZSTD"] == "1"


def reader(**options):
    """A client as a first script makes it: it may read."""
    return clickhouse_connect.get_client(host=HOST, port=PORT, **options)


def owner(**options):
    """A client with the generated password."""
    return reader(password=PASSWORD, **options)


class EngineTest(unittest.TestCase):
    """Tests that share one reader and one owner."""

    @classmethod
    def setUpClass(cls):
        cls.reader = reader()
        cls.owner = owner()
        cls.addClassCleanup(cls.reader.close)
        cls.addClassCleanup(cls.owner.close)

    def assert_code(self, code, call, *args, **options):
        """The call fails with this code of ClickHouse."""
        with self.assertRaises(clickhouse_connect.driver.exceptions.DatabaseError) as raised:
            call(*args, **options)
        self.assertRegex(str(raised.exception), rf"(?i)\bcode: {code}\b")

    def running(self, word):
        """Statements in the engine whose text has this word, beside the one that asks."""
        return self.owner.command(
            "SELECT count() FROM system.processes"
            " WHERE position(query, {word:String}) > 0 AND query NOT LIKE '%system.processes%'",
            parameters={"word": word},
        )
