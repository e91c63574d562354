/* SQL: no literal goes on, names do. */
#include "test.h"

#include <string.h>

#include "protocols/sql.h"

static const struct {
	enum sql_dialect dialect;
	const char *in, *text, *operation, *collection, *summary;
} rows[] = {
	{SQL_STANDARD, "SELECT * FROM users WHERE id = 42", "SELECT * FROM users WHERE id = ?", "SELECT", "users", "SELECT users"},
	{SQL_STANDARD, "select a.x, b.y from a join shop.b on a.i=b.i where a.s='it''s' and b.f > -1.5e-3",
	 "select a.x, b.y from a join shop.b on a.i=b.i where a.s=? and b.f > ?", "SELECT", "", "SELECT a shop.b"},
	{SQL_STANDARD, "INSERT INTO \"Order Items\" (a,b) VALUES (1, 'x', E'\\'y', NULL, true)",
	 "INSERT INTO \"Order Items\" (a,b) VALUES (?, NULL, true)", "INSERT", "Order?Items", "INSERT Order?Items"},
	{SQL_STANDARD, "SELECT 1 WHERE a IN (1,2,3) AND b = $1 LIMIT 10", "SELECT ? WHERE a IN (?) AND b = $1 LIMIT ?", "SELECT",
	 "", "SELECT"},
	{SQL_STANDARD, "UPDATE t SET a = $tag$sec'ret$tag$, b = 0xFF /* hint 'x' */ WHERE c = B'01' -- end",
	 "UPDATE t SET a = ?, b = ? WHERE c = ?", "UPDATE", "t", "UPDATE t"},
	{SQL_MYSQL, "SELECT \"se\\\"cret\", `col` FROM `db`.`t` # note 'x'\nWHERE k=_utf8'v'",
	 "SELECT ?, `col` FROM `db`.`t` WHERE k=?", "SELECT", "db.t", "SELECT db.t"},
	{SQL_STANDARD, "WITH r AS (SELECT id FROM a) DELETE FROM b USING r", "WITH r AS (SELECT id FROM a) DELETE FROM b USING r",
	 "DELETE", "b", "DELETE b"},
	{SQL_MYSQL, "CREATE PROCEDURE p() BEGIN SELECT 1; DELETE FROM t; END",
	 "CREATE PROCEDURE p() BEGIN SELECT ?; DELETE FROM t; END", "CREATE PROCEDURE", "", "CREATE PROCEDURE"},
	{SQL_STANDARD, "CREATE TABLE IF NOT EXISTS t (id int)", "CREATE TABLE IF NOT EXISTS t (id int)", "CREATE TABLE", "t",
	 "CREATE TABLE t"},
	{SQL_STANDARD, "BEGIN; UPDATE a SET x=1; COMMIT", "BEGIN; UPDATE a SET x=?; COMMIT", "BEGIN", "", "BEGIN UPDATE a COMMIT"},
	{SQL_STANDARD, "SELECT 'cut off in the middle of s3cr", "SELECT ?", "SELECT", "", "SELECT"},
	{SQL_STANDARD, "SELECT $$cut", "SELECT ?", "SELECT", "", "SELECT"},
	{SQL_STANDARD, "select x from t for update", "select x from t for update", "SELECT", "t", "SELECT t"},
	{SQL_STANDARD, "call pay(17, 'x')", "call pay(?)", "CALL", "pay", "CALL pay"},
	{SQL_STANDARD, "", "", "", "", ""},
	{SQL_STANDARD, "COPY t (a) FROM STDIN", "COPY t (a) FROM STDIN", "COPY", "t", "COPY t"},
	{SQL_MYSQL, "/*!40101 SET @a=@@b, NAMES 's3cr3t' */", "SET @a=@@b, NAMES ?", "SET", "", "SET"},
	{SQL_MYSQL, "/*M!100100 DROP TABLE t */ /*+ hint 's3cr3t' */ /*!", "DROP TABLE t", "DROP TABLE", "t", "DROP TABLE t"},
	{SQL_STANDARD, "/*!40101 SET a */ select 1", "select ?", "SELECT", "", "SELECT"},
	{SQL_STANDARD, "update a set x=1; update b set x=1; update c set x=1; update d set x=1; update e set x=1",
	 "update a set x=?; update b set x=?; update c set x=?; update d set x=?; update e set x=?", "UPDATE", "",
	 "UPDATE a UPDATE b UPDATE c UPDATE d"},
	{SQL_STANDARD, "vacuum", "vacuum", "VACUUM", "", "VACUUM"},
};

static void statements(void **state)
{
	struct sql q;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sql_read((const uint8_t *)rows[i].in, strlen(rows[i].in), rows[i].dialect, &q);
		assert_string_equal(q.text, rows[i].text);
		assert_string_equal(q.operation, rows[i].operation);
		assert_string_equal(q.collection, rows[i].collection);
		assert_string_equal(q.summary, rows[i].summary);
	}
}

/* Whatever is cut off where: of a literal nothing is told. */
static void cut_anywhere(void **state)
{
	static const char text[] =
		"SELECT 's3cr3t', E's3\\'cr3t', $a$s3cr3t$a$, 5550, X'5550' FROM t WHERE \"n\" = 's3cr3t' /* s3cr3t */ -- s3cr3t";
	struct sql q;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		sql_read((const uint8_t *)text, n, SQL_STANDARD, &q);
		assert_null(strstr(q.text, "s3"));
		assert_null(strstr(q.text, "55"));
	}
}

static void the_context_of_a_trace(void **state)
{
	static const char text[] = "SELECT 1 /*action='x',traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/";
	struct sql a, b;

	(void)state;
	sql_read((const uint8_t *)text, strlen(text), SQL_STANDARD, &a);
	assert_string_equal(a.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	sql_read((const uint8_t *)"SELECT 2", 8, SQL_STANDARD, &b);
	assert_true(a.key != b.key);
	assert_string_equal(b.text, a.text);
}

TEST_MAIN(cmocka_unit_test(statements), cmocka_unit_test(cut_anywhere), cmocka_unit_test(the_context_of_a_trace))
