import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;

/**
 * Takes orders over HTTP. The answers are there; what an order is, and how it stops, is to be
 * written.
 */
class OrderDesk {
    /** What a client is told. */
    record Answer(int status, String text) {}

    /** Has an order done. Runs in a thread for each request. */
    static Answer take(String key, byte[] text, long takesMillis, String fails) {
        // YOUR TURN: a key that is known or in work, the supplier, the work, what is durable.
        return new Answer(501, "orders are yet to be written");
    }

    /** The keys of the orders that are stored, by number. */
    static Map<Long, String> stored() {
        // YOUR TURN
        return Map.of();
    }

    static Answer health() {
        // YOUR TURN: 503 as soon as no more orders are taken.
        return new Answer(200, "open");
    }

    static Answer list() {
        StringBuilder lines = new StringBuilder();
        stored().forEach((number, key) -> lines.append(number + " " + key + "\n"));
        return new Answer(200, lines.toString());
    }

    static Answer post(HttpExchange exchange) throws IOException {
        byte[] text = exchange.getRequestBody().readNBytes((16 << 10) + 1);
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        // The server does not tell a body that was cut short from a whole one.
        if (text.length > 16 << 10 || length != null && Long.parseLong(length) != text.length) {
            return new Answer(400, "the text is cut short, or too long");
        }
        // From here until the answer is sent the order is in work.
        Map<String, String> query = new TreeMap<>();
        for (String part : String.valueOf(exchange.getRequestURI().getQuery()).split("&")) {
            query.put(part.split("=", 2)[0], part.substring(part.indexOf('=') + 1));
        }
        String key = exchange.getRequestHeaders().getFirst("Idempotency-Key");
        long takes = Long.parseLong(query.getOrDefault("takes", "0"));
        return take(key, text, takes, query.get("fails"));
    }

    static void handle(HttpExchange exchange) throws IOException {
        try {
            String path = exchange.getRequestURI().getPath();
            answer(exchange, switch (exchange.getRequestMethod() + " " + path) {
                case "GET /health" -> health();
                case "GET /orders" -> list();
                case "POST /orders" -> post(exchange);
                default -> new Answer(404, "no such page");
            });
        } finally {
            exchange.close();
        }
    }

    /** When this returns, the whole answer is sent. */
    static void answer(HttpExchange exchange, Answer answer) throws IOException {
        byte[] bytes = answer.text.getBytes(StandardCharsets.UTF_8);
        // Closed without this, the connection could not be kept.
        exchange.getRequestBody();
        exchange.sendResponseHeaders(answer.status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.getResponseBody().close();
    }

    public static void main(String[] args) throws IOException {
        // YOUR TURN: DATA, GRACE and SUPPLIER, and SIGTERM: the first one and the second.
        int port = Integer.parseInt(System.getenv("PORT"));
        // Without this each answer on a kept connection waits for 40 ms.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // How many may wait to be accepted: some that find the queue full try again only after a
        // second.
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 1024);
        server.createContext("/", OrderDesk::handle);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }
}
