"""A client of PostgreSQL (psycopg, prepared statements) or MariaDB (pymysql): 20 inserts and 10 selects in one transaction."""
import sys

kind, port = sys.argv[1], int(sys.argv[2])
if kind == "postgresql":
    import psycopg

    db = psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", sslmode="disable", gssencmode="disable")
else:
    import pymysql

    db = pymysql.connect(host="127.0.0.1", port=port, user="root", database="shop", autocommit=False)
cursor = db.cursor()
for i in range(100, 120):
    cursor.execute("insert into users (id, name) values (%s, %s)", (i, "s3cr3t"))
for i in range(10):
    cursor.execute("select name from users where id = %s and name <> 's3cr3t'", (i,))
    cursor.fetchall()
db.commit()
db.close()
