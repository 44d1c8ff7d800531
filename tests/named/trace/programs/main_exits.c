/* main ends its own thread; the program ends with the last one. */
#define _GNU_SOURCE
#include <pthread.h>
#include <unistd.h>

static void *work(void *unused) {
    usleep(400000);
    return unused;
}

int main(void) {
    pthread_t worker;
    pthread_create(&worker, NULL, work, NULL);
    pthread_setname_np(worker, "worker");
    pthread_exit(NULL);
}
