import java.math.BigDecimal;
import java.util.concurrent.CompletableFuture;

/** Give a job to the common pool. */
class PhrasebookCommonPool {
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
            Thread.sleep(1500);
        } catch (InterruptedException interrupted) {
            return;
        }
        say("the label is printed");
    }

    public static void main(String[] args) throws InterruptedException {
        // By default it is one less than there are processors, and Java 17 does not use a pool of one.
        System.setProperty("java.util.concurrent.ForkJoinPool.common.parallelism", "2");
        CompletableFuture.runAsync(PhrasebookCommonPool::printLabel);
        say("my own work takes half a second");

        Thread.sleep(500);
        say("my own work is done");
    }
}
