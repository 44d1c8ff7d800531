import java.math.BigDecimal;

/** Have something done at the end: on SIGTERM or, with `exit`, when main calls System.exit. */
class PhrasebookHook {
    static final long START = System.nanoTime();

    static void say(String text) {
        // `String.format` makes a start half as long again.
        BigDecimal now = BigDecimal.valueOf((System.nanoTime() - START) / 1_000_000, 3);
        String thread = Thread.currentThread().getName();
        String gap = " ".repeat(Math.max(1, 11 - thread.length()));
        System.out.print(" " + now + "s " + thread + gap + text + "\n");
    }

    static void serve() {
        try {
            while (true) {
                Thread.sleep(700);
                say("a request is answered");
            }
        } catch (InterruptedException interrupted) {
            // Nobody interrupts it.
        } finally {
            say("the service is closed");
        }
    }

    static void turnOff() {
        say("the lights go out");
        try {
            Thread.sleep(1000);
        } catch (InterruptedException interrupted) {
            return;
        }
        say("the lights are out");
    }

    public static void main(String[] args) throws InterruptedException {
        Runtime.getRuntime().addShutdownHook(new Thread(PhrasebookHook::turnOff, "hook"));
        Thread service = new Thread(PhrasebookHook::serve, "service");
        say("the service runs");
        service.start();
        if (args.length > 0) {
            Thread.sleep(500);
            System.exit(3);
        }
        service.join();
    }
}
