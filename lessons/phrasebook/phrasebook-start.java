import java.math.BigDecimal;

/** Start a thread, with a name: the virtual machine waits for it. */
class PhrasebookStart {
    static final long START = System.nanoTime();

    static void say(String text) {
        // `String.format` makes a start half as long again.
        BigDecimal now = BigDecimal.valueOf((System.nanoTime() - START) / 1_000_000, 3);
        String thread = Thread.currentThread().getName();
        String gap = " ".repeat(Math.max(1, 11 - thread.length()));
        System.out.print(" " + now + "s " + thread + gap + text + "\n");
    }

    static void printLabel(String order) {
        try {
            Thread.sleep(1000);
        } catch (InterruptedException interrupted) {
            return;
        }
        say("the label for " + order + " is printed");
    }

    public static void main(String[] args) {
        Thread printer = new Thread(() -> printLabel("tea"), "printer");
        say("a label is to be printed");
        printer.start();
    }
}
