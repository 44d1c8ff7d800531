/* So many threads that are asleep when main returns. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int begun;

static void *rest(void *unused) {
    begun++;
    sleep(100);
    return unused;
}

int main(int count, char **arguments) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    int threads = count > 1 ? atoi(arguments[1]) : 1;
    for (int number = 0; number < threads; number++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, rest, NULL) != 0) {
            puts("no more threads");
            return 3;
        }
    }
    while (begun < threads)
        usleep(10000);
    usleep(500000);
    return 0;
}
