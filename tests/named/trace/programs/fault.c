/* A thread with a name that reads where nothing is. */
#define _GNU_SOURCE
#include <pthread.h>
#include <unistd.h>

static void *read_nothing(void *nowhere) {
    usleep(200000);
    return (void *)(long)*(volatile int *)nowhere;
}

int main(void) {
    pthread_t reader;
    pthread_create(&reader, NULL, read_nothing, NULL);
    pthread_setname_np(reader, "reader");
    return pthread_join(reader, NULL);
}
