// Sockets, an HTTP client with and without time limits, processes and threads: run by java bare and watched.
import com.sun.net.httpserver.HttpServer;
import java.io.*;
import java.net.*;
import java.net.http.*;
import java.nio.file.*;
import java.time.Duration;
import java.util.concurrent.*;

public class App {
    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", x -> {
            byte[] body = x.getRequestURI().toString().repeat(500).getBytes();
            x.sendResponseHeaders(200, body.length);
            x.getResponseBody().write(body);
            x.close();
        });
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.start();
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).version(HttpClient.Version.HTTP_1_1).build();
        for (int i = 0; i < 30; i++) {
            HttpRequest request = HttpRequest.newBuilder(base.resolve("/" + i)).timeout(Duration.ofSeconds(10)).build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).body().length());
        }
        HttpURLConnection old = (HttpURLConnection) base.toURL().openConnection();
        old.setReadTimeout(10000);
        System.out.println(old.getResponseCode() + " " + old.getInputStream().readAllBytes().length);
        server.stop(0);

        try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            ExecutorService pool = Executors.newFixedThreadPool(8);
            Future<Integer> reader = pool.submit(() -> {
                int total = 0;
                for (int i = 0; i < 8; i++)
                    try (Socket s = listener.accept()) {
                        total += s.getInputStream().readAllBytes().length;
                    }
                return total;
            });
            for (int i = 0; i < 8; i++)
                try (Socket s = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
                    s.getOutputStream().write(new byte[10000 + i]);
                }
            System.out.println(reader.get());
            Socket silent = new Socket(listener.getInetAddress(), listener.getLocalPort());
            silent.setSoTimeout(30);
            try {
                silent.getInputStream().read();
            } catch (SocketTimeoutException e) {
                System.out.println("timeout");
            }
            pool.shutdown();
        }
        Process child = new ProcessBuilder("sh", "-c", "cat; exit 5").start();
        child.getOutputStream().write("to the child".getBytes());
        child.getOutputStream().close();
        System.out.println(new String(child.getInputStream().readAllBytes()) + " " + child.waitFor());
        Path file = Path.of("data.txt");
        Files.writeString(file, "x".repeat(100000));
        System.out.println(Files.size(file));
        System.err.println("to stderr");
        System.exit(13);
    }
}
