// log4j2 and logback (behind SLF4J), each set up by its own file of the class path.
class JavaLoggers {
	public static void main(String[] a) {
		org.apache.logging.log4j.Logger first = org.apache.logging.log4j.LogManager.getLogger("shop");
		for (int i = 0; i < 3; i++)
			first.warn("card {} declined", a[0]);
		org.apache.logging.log4j.LogManager.shutdown();
		org.slf4j.Logger second = org.slf4j.LoggerFactory.getLogger("shop");
		for (int i = 0; i < 3; i++)
			second.error("card {} declined", a[0]);
		((ch.qos.logback.classic.LoggerContext) org.slf4j.LoggerFactory.getILoggerFactory()).stop();
	}
}
