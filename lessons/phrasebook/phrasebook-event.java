import java.math.BigDecimal;

/** Tell a thread to stop, in the middle of its pause. */
class PhrasebookEvent {
    static final long START = System.nanoTime();

    static void say(String text) {
        // `String.format` makes a start half as long again.
        BigDecimal now = BigDecimal.valueOf((System.nanoTime() - START) / 1_000_000, 3);
        String thread = Thread.currentThread().getName();
        String gap = " ".repeat(Math.max(1, 11 - thread.length()));
        System.out.print(" " + now + "s " + thread + gap + text + "\n");
    }

    static void beat() {
        try {
            while (true) {
                Thread.sleep(1500);
                say("beat");
            }
        } catch (InterruptedException told) {
            say("signed off");
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Thread heartbeat = new Thread(PhrasebookEvent::beat, "heartbeat");
        say("the service runs for 2 s");
        heartbeat.start();

        Thread.sleep(2000);
        heartbeat.interrupt();
        heartbeat.join();
        say("the service has stopped");
    }
}
