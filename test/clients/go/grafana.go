package main

import (
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// What the Grafana data source for ClickHouse sends, with its macros expanded as it expands them.
func statements(table string) []string {
	between := "t >= toDateTime(1763800000) AND t <= toDateTime(1795400000)"
	between64 := "t64 >= fromUnixTimestamp64Milli(1763800000000) AND t64 <= fromUnixTimestamp64Milli(1795400000000)"
	return []string{
		"SELECT version()",
		"SELECT timezone()",
		"SHOW DATABASES",
		"SHOW TABLES FROM `default`",
		"SHOW TABLES",
		"SELECT name FROM system.databases WHERE name NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')",
		"SELECT name, database FROM system.tables WHERE database = 'default' ORDER BY name",
		"SELECT name, type, comment FROM system.columns WHERE database = 'default' AND table = '" + table + "'",
		"DESC TABLE \"default\".\"" + table + "\"",
		"SELECT DISTINCT name FROM system.functions LIMIT 10",
		"SELECT arrayJoin(mapKeys(m)) AS keys FROM " + table + " LIMIT 1000",
		"EXPLAIN PLAN SELECT count() FROM " + table + " WHERE " + between,
		"EXPLAIN AST SELECT 1",
		// Time series.
		"SELECT toStartOfInterval(toDateTime(t), INTERVAL 20 second) AS time, avg(f64) AS value FROM " + table +
			" WHERE " + between + " GROUP BY time ORDER BY time",
		"SELECT toStartOfInterval(toDateTime64(t64, 3), INTERVAL 250 millisecond) AS time, lc, count() AS value FROM " + table +
			" WHERE " + between64 + " GROUP BY time, lc ORDER BY time WITH FILL STEP toIntervalSecond(20) LIMIT 1000",
		"SELECT t AS \"time\", quantile(0.99)(f64) AS p99 FROM \"default\".\"" + table + "\" WHERE ( " + between +
			" ) AND ( lc IN ('v0', 'v1') ) GROUP BY \"time\" ORDER BY \"time\" ASC LIMIT 1000",
		// Tables, logs, traces.
		"SELECT * FROM " + table + " LIMIT 100",
		"SELECT t64 AS \"timestamp\", s AS \"body\", lc AS \"level\", m AS \"labels\" FROM " + table +
			" WHERE ( \"timestamp\" >= fromUnixTimestamp64Milli(1763800000000) ) AND ( body LIKE '%é%' ) ORDER BY \"timestamp\" DESC LIMIT 1000",
		"SELECT toString(id) AS \"traceID\", toString(u64) AS \"spanID\", lc AS \"serviceName\", s AS \"operationName\", " +
			"multiply(toUnixTimestamp64Nano(t64), 0.000001) AS \"startTime\", multiply(u64, 0.000001) AS \"duration\", " +
			"arrayMap(key -> map('key', key, 'value', toString(m[key])), mapKeys(m)) AS \"tags\" FROM " + table + " LIMIT 1000",
	}
}

// Rows that a statement must have; the others may have none.
var filled = map[int]bool{0: true, 1: true, 2: true, 3: true, 6: true, 7: true, 11: true, 13: true, 14: true, 16: true, 17: true, 18: true}

func grafana(conn driver.Conn, table string) error {
	for index, sql := range statements(table) {
		if err := statement(conn, sql, filled[index]); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func statement(conn driver.Conn, sql string, isFilled bool) error {
	ctx, done := limited()
	defer done()
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		count++
	}
	if isFilled && count == 0 {
		return fmt.Errorf("no row")
	}
	return rows.Err()
}
