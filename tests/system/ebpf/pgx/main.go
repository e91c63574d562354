// pgx against PostgreSQL: what a Go service asks, by its own pool's protocol. main PORT
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
)

func main() {
	ctx := context.Background()
	db, err := pgx.Connect(ctx, "postgres://postgres@127.0.0.1:"+os.Args[1]+"/postgres?sslmode=disable")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer db.Close(ctx)
	must := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	_, err = db.Exec(ctx, "create table users (id int primary key, name text)")
	must(err)
	for i := 0; i < 20; i++ {
		_, err = db.Exec(ctx, "insert into users values ($1, $2)", i, "s3cr3t")
		must(err)
	}
	for i := 0; i < 10; i++ {
		var n int
		must(db.QueryRow(ctx, "select count(*) from users where name = $1", "s3cr3t").Scan(&n))
	}
	if _, err = db.Exec(ctx, "insert into users values ($1, $2)", 1, "s3cr3t"); err == nil {
		os.Exit(1)
	}
}
