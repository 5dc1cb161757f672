import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

import numpy
import pandas
import pyarrow

from engine import EngineTest, reader

# Expression, type as the engine says it, value as Python has it.
TYPES = [
    ("true", "Bool", True),
    ("toUInt8(255)", "UInt8", 255),
    ("toInt16(-32768)", "Int16", -32768),
    ("toUInt64('18446744073709551615')", "UInt64", 2**64 - 1),
    ("toInt128('-170141183460469231731687303715884105728')", "Int128", -(2**127)),
    ("toUInt256('1') + 0", "UInt256", 1),
    ("toFloat32(1.5)", "Float32", 1.5),
    ("toFloat64('-inf')", "Float64", float("-inf")),
    ("toDecimal64('-12345.6789', 4)", "Decimal(18, 4)", Decimal("-12345.6789")),
    ("toDecimal256('0.1', 40)", "Decimal(76, 40)", Decimal("0.1")),
    ("'zażółć\\n\\n🦆'", "String", "zażółć\n\n🦆"),
    ("toFixedString('ab', 3)", "FixedString(3)", b"ab\0"),
    ("toLowCardinality('x')", "LowCardinality(String)", "x"),
    ("CAST('buy', 'Enum8(\\'buy\\' = 1)')", "Enum8('buy' = 1)", "buy"),
    ("toDate('2024-02-29')", "Date", date(2024, 2, 29)),
    ("toDate32('1900-01-01')", "Date32", date(1900, 1, 1)),
    ("toDateTime('2024-02-29 12:00:00', 'UTC')", "DateTime", datetime(2024, 2, 29, 12)),
    (
        "toDateTime64('2024-02-29 12:00:00.123456', 6, 'UTC')",
        "DateTime64(6, 'UTC')",
        datetime(2024, 2, 29, 12, 0, 0, 123456),
    ),
    (
        "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')",
        "UUID",
        UUID("61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
    ),
    ("toIPv4('10.1.2.3')", "IPv4", IPv4Address("10.1.2.3")),
    ("toIPv6('2001:db8::1')", "IPv6", IPv6Address("2001:db8::1")),
    ("CAST(NULL, 'Nullable(Int32)')", "Nullable(Int32)", None),
    ("CAST([1, NULL], 'Array(Nullable(Int8))')", "Array(Nullable(Int8))", [1, None]),
    ("map('a', [1])", "Map(String, Array(UInt8))", {"a": [1]}),
    ("CAST((1, 'x'), 'Tuple(a UInt8, b String)')", "Tuple(`a` UInt8, `b` String)", {"a": 1, "b": "x"}),
]


class Queries(EngineTest):
    def test_a_client_made_with_defaults_knows_version_time_zone_and_settings(self):
        self.assertRegex(self.reader.server_version, r"^\d+\.\d+\.\d+")
        zone = self.reader.command("SELECT timezone()")
        self.assertEqual(str(self.reader.server_tz), zone.removeprefix("Etc/"))
        self.assertIn("max_threads", self.reader.server_settings)
        self.assertTrue(self.reader.ping())

    def test_every_type_arrives_as_the_python_value(self):
        for expression, name, value in TYPES:
            with self.subTest(name):
                result = self.reader.query(f"SELECT {expression} AS v")
                self.assertEqual([each.name for each in result.column_types], [name])
                self.assertEqual(result.result_rows, [(value,)])

    def test_a_time_in_another_zone_is_the_same_instant(self):
        # The engine's Native format does not name the zone of a DateTime.
        sql = "SELECT toDateTime('2024-06-01 12:00:00', 'Europe/Warsaw') AS t"
        (instant,) = self.reader.query(sql, tz_mode="aware").first_row
        self.assertEqual(instant, datetime(2024, 6, 1, 10, tzinfo=timezone.utc))
        (local,) = self.reader.query(sql, query_tz="Europe/Warsaw").first_row
        self.assertEqual((local.hour, local.utcoffset()), (12, timedelta(hours=2)))

    def test_types_whose_layout_is_private_to_native_are_refused_and_come_as_text(self):
        for kind in ("Variant(UInt8, String)", "Dynamic", "JSON"):
            text = '\'{"a":1}\'' if kind == "JSON" else "5::UInt8"
            self.assert_code(48, self.reader.query, f"SELECT {text}::{kind} AS v")
        result = self.reader.query('SELECT \'{"a": {"b": 1}}\'::JSON::String AS v')
        self.assertEqual(result.first_row, ('{"a":{"b":1}}',))

    def test_parameters_are_bound_by_the_engine_and_by_the_client(self):
        values = {
            "n": -5,
            "s": "it's \\ a\ttab\nand {x:String} '; DROP TABLE t --",
            "t": datetime(2024, 1, 2, 3, 4, 5),
            "l": ["a'b", "c,d"],
        }
        bound = self.reader.query(
            "SELECT {n:Int32}, {s:String}, {t:DateTime('UTC')}, {l:Array(String)}", parameters=values
        )
        self.assertEqual(bound.first_row, tuple(values.values()))
        formatted = self.reader.query("SELECT %(n)s, %(s)s, %(l)s", parameters=values)
        self.assertEqual(formatted.first_row, (values["n"], values["s"], values["l"]))
        self.assert_code(456, self.reader.query, "SELECT {n:Int32}")

    def test_rows_come_as_columns_dictionaries_and_blocks(self):
        result = self.reader.query("SELECT number AS n, toString(number) AS s FROM numbers(3)")
        self.assertEqual(result.result_columns, [[0, 1, 2], ["0", "1", "2"]])
        self.assertEqual(list(result.named_results())[2], {"n": 2, "s": "2"})
        self.assertEqual(self.reader.query("SELECT 1 WHERE 0").result_rows, [])

    def test_data_frames_arrays_and_arrow_tables(self):
        sql = "SELECT number AS n, toString(number) AS s FROM numbers(100000)"
        frame = self.reader.query_df(sql)
        self.assertEqual((frame.shape, int(frame.n.sum())), ((100_000, 2), 4_999_950_000))
        table = self.reader.query_arrow(sql)
        self.assertIsInstance(table, pyarrow.Table)
        self.assertEqual((table.num_rows, table["s"][-1].as_py()), (100_000, "99999"))
        array = self.reader.query_np("SELECT number FROM numbers(4)")
        self.assertTrue((array == numpy.arange(4).reshape(4, 1)).all())
        as_arrow = self.reader.query_df_arrow(sql)
        self.assertEqual(as_arrow.shape, (100_000, 2))

    def test_streams_give_everything(self):
        sql = "SELECT number AS n FROM numbers(300000)"
        total = 300_000 * 299_999 // 2
        with self.reader.query_rows_stream(sql) as rows:
            self.assertEqual(sum(n for (n,) in rows), total)
        with self.reader.query_column_block_stream(sql) as blocks:
            self.assertEqual(sum(sum(block[0]) for block in blocks), total)
        with self.reader.query_df_stream(sql) as frames:
            self.assertEqual(sum(int(frame.n.sum()) for frame in frames), total)
        with self.reader.query_arrow_stream(sql) as batches:
            self.assertEqual(sum(batch.num_rows for batch in batches), 300_000)

    def test_a_stream_left_early_leaves_the_client_usable(self):
        # On leaving, the client reads what is still to come.
        with self.reader.query_rows_stream("SELECT number FROM numbers(1000000)") as rows:
            self.assertEqual(next(iter(rows)), (0,))
        self.assertEqual(self.reader.command("SELECT 1"), 1)

    def test_a_raw_stream_closed_early_ends_its_statement(self):
        stream = self.reader.raw_stream("SELECT number, 'left early' FROM numbers(100000000000)", fmt="TSV")
        self.assertEqual(stream.read(2), b"0\t")
        self.assertEqual(self.running("left early"), 1)
        stream.close()
        deadline = time.monotonic() + 20
        while self.running("left early"):
            self.assertLess(time.monotonic(), deadline)

    def test_raw_queries_and_streams_come_in_any_format(self):
        self.assertEqual(self.reader.raw_query("SELECT 1 AS a, 'x' AS b", fmt="CSVWithNames"), b'"a","b"\n1,"x"\n')
        self.assertEqual(self.reader.raw_query("SELECT 1 AS a", fmt="Native"), b"\x01\x01\x01a\x05UInt8\x01")
        parquet = self.reader.raw_query("SELECT number AS n FROM numbers(3)", fmt="Parquet")
        self.assertEqual(pandas.read_parquet(BytesIO(parquet)).n.tolist(), [0, 1, 2])
        with self.reader.raw_stream("SELECT number FROM numbers(100000)", fmt="TSV") as stream:
            self.assertEqual(len(stream.read().splitlines()), 100_000)

    def test_commands_answer_with_their_value(self):
        self.assertEqual(self.reader.command("SELECT 5"), 5)
        self.assertEqual(self.reader.command("EXISTS TABLE nope"), 0)
        self.assertIn("system", self.reader.command("SHOW DATABASES").split("\n"))
        self.assertEqual(self.reader.query("DESCRIBE TABLE system.one").first_row[:2], ("dummy", "UInt8"))
        self.assertTrue(self.reader.query("EXPLAIN SELECT 1").result_rows)

    def test_settings_of_a_client_and_of_a_query(self):
        client = reader(settings={"max_block_size": 17})
        sql = "SELECT getSetting('max_block_size')"
        self.assertEqual(client.command(sql), 17)
        self.assertEqual(client.query(sql, settings={"max_block_size": 18}).first_row, (18,))
        client.set_client_setting("max_block_size", 19)
        self.assertEqual(client.command(sql), 19)
        client.close()

    def test_errors_have_the_code_of_clickhouse(self):
        for code, sql in [
            (62, "selec 1"),
            (47, "SELECT nope"),
            (60, "SELECT * FROM nope"),
            (81, "SELECT * FROM nope.nope"),
            (395, "SELECT throwIf(1)"),
            (159, "SELECT sleep(3) SETTINGS max_execution_time = 0.05"),
            (497, "SELECT * FROM file('/etc/passwd')"),
        ]:
            with self.subTest(sql):
                self.assert_code(code, self.reader.query, sql)
        self.assert_code(164, self.reader.command, "CREATE TABLE t (a UInt8) ENGINE = Memory")
        self.assert_code(516, reader, password="wrong")

    def test_an_error_in_mid_stream_is_raised(self):
        sql = (
            "SELECT number, throwIf(number = 3000000, 'half way') FROM numbers(5000000)"
            " SETTINGS max_block_size = 10000"
        )

        def read():
            with self.reader.query_rows_stream(sql) as rows:
                for _ in rows:
                    pass

        self.assert_code(395, read)
