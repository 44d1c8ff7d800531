import java.math.BigDecimal;

/** Make a thread a daemon when it runs: the exception leaves main, and the thread goes on. */
class PhrasebookLateDaemon {
    static final long START = System.nanoTime();

    static void say(String text) {
        // `String.format` makes a start half as long again.
        BigDecimal now = BigDecimal.valueOf((System.nanoTime() - START) / 1_000_000, 3);
        String thread = Thread.currentThread().getName();
        String gap = " ".repeat(Math.max(1, 11 - thread.length()));
        System.out.print(" " + now + "s " + thread + gap + text + "\n");
    }

    static void printLabel() {
        try {
            Thread.sleep(1000);
        } catch (InterruptedException interrupted) {
            return;
        }
        say("the label is printed");
    }

    public static void main(String[] args) {
        Thread printer = new Thread(PhrasebookLateDaemon::printLabel, "printer");
        say("a label is to be printed");
        printer.start();
        printer.setDaemon(true);
        say("main returns");
    }
}
