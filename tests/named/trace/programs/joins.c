/* One thread that is joined, one that is cut off. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *work(void *name) {
    prctl(PR_SET_NAME, name);
    usleep(300000);
    return NULL;
}

static void *rest(void *name) {
    prctl(PR_SET_NAME, name);
    sleep(100);
    return NULL;
}

int main(void) {
    pthread_t worker, idle;
    pthread_create(&worker, NULL, work, "worker");
    pthread_create(&idle, NULL, rest, "idle");
    pthread_join(worker, NULL);
    return 5;
}
