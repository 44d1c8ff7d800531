/* Becomes another program while a thread of it is asleep. */
#include <pthread.h>
#include <unistd.h>

static void *rest(void *unused) {
    sleep(100);
    return unused;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, rest, NULL);
    usleep(200000);
    execl("/bin/sh", "sh", "-c", "sleep 0.2; exit 7", NULL);
    return 1;
}
