import java.io.FileOutputStream;

/** A writer that is cut off while it writes to a pipe that nobody reads, and a hook that is waited for. */
public class Hook {
    public static void main(String[] arguments) throws Exception {
        FileOutputStream journal = new FileOutputStream("journal.txt");
        Thread writer = new Thread(() -> write(journal), "writer");
        writer.setDaemon(true);
        writer.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            pause(200);
            System.out.println("the hook has run");
        }, "hook"));
        System.out.println("ready");
        pause(60_000);
    }

    private static void write(FileOutputStream journal) {
        try (FileOutputStream pipe = new FileOutputStream("pipe")) {
            journal.write("first\nsecond, and no".getBytes());
            while (true) {
                pipe.write(new byte[4096]);
            }
        } catch (java.io.IOException error) {
            System.out.println(error);
        }
    }

    private static void pause(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException error) {
            System.out.println(error);
        }
    }
}
