// What Grafana does through clickhouse-go over HTTP, with the driver's defaults.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func probe(name string, compression *clickhouse.Compression) {
	connection := clickhouse.OpenDB(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{os.Args[1]},
		Auth:        clickhouse.Auth{Database: "ringback", Username: os.Args[2], Password: os.Args[3]},
		Compression: compression,
	})
	defer connection.Close()
	ctx := context.Background()
	rows, err := connection.QueryContext(ctx, "SELECT number, toString(number) FROM numbers(200000)")
	if err != nil {
		fmt.Println(name, "query", err)
		return
	}
	var sum uint64
	for rows.Next() {
		var n uint64
		var s string
		if err := rows.Scan(&n, &s); err != nil {
			fmt.Println(name, "scan", err)
			return
		}
		sum += n + uint64(len(s))
	}
	if err := rows.Err(); err != nil {
		fmt.Println(name, "rows", err)
		return
	}
	var n uint64
	err = connection.QueryRowContext(ctx, "SELECT n FROM ringback.t WHERE s = ?", "it's").Scan(&n)
	if err != nil {
		fmt.Println(name, "row", err)
		return
	}
	failed, wrong := connection.QueryContext(ctx, "SELECT nope")
	if wrong == nil {
		wrong = failed.Err()
	}
	fmt.Println(name, "sum", sum, "row", n, "error", wrong != nil)
}

func main() {
	probe("default", nil)
	probe("lz4", &clickhouse.Compression{Method: clickhouse.CompressionLZ4})
	probe("zstd", &clickhouse.Compression{Method: clickhouse.CompressionZSTD})
	probe("gzip", &clickhouse.Compression{Method: clickhouse.CompressionGZIP})
}
