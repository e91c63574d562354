/*
 * Remedies by library: a table from the modules and functions of a stack to advice. A client library comes before the runtime that
 * calls it, because stacks are searched innermost first. No state.
 */
#include <string.h>

#include "detectors/remedies.h"

struct remedy {
	const char *module;   /* start of a module's base name, or NULL */
	const char *function; /* part of a function's or file's name, or NULL */
	bool last;            /* says little: only where no other is known */
	const char *text[REMEDY_KINDS];
};

static const struct remedy remedies[] = {
	{.module = "libcurl",
	 .text = {[REMEDY_CONNECT] = "libcurl: set CURLOPT_CONNECTTIMEOUT_MS (its default is 300 s)",
		  [REMEDY_RESPONSE] =
			  "libcurl: set CURLOPT_TIMEOUT_MS, or CURLOPT_LOW_SPEED_LIMIT and CURLOPT_LOW_SPEED_TIME for long bodies",
		  [REMEDY_RETRY] = "libcurl: count attempts in the caller and sleep 2^n × base plus a random part between them"}},
	{.module = "libpq",
	 .text = {[REMEDY_CONNECT] = "libpq: add connect_timeout=2 to the connection string",
		  [REMEDY_RESPONSE] =
			  "libpq: set statement_timeout on the server side and, in the client, wait with a deadline on PQsocket() "
			  "before PQgetResult(); tcp_user_timeout bounds dead peers only",
		  [REMEDY_RETRY] = "libpq: bound the reconnect loop and back off with jitter before the next PQconnectdb()"}},
	{.module = "libhiredis",
	 .text = {[REMEDY_CONNECT] = "hiredis: use redisConnectWithTimeout()",
		  [REMEDY_RESPONSE] = "hiredis: call redisSetTimeout() on the context",
		  [REMEDY_RETRY] = "hiredis: bound the reconnect loop and back off with jitter before redisReconnect()"}},
	{.module = "libmariadb",
	 .text = {[REMEDY_CONNECT] = "MariaDB client: mysql_options(MYSQL_OPT_CONNECT_TIMEOUT)",
		  [REMEDY_RESPONSE] = "MariaDB client: mysql_options(MYSQL_OPT_READ_TIMEOUT) and MYSQL_OPT_WRITE_TIMEOUT",
		  [REMEDY_RETRY] =
			  "MariaDB client: leave MYSQL_OPT_RECONNECT off; bound the reconnect loop and back off with jitter"}},
	{.module = "libmysqlclient",
	 .text = {[REMEDY_CONNECT] = "MySQL client: mysql_options(MYSQL_OPT_CONNECT_TIMEOUT)",
		  [REMEDY_RESPONSE] = "MySQL client: mysql_options(MYSQL_OPT_READ_TIMEOUT) and MYSQL_OPT_WRITE_TIMEOUT",
		  [REMEDY_RETRY] =
			  "MySQL client: leave MYSQL_OPT_RECONNECT off; bound the reconnect loop and back off with jitter"}},
	{.function = "github.com/jackc/pgx",
	 .text = {[REMEDY_CONNECT] =
			  "pgx: connect_timeout=2 in the connection string, or Connect with a context that has a deadline",
		  [REMEDY_RESPONSE] = "pgx: pass a context made with context.WithTimeout() to every Query, Exec and Begin",
		  [REMEDY_RETRY] = "pgx: bound the reconnect loop and back off with jitter; pgxpool reconnects by itself"}},
	{.function = "github.com/go-sql-driver/mysql",
	 .text = {[REMEDY_CONNECT] = "go-sql-driver/mysql: timeout=2s in the DSN",
		  [REMEDY_RESPONSE] =
			  "go-sql-driver/mysql: readTimeout=3s&writeTimeout=3s in the DSN, or ExecContext and QueryContext "
			  "with a deadline",
		  [REMEDY_RETRY] = "go-sql-driver/mysql: bound the caller's loop and back off with jitter"}},
	{.function = "github.com/redis/go-redis",
	 .text = {[REMEDY_CONNECT] = "go-redis: Options.DialTimeout",
		  [REMEDY_RESPONSE] = "go-redis: Options.ReadTimeout (not -1), and a context with a deadline",
		  [REMEDY_RETRY] = "go-redis: Options.MaxRetries with MinRetryBackoff and MaxRetryBackoff"}},
	{.function = "github.com/hashicorp/go-retryablehttp",
	 .text = {[REMEDY_RESPONSE] = "go-retryablehttp: set HTTPClient.Timeout, which bounds each attempt",
		  [REMEDY_RETRY] = "go-retryablehttp: RetryMax = 2 and a Backoff with jitter (LinearJitterBackoff)"}},
	{.function = "google.golang.org/grpc",
	 .text = {[REMEDY_CONNECT] = "grpc-go: a context with a deadline on every call; it covers the connect as well",
		  [REMEDY_RESPONSE] = "grpc-go: a context with a deadline on every call",
		  [REMEDY_RETRY] = "grpc-go: a retryPolicy with maxAttempts and retryThrottling in the service config"}},
	{.function = "net/http.(*Transport)",
	 .text = {[REMEDY_CONNECT] = "Go net/http: net.Dialer{Timeout: …} in Transport.DialContext"}},
	{.function = "net/http.(*persistConn)",
	 .text = {[REMEDY_CONNECT] = "Go net/http: net.Dialer{Timeout: …} in Transport.DialContext",
		  [REMEDY_RESPONSE] =
			  "Go net/http: set http.Client.Timeout, or pass a context with a deadline to NewRequestWithContext "
			  "(http.DefaultClient has none)",
		  [REMEDY_RETRY] = "Go net/http: count attempts and sleep a random, growing time between them"}},
	{.function = "net.(*",
	 .last = true,
	 .text = {[REMEDY_CONNECT] = "Go net: net.DialTimeout(), or a Dialer with Timeout",
		  [REMEDY_RESPONSE] = "Go net: conn.SetDeadline(time.Now().Add(…)) in front of each exchange",
		  [REMEDY_RETRY] = "Go net: count attempts and sleep a random, growing time between them"}},
	{.module = "wget",
	 .text = {[REMEDY_RETRY] = "wget: --tries=3 --waitretry=10 (its waits grow by a second each; --tries=0 never gives up)"}},
	{.module = "libevent",
	 .text = {[REMEDY_CONNECT] = "libevent: bufferevent_set_timeouts(), or evhttp_connection_set_timeout()",
		  [REMEDY_RESPONSE] = "libevent: bufferevent_set_timeouts(), or evhttp_connection_set_timeout()"}},
	{.module = "libldap",
	 .text = {[REMEDY_CONNECT] = "OpenLDAP: ldap_set_option(LDAP_OPT_NETWORK_TIMEOUT)",
		  [REMEDY_RESPONSE] = "OpenLDAP: ldap_set_option(LDAP_OPT_TIMEOUT), or a timeout for ldap_search_ext()"}},
	{.module = "libmongoc",
	 .text = {[REMEDY_CONNECT] = "libmongoc: connectTimeoutMS and serverSelectionTimeoutMS in the URI",
		  [REMEDY_RESPONSE] = "libmongoc: socketTimeoutMS in the URI"}},
	{.function = "-packages/httpcore/",
	 .text = {[REMEDY_CONNECT] = "httpx: timeout=httpx.Timeout(5.0), or its connect=; None switches all limits off",
		  [REMEDY_RESPONSE] = "httpx: timeout=httpx.Timeout(5.0), or its read=; pool= bounds no answer",
		  [REMEDY_RETRY] = "httpx: HTTPTransport(retries=…) is for connects only; for answers tenacity "
				   "stop_after_attempt(3) with wait_random_exponential()"}},
	{.function = "-packages/psycopg/",
	 .text = {[REMEDY_CONNECT] = "psycopg: connect_timeout=2 in the connection string",
		  [REMEDY_RESPONSE] = "psycopg: statement_timeout is the server's; in the client use AsyncConnection under "
				      "asyncio.timeout(); tcp_user_timeout bounds dead peers only"}},
	{.function = "-packages/pymysql/",
	 .text = {[REMEDY_CONNECT] = "PyMySQL: connect(connect_timeout=…)",
		  [REMEDY_RESPONSE] = "PyMySQL: connect(read_timeout=…, write_timeout=…)"}},
	{.function = "-packages/redis/",
	 .text = {[REMEDY_CONNECT] = "redis-py: socket_connect_timeout=…",
		  [REMEDY_RESPONSE] = "redis-py: socket_timeout=…",
		  [REMEDY_RETRY] = "redis-py: retry=Retry(ExponentialBackoff(), 3)"}},
	{.function = "-packages/pymongo/",
	 .text = {[REMEDY_CONNECT] = "PyMongo: connectTimeoutMS and serverSelectionTimeoutMS",
		  [REMEDY_RESPONSE] = "PyMongo: timeoutMS, or socketTimeoutMS"}},
	{.function = "-packages/botocore/",
	 .text = {[REMEDY_CONNECT] = "botocore: Config(connect_timeout=…)",
		  [REMEDY_RESPONSE] = "botocore: Config(read_timeout=…)",
		  [REMEDY_RETRY] = "botocore: Config(retries={\"max_attempts\": 3, \"mode\": \"standard\"})"}},
	{.function = "-packages/kafka/",
	 .text = {[REMEDY_CONNECT] = "kafka-python: request_timeout_ms", [REMEDY_RESPONSE] = "kafka-python: request_timeout_ms"}},
	{.function = "-packages/pika/",
	 .text = {[REMEDY_CONNECT] = "pika: ConnectionParameters(socket_timeout=…, stack_timeout=…)",
		  [REMEDY_RESPONSE] = "pika: ConnectionParameters(blocked_connection_timeout=…, heartbeat=…)"}},
	{.function = "-packages/paramiko/",
	 .text = {[REMEDY_CONNECT] = "paramiko: SSHClient.connect(timeout=…, banner_timeout=…, auth_timeout=…)",
		  [REMEDY_RESPONSE] = "paramiko: timeout= for exec_command(), or Channel.settimeout()"}},
	{.function = "-packages/ldap3/",
	 .text = {[REMEDY_CONNECT] = "ldap3: Server(connect_timeout=…)",
		  [REMEDY_RESPONSE] = "ldap3: Connection(receive_timeout=…)"}},
	{.function = "requests",
	 .text = {[REMEDY_CONNECT] = "requests: pass timeout=(connect, read) to every call",
		  [REMEDY_RESPONSE] = "requests: pass timeout=(connect, read) to every call",
		  [REMEDY_RETRY] = "requests: mount an HTTPAdapter with Retry(total=3, backoff_factor=0.5)"}},
	{.module = "python",
	 .last = true,
	 .text = {[REMEDY_CONNECT] =
			  "Python: requests timeout=(connect, read), urllib urlopen(…, timeout=…), or socket.settimeout()",
		  [REMEDY_RESPONSE] =
			  "Python: requests timeout=(connect, read), urllib urlopen(…, timeout=…), or socket.settimeout()",
		  [REMEDY_RETRY] = "Python: urllib3 Retry(total=3, backoff_factor=0.5), or tenacity stop_after_attempt(3) with "
				   "wait_random_exponential()"}},
	{.module = "libpython",
	 .last = true,
	 .text = {[REMEDY_CONNECT] =
			  "Python: requests timeout=(connect, read), urllib urlopen(…, timeout=…), or socket.settimeout()",
		  [REMEDY_RESPONSE] =
			  "Python: requests timeout=(connect, read), urllib urlopen(…, timeout=…), or socket.settimeout()",
		  [REMEDY_RETRY] = "Python: urllib3 Retry(total=3, backoff_factor=0.5), or tenacity stop_after_attempt(3) with "
				   "wait_random_exponential()"}},
	{.module = "node",
	 .text = {[REMEDY_CONNECT] = "Node.js: pass signal: AbortSignal.timeout(ms) to the call",
		  [REMEDY_RESPONSE] =
			  "Node.js: pass signal: AbortSignal.timeout(ms); a 'timeout' event alone does not end the request",
		  [REMEDY_RETRY] = "Node.js: limit attempts and use an exponential delay with jitter (axios-retry: retryDelay: "
				   "exponentialDelay)"}},
	{.module = "libjvm",
	 .text = {[REMEDY_CONNECT] =
			  "Java: setConnectTimeout() / HttpClient.Builder.connectTimeout() / JDBC loginTimeout and connectTimeout",
		  [REMEDY_RESPONSE] = "Java: setReadTimeout() / HttpRequest.Builder.timeout() / JDBC socketTimeout",
		  [REMEDY_RETRY] =
			  "Java: use a retry policy with maxAttempts and exponential random back-off (Resilience4j, Failsafe)"}},
	{.module = "libnet.so",
	 .text = {[REMEDY_CONNECT] =
			  "Java: setConnectTimeout() / HttpClient.Builder.connectTimeout() / JDBC loginTimeout and connectTimeout",
		  [REMEDY_RESPONSE] = "Java: setReadTimeout() / HttpRequest.Builder.timeout() / JDBC socketTimeout",
		  [REMEDY_RETRY] =
			  "Java: use a retry policy with maxAttempts and exponential random back-off (Resilience4j, Failsafe)"}},
	{.module = "libnio.so",
	 .text = {[REMEDY_CONNECT] =
			  "Java: setConnectTimeout() / HttpClient.Builder.connectTimeout() / JDBC loginTimeout and connectTimeout",
		  [REMEDY_RESPONSE] = "Java: setReadTimeout() / HttpRequest.Builder.timeout() / JDBC socketTimeout",
		  [REMEDY_RETRY] =
			  "Java: use a retry policy with maxAttempts and exponential random back-off (Resilience4j, Failsafe)"}},
	{.module = "libruby",
	 .text = {[REMEDY_CONNECT] = "Ruby: Net::HTTP open_timeout",
		  [REMEDY_RESPONSE] = "Ruby: Net::HTTP read_timeout and write_timeout",
		  [REMEDY_RETRY] = "Ruby: set max_retries, and back off with rand between attempts"}},
	{.module = "php",
	 .text = {[REMEDY_CONNECT] = "PHP: CURLOPT_CONNECTTIMEOUT, or default_socket_timeout for streams",
		  [REMEDY_RESPONSE] = "PHP: CURLOPT_TIMEOUT, or default_socket_timeout for streams",
		  [REMEDY_RETRY] =
			  "PHP: count attempts and usleep(random_int(0, $base << $attempt)) between them (Guzzle: the retry "
			  "middleware with a decider that ends)"}},
	{.module = "libperl",
	 .text = {[REMEDY_CONNECT] = "Perl: LWP::UserAgent/HTTP::Tiny timeout",
		  [REMEDY_RESPONSE] = "Perl: LWP::UserAgent/HTTP::Tiny timeout",
		  [REMEDY_RETRY] = "Perl: LWP::UserAgent::Determined with timing(\"1,2,4\"), or count attempts and sleep a random, "
				   "growing time"}},
	{.module = "perl",
	 .text = {[REMEDY_CONNECT] = "Perl: Timeout => … of IO::Socket, LWP::UserAgent or HTTP::Tiny",
		  [REMEDY_RESPONSE] = "Perl: timeout of LWP::UserAgent or HTTP::Tiny; Timeout of IO::Socket bounds the connect "
				      "only: use IO::Select before a read"}},
};

static bool matches(const struct remedy *r, const struct frame *f)
{
	if (r->module && f->module && !strncmp(f->module, r->module, strlen(r->module)))
		return true;
	if (!r->function)
		return false;
	return (f->function && strstr(f->function, r->function)) || (f->file && strstr(f->file, r->function));
}

const char *remedy_for(const struct stacks *s, uint32_t stack, enum remedy_kind kind)
{
	size_t n = 0;
	const struct frame *frames = stacks_frames(s, stack, &n);

	const char *text = NULL;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof remedies / sizeof *remedies; k++) {
			if (!remedies[k].text[kind] || (remedies[k].last && text) || !matches(&remedies[k], &frames[i]))
				continue;
			text = remedies[k].text[kind];
			if (!remedies[k].last)
				return text;
		}
	}
	return text;
}
