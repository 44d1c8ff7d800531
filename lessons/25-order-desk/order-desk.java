import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * A desk that takes orders over HTTP, stores each for good, and stops on SIGTERM without losing one:
 *
 * <pre>javac -d classes order-desk.java && PORT=8080 DATA=. GRACE=3 java -cp classes OrderDesk</pre>
 */
class OrderDesk {
    /** How long a supplier may take: not for as long as GRACE, so that an order still gets its answer. */
    static final Duration PATIENCE = Duration.ofSeconds(2);

    /** How many bytes the text of an order may have. */
    static final int LONGEST = 16 << 10;

    static final Pattern KEY = Pattern.compile("[a-z0-9-]{1,64}");

    /** An order, as it is stored. */
    record Order(long number, String key) {}

    /** An order that was not stored, and what its client is told. */
    static class Refused extends Exception {
        final int status;

        Refused(int status, String text) {
            super(text);
            this.status = status;
        }
    }

    /** The stored orders in a file, one a line: checksum, number, key and text. */
    static class Log {
        final List<Order> found = new ArrayList<>();
        private final FileChannel file;
        /** Where the last whole line ends. */
        private long end = 0;
        private long last = 0;

        /** Reads the orders that are there. */
        Log(Path directory) throws IOException {
            Path path = directory.resolve("orders.log");
            file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            // A new file is found after a power cut only if its directory was synced, too.
            try (FileChannel names = FileChannel.open(directory)) {
                names.force(true);
            }
            // A torn line may hold anything: here each byte is a character.
            String text = Files.readString(path, StandardCharsets.ISO_8859_1);
            while (end < text.length()) {
                int to = text.indexOf('\n', (int) end);
                Order order = to < 0 ? null : parse(text.substring((int) end, to));
                if (order == null && to >= 0 && to + 1 < text.length()) {
                    throw new IOException(path + " is damaged at byte " + end);
                }
                if (order == null) {
                    // A kill or a power cut has torn the last line. It was not acknowledged, and is overwritten.
                    break;
                }
                found.add(order);
                last = order.number;
                end = to + 1;
            }
        }

        /** Makes an order durable and gives it its number. */
        synchronized long append(String key, byte[] text) throws IOException {
            long number = last + 1;
            String rest = number + " " + key + " " + Base64.getEncoder().encodeToString(text);
            byte[] line = (checksum(rest) + " " + rest + "\n").getBytes(StandardCharsets.ISO_8859_1);
            // A write that failed, as on a full disk, may have left a part of a line.
            file.truncate(end);
            ByteBuffer left = ByteBuffer.wrap(line);
            while (left.hasRemaining()) {
                file.write(left, end + left.position());
            }
            // Until now it is in the kernel's memory alone, where a power cut finds it.
            file.force(false);
            end += line.length;
            last = number;
            return number;
        }

        private static Order parse(String line) {
            String[] fields = line.split(" ", 2);
            if (fields.length < 2 || !fields[0].equals(checksum(fields[1]))) {
                return null;
            }
            String[] rest = fields[1].split(" ");
            return new Order(Long.parseLong(rest[0]), rest[1]);
        }

        private static String checksum(String text) {
            CRC32 sum = new CRC32();
            sum.update(text.getBytes(StandardCharsets.ISO_8859_1));
            return Long.toHexString(sum.getValue());
        }
    }

    /** How many requests are in work, and whether more are let in. */
    static class Door {
        private int inWork = 0;
        private boolean closing = false;

        /** Looks and counts in one step, so that none gets in behind the last look. */
        synchronized boolean enter() {
            if (!closing) {
                inWork++;
            }
            return !closing;
        }

        synchronized void leave() {
            inWork--;
            notifyAll();
        }

        synchronized boolean isClosing() {
            return closing;
        }

        /** Lets nobody in any more, and says how many are left after this time. */
        synchronized int close(Duration grace) throws InterruptedException {
            closing = true;
            long until = System.nanoTime() + grace.toNanos();
            for (long left; inWork > 0 && (left = until - System.nanoTime()) > 0; ) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
            return inWork;
        }
    }

    /**
     * Writes lines to stderr in a thread of its own, and drops them where nobody reads: a full pipe must hold up
     * neither an order nor the end.
     */
    static class Teller {
        private record Told(String line, CountDownLatch written) {}

        private final BlockingQueue<Told> lines = new ArrayBlockingQueue<>(100);

        Teller() {
            Thread writer = new Thread(this::write, "teller");
            writer.setDaemon(true);
            writer.start();
        }

        private void write() {
            try {
                Told told;
                do {
                    told = lines.take();
                    System.err.print(told.line + "\n");
                    told.written.countDown();
                } while (!told.line.startsWith("unfinished: "));
            } catch (InterruptedException interrupted) {
                // Nobody interrupts it.
            }
        }

        /** Never waits. */
        void tell(String line) {
            lines.offer(new Told(line, new CountDownLatch(1)));
        }

        /** Waits a moment until it is written. */
        void tellAndWait(String line) throws InterruptedException {
            Told told = new Told(line, new CountDownLatch(1));
            if (lines.offer(told, 100, TimeUnit.MILLISECONDS)) {
                told.written.await(100, TimeUnit.MILLISECONDS);
            }
        }
    }

    final Door door = new Door();
    private final Log log;
    private final Teller teller;
    private final URI stock;
    private final HttpClient client;
    /** The number of each order that is stored, or will be. */
    private final Map<String, CompletableFuture<Long>> orders = new ConcurrentHashMap<>();

    OrderDesk(Log log, Teller teller, String supplier) {
        this.log = log;
        this.teller = teller;
        for (Order order : log.found) {
            orders.put(order.key, CompletableFuture.completedFuture(order.number));
        }
        // Where the supplier closes the connection without an answer, the client would ask again.
        System.setProperty("jdk.httpclient.redirects.retrylimit", "1");
        stock = supplier.isEmpty() ? null : URI.create(supplier + "/stock");
        client = supplier.isEmpty() ? null : HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    }

    /** The work of an order. */
    interface Work {
        long number() throws Refused, InterruptedException;
    }

    /**
     * Answers with the number of the order that has this key. Of several requests with one key, one does the work
     * and the others wait; if it fails, one of them takes its place.
     */
    void take(HttpExchange exchange, String key, Work work) throws Refused, InterruptedException, IOException {
        CompletableFuture<Long> own = new CompletableFuture<>();
        CompletableFuture<Long> other;
        while ((other = orders.putIfAbsent(key, own)) != null) {
            Long number = other.exceptionally(failed -> null).join();
            if (number != null) {
                answer(exchange, 200, number.toString());
                return;
            }
        }
        long number = 0;
        try {
            number = work.number();
        } finally {
            // Also where the work throws what nobody foresaw: else its key were in work for ever.
            if (number == 0) {
                orders.remove(key);
                own.cancel(false);
            }
        }
        own.complete(number);
        answer(exchange, 201, Long.toString(number));
    }

    /** Asks the supplier whether the goods are there. */
    void askSupplier() throws Refused, InterruptedException {
        if (stock == null) {
            return;
        }
        int status = 0;
        try {
            HttpRequest request = HttpRequest.newBuilder(stock).timeout(PATIENCE).build();
            status = client.send(request, BodyHandlers.discarding()).statusCode();
        } catch (IOException failed) {
            // No answer in time is none.
        }
        if (status != 200) {
            throw new Refused(502, "the supplier has nothing in stock, or does not say so in time");
        }
    }

    /** `POST /orders`. It goes on where its client has left, whose next request finds the order. */
    void post(HttpExchange exchange) throws Refused, InterruptedException, IOException {
        String key = exchange.getRequestHeaders().getFirst("Idempotency-Key");
        List<String> query = List.of(String.valueOf(exchange.getRequestURI().getQuery()).split("&"));
        String takes = query.stream().filter(part -> part.startsWith("takes=")).findFirst().orElse("takes=0");
        if (key == null || !KEY.matcher(key).matches() || !takes.matches("takes=[0-9]{1,9}")) {
            throw new Refused(400, "an order has a key and takes milliseconds");
        }
        byte[] text = exchange.getRequestBody().readNBytes(LONGEST + 1);
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        // The server does not tell a body that was cut short from a whole one.
        if (text.length > LONGEST || length != null && Long.parseLong(length) != text.length) {
            throw new Refused(400, "the text is cut short, or too long");
        }
        // In work only now: a request that never gets whole delays no stop.
        if (!door.enter()) {
            throw new Refused(503, "the desk is closing");
        }
        try {
            take(exchange, key, () -> {
                askSupplier();
                Thread.sleep(Long.parseLong(takes.substring("takes=".length())));
                if (query.contains("fails=panic")) {
                    throw new IllegalStateException("this order makes its worker panic");
                }
                try {
                    return log.append(key, text);
                } catch (IOException failed) {
                    teller.tell("order " + key + " is not stored: " + failed.getMessage());
                    throw new Refused(500, "the order cannot be stored");
                }
            });
        } catch (Refused refused) {
            answer(exchange, refused.status, refused.getMessage() + "\n");
        } catch (RuntimeException | Error panic) {
            teller.tell("an order has failed: " + panic);
            answer(exchange, 500, "the order has failed\n");
        } finally {
            // In work until its answer is sent, so behind it.
            door.leave();
        }
    }

    void handle(HttpExchange exchange) throws IOException {
        try {
            switch (exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath()) {
                case "GET /health" -> answer(exchange, door.isClosing() ? 503 : 200, "\n");
                case "GET /orders" -> answer(exchange, 200, list());
                case "POST /orders" -> post(exchange);
                default -> answer(exchange, 404, "no such thing\n");
            }
        } catch (Refused refused) {
            answer(exchange, refused.status, refused.getMessage() + "\n");
        } catch (InterruptedException interrupted) {
            // Nobody interrupts it: that would close the log's file, too.
        } finally {
            exchange.close();
        }
    }

    String list() {
        StringBuilder lines = new StringBuilder();
        orders.forEach((key, order) -> {
            Long number = order.exceptionally(failed -> null).getNow(null);
            if (number != null) {
                lines.append(number).append(' ').append(key).append('\n');
            }
        });
        return lines.toString();
    }

    /** When this returns, the whole answer is sent. */
    static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        // Closed without this, the connection could not be kept.
        exchange.getRequestBody();
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        try (OutputStream body = exchange.getResponseBody()) {
            body.write(bytes);
        }
    }

    /** What the environment says. */
    static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    static int number(String name, String otherwise, int most, String what) {
        String value = setting(name, otherwise);
        if (!value.matches("[0-9]{1,9}") || Integer.parseInt(value) > most) {
            throw new IllegalArgumentException(name + what + value);
        }
        return Integer.parseInt(value);
    }

    public static void main(String[] args) throws InterruptedException {
        Runtime process = Runtime.getRuntime();
        CountDownLatch stop = new CountDownLatch(1);
        AtomicBoolean isTold = new AtomicBoolean();
        // Not a shutdown hook: while hooks run, the virtual machine does not see a second signal.
        SignalHandler told = signal -> {
            if (isTold.getAndSet(true)) {
                process.halt(1);
            }
            stop.countDown();
        };
        Signal.handle(new Signal("TERM"), told);
        Signal.handle(new Signal("INT"), told);
        Teller teller = new Teller();
        try {
            int port = number("PORT", "8080", 65535, " is no port: ");
            Duration grace = Duration.ofSeconds(number("GRACE", "8", 999_999_999, " is not in seconds: "));
            Log log = new Log(Path.of(setting("DATA", ".")));
            OrderDesk desk = new OrderDesk(log, teller, setting("SUPPLIER", ""));
            // Without this each answer on a kept connection waits for 40 ms.
            System.setProperty("sun.net.httpserver.nodelay", "true");
            // The queue of those who wait to be accepted: where it is short, some try again only after a second.
            HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 1024);
            server.createContext("/", desk::handle);
            // A thread for each request, however many wait or are slow.
            server.setExecutor(Executors.newCachedThreadPool(work -> new Thread(work, "request")));
            server.start();
            System.out.print("listening on http://127.0.0.1:" + port + "\n");
            stop.await();
            // The server goes on, so that health says 503. Its own `stop` would wait for clients who are still
            // sending; what counts is what is in work.
            int unfinished = desk.door.close(grace);
            if (unfinished > 0) {
                teller.tellAndWait("unfinished: " + unfinished);
            }
            process.exit(unfinished > 0 ? 1 : 0);
        } catch (IOException failed) {
            teller.tellAndWait("cannot open the orders, or listen: " + failed);
            process.exit(1);
        } catch (IllegalArgumentException failed) {
            teller.tellAndWait(failed.getMessage());
            process.exit(1);
        }
    }
}
