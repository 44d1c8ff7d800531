import java.math.BigDecimal;

/** A thread that is made by a daemon is a daemon, too. */
class PhrasebookInherit {
    static final long START = System.nanoTime();

    static void say(String text) {
        // `String.format` makes a start half as long again.
        BigDecimal now = BigDecimal.valueOf((System.nanoTime() - START) / 1_000_000, 3);
        String thread = Thread.currentThread().getName();
        String gap = " ".repeat(Math.max(1, 11 - thread.length()));
        System.out.print(" " + now + "s " + thread + gap + text + "\n");
    }

    static void printLabel() {
        say("a daemon: " + Thread.currentThread().isDaemon());
        try {
            Thread.sleep(2000);
        } catch (InterruptedException interrupted) {
            return;
        }
        say("the label is printed");
    }

    public static void main(String[] args) throws InterruptedException {
        Runnable print = PhrasebookInherit::printLabel;
        Thread service = new Thread(() -> new Thread(print, "printer").start(), "service");
        service.setDaemon(true);
        say("my own work takes half a second");
        service.start();

        Thread.sleep(500);
        say("my own work is done");
    }
}
