/* A daemon of the old kind: two forks, a session of its own, and nothing left in its environment. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
    if (fork() > 0) {
        sleep(1);
        return 0;
    }
    setsid();
    if (fork() > 0)
        return 0;
    clearenv();
    freopen("/dev/null", "r", stdin);
    freopen("/dev/null", "w", stdout);
    freopen("/dev/null", "w", stderr);
    execl("/bin/sleep", "sleep", "97.5", NULL);
    return 1;
}
