import java.math.BigDecimal;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Give jobs to a pool of two threads, and wait for all of them: with `slow` not for as long as they take. */
class PhrasebookPool {
    static final long START = System.nanoTime();

    static void say(String text) {
        // `String.format` makes a start half as long again.
        BigDecimal now = BigDecimal.valueOf((System.nanoTime() - START) / 1_000_000, 3);
        String thread = Thread.currentThread().getName();
        String gap = " ".repeat(Math.max(1, 11 - thread.length()));
        System.out.print(" " + now + "s " + thread + gap + text + "\n");
    }

    record Label(int order, long millis) implements Runnable {
        @Override
        public void run() {
            try {
                Thread.sleep(millis);
            } catch (InterruptedException interrupted) {
                return;
            }
            say("label " + order + " is printed");
        }
    }

    public static void main(String[] args) throws InterruptedException {
        boolean slow = args.length > 0;
        ExecutorService pool = Executors.newFixedThreadPool(2);
        say("four labels are to be printed");
        for (int order = 1; order <= 4; order++) {
            pool.execute(new Label(order, slow ? 1500 : 500));
        }
        pool.shutdown();
        if (pool.awaitTermination(slow ? 1 : 5, TimeUnit.SECONDS)) {
            say("every label is printed");
        } else {
            say("I wait no longer");
        }
    }
}
