import gzip
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pandas
import pyarrow

from engine import HAS_ZSTD, EngineTest, owner

ROWS = [
    [1, "line\n\nblank", Decimal("1.5000"), datetime(2024, 1, 2, 3, 4, 5, 678000)],
    [2, "żółć", None, datetime(2024, 1, 2)],
]
NAMES = ["id", "note", "px", "at"]


class Inserts(EngineTest):
    def setUp(self):
        self.owner.command(
            "CREATE OR REPLACE TABLE quotes (id UInt32, note String DEFAULT 'none', px Nullable(Decimal(18, 4)),"
            " at DateTime64(3, 'UTC') DEFAULT 0) ENGINE = MergeTree ORDER BY id"
        )

    def stored(self, columns="*"):
        return [list(row) for row in self.reader.query(f"SELECT {columns} FROM quotes ORDER BY id").result_rows]

    def test_rows_and_columns_are_stored(self):
        summary = self.owner.insert("quotes", ROWS, column_names=NAMES)
        self.assertEqual(summary.written_rows, 2)
        self.assertEqual(self.stored(), ROWS)
        self.owner.insert("quotes", [[3, 4], ["x", "y"]], column_names=["id", "note"], column_oriented=True)
        self.assertEqual(self.stored("id, note, px")[2:], [[3, "x", None], [4, "y", None]])

    def test_every_compression_is_stored(self):
        for compress in (True, False, "lz4", "zstd", "gzip"):
            with self.subTest(compress=compress), owner(compress=compress) as client:
                if compress == "zstd" and not HAS_ZSTD:
                    self.assert_code(48, client.insert, "quotes", [[1, "x"]], column_names=["id", "note"])
                    continue
                client.insert("quotes", [[n, f"row {n}"] for n in range(20_000)], column_names=["id", "note"])
                self.assertEqual(client.command("SELECT sum(id) FROM quotes"), 199_990_000)
                self.owner.command("TRUNCATE TABLE quotes")

    def test_types_are_stored_as_given(self):
        values = {
            "a UInt256": 2**256 - 1,
            "b Float64": 0.1,
            "c UUID": UUID("61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
            "d Date": date(2024, 2, 29),
            "e Array(Nullable(String))": ["x", None],
            "f Map(String, Int32)": {"k": -1},
            "g LowCardinality(String)": "low",
            "h Enum8('buy' = 1, 'sell' = 2)": "sell",
            "i Bool": True,
            "j Tuple(Int8, String)": (1, "t"),
        }
        self.owner.command(f"CREATE OR REPLACE TABLE typed ({', '.join(values)}) ENGINE = MergeTree ORDER BY a")
        self.owner.insert("typed", [list(values.values())])
        self.assertEqual(self.reader.query("SELECT * FROM typed").first_row, tuple(values.values()))

    def test_data_frames_and_arrow_tables_are_stored(self):
        frame = pandas.DataFrame({"id": [1, 2], "note": ["a", "b"], "at": pandas.to_datetime(["2024-01-02"] * 2)})
        self.owner.insert_df("quotes", frame)
        table = pyarrow.table({"id": pyarrow.array([3], pyarrow.uint32()), "note": ["c"]})
        self.owner.insert_arrow("quotes", table)
        self.assertEqual(self.stored("id, note"), [[1, "a"], [2, "b"], [3, "c"]])

    def test_raw_data_is_stored_in_its_format_plain_and_compressed(self):
        text = "1\traw\\n\n2\tmore\n"
        self.owner.raw_insert("quotes", ["id", "note"], text, fmt="TSV")
        packed = gzip.compress(b'{"id":3,"note":"zip"}\n')
        self.owner.raw_insert("quotes", ["id", "note"], packed, fmt="JSONEachRow", compression="gzip")
        self.owner.raw_insert("quotes", ["id", "note"], (piece for piece in [b"4\t", b"pieces\n"]), fmt="TSV")
        self.assertEqual(self.stored("id, note"), [[1, "raw\n"], [2, "more"], [3, "zip"], [4, "pieces"]])

    def test_a_context_is_used_again(self):
        context = self.owner.create_insert_context("quotes", ["id", "note"])
        for n in range(3):
            context.data = [[n, str(n)]]
            self.owner.insert(context=context)
        self.assertEqual(self.stored("id, note"), [[n, str(n)] for n in range(3)])

    def test_insert_as_a_command(self):
        self.owner.command("INSERT INTO quotes (id, note) VALUES (1, 'it''s'), (2, 'x')")
        self.owner.command("INSERT INTO quotes (id) SELECT number + {n:UInt8} FROM numbers(2)", parameters={"n": 3})
        self.assertEqual(self.stored("id, note"), [[1, "it's"], [2, "x"], [3, "none"], [4, "none"]])
        self.owner.command("INSERT INTO quotes (id, note) FORMAT CSV", data="5,five\n")
        self.assertEqual(self.stored("id, note")[4], [5, "five"])

    def test_refused_rows_raise_and_store_nothing(self):
        self.assert_code(27, self.owner.raw_insert, "quotes", ["id", "note"], "1\ta\none\tb\n", fmt="TSV")
        self.assert_code(60, self.owner.raw_insert, "nowhere", ["id"], "1\n", fmt="TSV")
        self.assert_code(164, self.reader.raw_insert, "quotes", ["id"], "1\n", fmt="TSV")
        self.assertEqual(self.stored(), [])
