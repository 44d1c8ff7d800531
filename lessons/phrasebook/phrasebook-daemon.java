import java.math.BigDecimal;

/** Start a thread that nobody waits for. */
class PhrasebookDaemon {
    static final long START = System.nanoTime();

    static void say(String text) {
        // `String.format` makes a start half as long again.
        BigDecimal now = BigDecimal.valueOf((System.nanoTime() - START) / 1_000_000, 3);
        String thread = Thread.currentThread().getName();
        String gap = " ".repeat(Math.max(1, 11 - thread.length()));
        System.out.print(" " + now + "s " + thread + gap + text + "\n");
    }

    /** Ticks each second and never returns. */
    static void tick() {
        try {
            while (true) {
                say("tick");
                Thread.sleep(1000);
            }
        } catch (InterruptedException interrupted) {
            // Nobody interrupts it.
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Thread ticker = new Thread(PhrasebookDaemon::tick, "ticker");
        ticker.setDaemon(true);
        say("my own work takes half a second");
        ticker.start();

        Thread.sleep(500);
        say("my own work is done");
    }
}
