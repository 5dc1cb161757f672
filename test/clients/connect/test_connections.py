import asyncio
from concurrent.futures import ThreadPoolExecutor

import clickhouse_connect
from clickhouse_connect.driver.external import ExternalData

from engine import HOST, PASSWORD, PORT, EngineTest, owner, reader


class Connections(EngineTest):
    def test_each_compression_of_answers_can_be_chosen(self):
        for compress in (True, False, "lz4", "zstd", "gzip"):
            with self.subTest(compress=compress):
                with reader(compress=compress) as client:
                    rows = client.query("SELECT number FROM numbers(100000)").result_rows
                    self.assertEqual((len(rows), rows[-1]), (100_000, (99_999,)))
                    self.assert_code(47, client.query, "SELECT nope")

    def test_a_session_keeps_its_temporary_table_and_its_settings(self):
        with owner() as client, owner() as other:
            client.command("CREATE TEMPORARY TABLE mine (a Int32)")
            client.command("INSERT INTO mine VALUES (1), (2)")
            self.assertEqual(client.command("SELECT sum(a) FROM mine"), 3)
            self.assert_code(60, other.query, "SELECT * FROM mine")
            client.command("SET max_block_size = 123")
            self.assertEqual(client.command("SELECT getSetting('max_block_size')"), 123)

    def test_without_a_session_many_threads_share_a_client(self):
        with reader(autogenerate_session_id=False) as client:
            with ThreadPoolExecutor(16) as pool:
                sql = "SELECT {n:UInt32}"
                answers = pool.map(lambda n: client.query(sql, parameters={"n": n}).first_row, range(200))
                self.assertEqual(list(answers), [(n,) for n in range(200)])

    def test_parameters_in_the_body_of_the_request(self):
        with reader(form_encode_query_params=True) as client:
            text = "x" * 100_000 + "'; --"
            sql = "SELECT {s:String} = concat(repeat('x', 100000), {t:String})"
            result = client.query(sql, parameters={"s": text, "t": "'; --"})
            self.assertEqual(result.first_row, (1,))

    def test_external_data_is_refused(self):
        data = ExternalData(file_name="given", fmt="CSV", structure=["a UInt32"], data=b"1\n")
        self.assert_code(48, self.reader.query, "SELECT a FROM given", external_data=data)

    def test_a_query_id_comes_back_and_a_summary_counts_rows(self):
        result = self.reader.query("SELECT number FROM numbers(7)", settings={"query_id": "my-query"})
        self.assertEqual(result.query_id, "my-query")
        self.assertEqual(result.summary["result_rows"], "7")

    def test_the_asynchronous_client_queries_and_inserts(self):
        async def run():
            client = await clickhouse_connect.get_async_client(host=HOST, port=PORT, password=PASSWORD)
            async with client:
                await client.command("CREATE OR REPLACE TABLE later (a UInt32) ENGINE = MergeTree ORDER BY a")
                await client.insert("later", [[1], [2]], column_names=["a"])
                answers = await asyncio.gather(
                    *(client.query("SELECT sum(a) + {n:UInt8} FROM later", parameters={"n": n}) for n in range(20))
                )
                self.assertEqual([answer.first_row for answer in answers], [(3 + n,) for n in range(20)])

        asyncio.run(run())

    def test_the_database_of_a_client(self):
        self.owner.command("CREATE DATABASE IF NOT EXISTS mine")
        with reader(database="mine") as client:
            self.assertEqual(client.command("SELECT currentDatabase()"), "mine")
        self.assert_code(81, reader, database="nope")

    def test_a_dsn_names_everything(self):
        client = clickhouse_connect.get_client(dsn=f"http://default:{PASSWORD}@{HOST}:{PORT}/default")
        self.assertEqual(client.command("SELECT 1"), 1)
        client.close()
