/** Waits for a thread that waits for something that never comes. */
public class Hang {
    public static void main(String[] arguments) throws InterruptedException {
        Object answer = new Object();
        Thread settlement = new Thread(() -> {
            synchronized (answer) {
                while (true) {
                    try {
                        answer.wait();
                    } catch (InterruptedException error) {
                        System.out.println(error);
                    }
                }
            }
        }, "settlement");
        settlement.start();
        System.out.println("ready");
        settlement.join();
    }
}
