// Command clickhouse-go uses an engine through the Go client, which the Grafana data source is built on.
//
//	clickhouse-go ADDRESS PASSWORD COMPRESSION
//
// It prints one line for each fact that it has checked and stops at the first that does not hold.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

var methods = map[string]clickhouse.CompressionMethod{
	"none":    clickhouse.CompressionNone,
	"lz4":     clickhouse.CompressionLZ4,
	"zstd":    clickhouse.CompressionZSTD,
	"gzip":    clickhouse.CompressionGZIP,
	"deflate": clickhouse.CompressionDeflate,
	"br":      clickhouse.CompressionBrotli,
}

func main() {
	address, password, method := os.Args[1], os.Args[2], os.Args[3]
	level := 0
	if method == "gzip" || method == "deflate" || method == "br" {
		level = 3
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{address},
		Auth:        clickhouse.Auth{Database: "default", Username: "default", Password: password},
		Compression: &clickhouse.Compression{Method: methods[method], Level: level},
		Settings:    clickhouse.Settings{"max_execution_time": 60},
	})
	must(err)
	table := "go_" + method
	for _, check := range []struct {
		fact string
		run  func(driver.Conn, string) error
	}{
		{"ping and server version", ping},
		{"exec makes a table", create},
		{"a batch of every common type comes back as it went", types},
		{"types of results", results},
		{"a batch larger than one LZ4 frame block", largeBatch},
		{"parameters", parameters},
		{"a million rows", million},
		{"an empty result", empty},
		{"an exception has its code", exception},
		{"an exception after a million rows has its code", lateException},
		{"a cancelled context ends the query", cancel},
		{"a refused type says what to do", refused},
		{"the Grafana data source's statements", grafana},
		{"exec drops the table", drop},
	} {
		if err := check.run(conn, table); err != nil {
			fmt.Printf("FAILED %s: %v\n", check.fact, err)
			os.Exit(1)
		}
		fmt.Printf("ok %s\n", check.fact)
	}
	must(conn.Close())
}

func must(err error) {
	if err != nil {
		fmt.Println("FAILED", err)
		os.Exit(1)
	}
}

func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Minute)
}

func ping(conn driver.Conn, _ string) error {
	ctx, done := limited()
	defer done()
	if err := conn.Ping(ctx); err != nil {
		return err
	}
	version, err := conn.ServerVersion()
	if err != nil {
		return err
	}
	if version.Version.Major < 25 || version.Timezone == nil {
		return fmt.Errorf("version %v", version)
	}
	return nil
}

const columns = `
	b Bool, u8 UInt8, u16 UInt16, u32 UInt32, u64 UInt64, i8 Int8, i16 Int16, i32 Int32, i64 Int64,
	i128 Int128, u256 UInt256, f32 Float32, f64 Float64, s String, fs FixedString(3),
	d Date, d32 Date32, t DateTime, t64 DateTime64(9, 'UTC'), dec Decimal(38, 10), e Enum8('buy' = 1, 'sell' = -1),
	id UUID, ip4 IPv4, ip6 IPv6, n Nullable(Int64), lc LowCardinality(String), lcn LowCardinality(Nullable(String)),
	a Array(String), aa Array(Array(UInt8)), m Map(String, UInt64), tup Tuple(String, Int64), alc Array(LowCardinality(String))`

func create(conn driver.Conn, table string) error {
	ctx, done := limited()
	defer done()
	if err := conn.Exec(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
		return err
	}
	return conn.Exec(ctx, "CREATE TABLE "+table+" ("+columns+") ENGINE = MergeTree ORDER BY u64")
}

func row(i int) []any {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var null *int64
	var noText *string
	if i%2 == 1 {
		value, text := int64(-i), "x"
		null, noText = &value, &text
	}
	id := uuid.UUID{byte(i), 1, 2}
	return []any{
		i%2 == 0, uint8(i), uint16(i), uint32(i), uint64(i), int8(-i), int16(-i), int32(-i), int64(-i),
		big.NewInt(int64(-i)), big.NewInt(int64(i)), float32(i) / 4, float64(i) / 8, strings.Repeat("é", i*40), "abc",
		day, day.AddDate(-100, 0, 0), day.Add(time.Duration(i) * time.Second), day.Add(time.Duration(i)),
		decimal.New(int64(i), -10), []string{"buy", "sell"}[i%2],
		id, fmt.Sprintf("10.0.0.%d", i), fmt.Sprintf("2001:db8::%d", i+1), null, fmt.Sprint("v", i%3), noText,
		[]string{"", "x", fmt.Sprint(i)}[:i%4%3], [][]uint8{{}, {1}, {2, 3}}, map[string]uint64{"k": uint64(i)},
		[]any{"t", int64(i)}, []string{"p", "q"}[:i%3%2],
	}
}

func types(conn driver.Conn, table string) error {
	ctx, done := limited()
	defer done()
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table)
	if err != nil {
		return err
	}
	const count = 100
	for i := range count {
		if err := batch.Append(row(i)...); err != nil {
			return err
		}
	}
	if err := batch.Send(); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, "SELECT * FROM "+table+" ORDER BY u64")
	if err != nil {
		return err
	}
	defer rows.Close()
	i := 0
	for ; rows.Next(); i++ {
		values := make([]any, len(rows.ColumnTypes()))
		for at, column := range rows.ColumnTypes() {
			values[at] = reflect.New(column.ScanType()).Interface()
		}
		if err := rows.Scan(values...); err != nil {
			return err
		}
		for at, expected := range row(i) {
			got := fmt.Sprint(plain(reflect.ValueOf(values[at]).Elem()))
			if want := fmt.Sprint(plain(reflect.ValueOf(expected))); got != want {
				return fmt.Errorf("row %d column %s: %s, not %s", i, rows.Columns()[at], got, want)
			}
		}
	}
	if i != count {
		return fmt.Errorf("%d rows", i)
	}
	return rows.Err()
}

// plain makes values of the same meaning print alike.
func plain(value reflect.Value) any {
	if value.Kind() == reflect.Pointer && value.Type() != reflect.TypeFor[*big.Int]() {
		if value.IsNil() {
			return "NULL"
		}
		return plain(value.Elem())
	}
	switch value := value.Interface().(type) {
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano)
	case big.Int:
		return value.String()
	}
	return value.Interface()
}

func results(conn driver.Conn, _ string) error {
	for _, query := range []struct{ sql, want string }{
		{"SELECT CAST(tuple(1, 'x'), 'Tuple(a UInt8, `b-c` LowCardinality(String))')", "map[a:1 b-c:x]"},
		{"SELECT CAST([(1, 'a'), (2, 'b')], 'Nested(a UInt8, b String)')", "[map[a:1 b:a] map[a:2 b:b]]"},
		{"SELECT CAST(map('k', [1, 2]), 'Map(LowCardinality(String), Array(UInt16))')", "map[k:[1 2]]"},
		{"SELECT CAST([], 'Array(LowCardinality(Nullable(String)))')", "[]"},
		{"SELECT CAST((1, 2), 'Point')", "[1 2]"},
		{"SELECT CAST(5, 'SimpleAggregateFunction(sum, UInt64)')", "5"},
		{"SELECT CAST('9.50', 'Decimal(76, 2)')", "9.5"},
		{"SELECT toFloat64('nan')", "NaN"},
		{"SELECT toDateTime64(1.123456789, 9, 'Europe/Berlin')", "1970-01-01 01:00:01.123456789 +0100 CET"},
	} {
		ctx, done := limited()
		defer done()
		rows, err := conn.Query(ctx, query.sql)
		if err != nil {
			return fmt.Errorf("%s: %w", query.sql, err)
		}
		defer rows.Close()
		if !rows.Next() {
			return fmt.Errorf("%s: no row, %v", query.sql, rows.Err())
		}
		value := reflect.New(rows.ColumnTypes()[0].ScanType())
		if err := rows.Scan(value.Interface()); err != nil {
			return fmt.Errorf("%s: %w", query.sql, err)
		}
		if got := fmt.Sprint(value.Elem().Interface()); got != query.want {
			return fmt.Errorf("%s: %s, not %s", query.sql, got, query.want)
		}
	}
	return nil
}

func largeBatch(conn driver.Conn, table string) error {
	ctx, done := limited()
	defer done()
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" (u64, s)")
	if err != nil {
		return err
	}
	const count = 100_000
	for i := range count {
		if err := batch.Append(uint64(1_000_000+i), strings.Repeat(fmt.Sprint(i), 10)); err != nil {
			return err
		}
	}
	if err := batch.Send(); err != nil {
		return err
	}
	var stored, bytes uint64
	sql := "SELECT count(), sum(s = repeat(toString(u64 - 1000000), 10)) FROM " + table + " WHERE u64 >= 1000000"
	if err := conn.QueryRow(ctx, sql).Scan(&stored, &bytes); err != nil {
		return err
	}
	if stored != count || bytes != count {
		return fmt.Errorf("%d rows, %d of them right", stored, bytes)
	}
	return nil
}

func parameters(conn driver.Conn, _ string) error {
	ctx, done := limited()
	defer done()
	nasty := "o'clock\\ \t\n {x:String}"
	given := clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{"n": "42"}))
	var n int64
	if err := conn.QueryRow(given, "SELECT {n:Int64}").Scan(&n); err != nil {
		return err
	}
	var bound string
	if err := conn.QueryRow(ctx, "SELECT ?", nasty).Scan(&bound); err != nil {
		return err
	}
	if n != 42 || bound != nasty {
		return fmt.Errorf("%d, %q", n, bound)
	}
	return nil
}

func million(conn driver.Conn, _ string) error {
	ctx, done := limited()
	defer done()
	rows, err := conn.Query(ctx, "SELECT number, toString(number), CAST(toString(number % 1000), 'LowCardinality(String)') FROM numbers(1000000)")
	if err != nil {
		return err
	}
	defer rows.Close()
	next := uint64(0)
	for rows.Next() {
		var number uint64
		var text, low string
		if err := rows.Scan(&number, &text, &low); err != nil {
			return err
		}
		if number != next || text != fmt.Sprint(number) || low != fmt.Sprint(number%1000) {
			return fmt.Errorf("row %d: %d %s %s", next, number, text, low)
		}
		next++
	}
	if next != 1_000_000 {
		return fmt.Errorf("%d rows, %v", next, rows.Err())
	}
	return rows.Err()
}

func empty(conn driver.Conn, _ string) error {
	ctx, done := limited()
	defer done()
	rows, err := conn.Query(ctx, "SELECT 1 WHERE 0")
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		return errors.New("a row")
	}
	return rows.Err()
}

func hasCode(err error, code int32) error {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return fmt.Errorf("no exception: %v", err)
	}
	if exception.Code != code {
		return fmt.Errorf("code %d, not %d", exception.Code, code)
	}
	return nil
}

func exception(conn driver.Conn, _ string) error {
	ctx, done := limited()
	defer done()
	if err := hasCode(conn.QueryRow(ctx, "SELECT nothing_of_the_kind").Scan(new(string)), 47); err != nil {
		return err
	}
	if err := hasCode(conn.Exec(ctx, "DROP TABLE nothing_of_the_kind"), 60); err != nil {
		return err
	}
	if err := hasCode(conn.Exec(ctx, "SELEC 1"), 62); err != nil {
		return err
	}
	return hasCode(conn.QueryRow(ctx, "SELECT throwIf(1)").Scan(new(uint8)), 395)
}

func lateException(conn driver.Conn, _ string) error {
	ctx, done := limited()
	defer done()
	rows, err := conn.Query(ctx, "SELECT number, throwIf(number = 3000000) FROM numbers(10000000) SETTINGS max_threads = 1")
	if err != nil {
		return fmt.Errorf("before the first row: %w", err)
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		count++
	}
	if count < 1_000_000 {
		return fmt.Errorf("only %d rows", count)
	}
	return hasCode(rows.Err(), 395)
}

func cancel(conn driver.Conn, _ string) error {
	ctx, done := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer done()
	sql := "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number), 'go cancels')"
	if err := conn.QueryRow(ctx, sql).Scan(new(uint64)); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not cancelled: %v", err)
	}
	ctx, done = limited()
	defer done()
	for {
		var running uint64
		sql := "SELECT count() FROM system.processes WHERE query LIKE '%go cancels%' AND query NOT LIKE '%processes%'"
		if err := conn.QueryRow(ctx, sql).Scan(&running); err != nil {
			return fmt.Errorf("it still runs: %w", err)
		}
		if running == 0 {
			return nil
		}
	}
}

func refused(conn driver.Conn, _ string) error {
	ctx, done := limited()
	defer done()
	_, err := conn.Query(ctx, "SELECT uniqState(1)")
	if err := hasCode(err, 48); err != nil {
		return err
	}
	if !strings.Contains(err.Error(), "Use another format") {
		return err
	}
	return nil
}

func drop(conn driver.Conn, table string) error {
	ctx, done := limited()
	defer done()
	return conn.Exec(ctx, "DROP TABLE "+table)
}
