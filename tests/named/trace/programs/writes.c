/* Writes to a file, and to a pipe that nobody reads, until somebody ends it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *write_on(void *unused) {
    static char block[4096];
    int pipe = open("pipe", O_WRONLY);
    while (write(pipe, block, sizeof block) > 0)
        ;
    return unused;
}

int main(void) {
    pthread_t writer;
    int journal = open("journal.txt", O_WRONLY | O_CREAT, 0600);
    if (write(journal, "hunter2\nfirst and seco", 22) != 22)
        return 1;
    pthread_create(&writer, NULL, write_on, NULL);
    pthread_setname_np(writer, "writer");
    puts("ready");
    fflush(stdout);
    pthread_join(writer, NULL);
    return 0;
}
