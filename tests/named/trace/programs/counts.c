/* Counts the signals that it gets, says each, and ends half a second after the last one. */
#include <signal.h>
#include <stdio.h>
#include <time.h>

int main(void) {
    sigset_t told;
    sigemptyset(&told);
    sigaddset(&told, SIGTERM);
    sigaddset(&told, SIGINT);
    sigaddset(&told, SIGHUP);
    sigprocmask(SIG_BLOCK, &told, NULL);
    puts("ready");
    fflush(stdout);
    struct timespec wait = {20, 0};
    int count = 0, signal;
    while ((signal = sigtimedwait(&told, NULL, &wait)) > 0) {
        count++;
        printf("signal %d\n", signal);
        fflush(stdout);
        wait = (struct timespec){0, 500000000};
    }
    printf("%d in all\n", count);
    return 0;
}
