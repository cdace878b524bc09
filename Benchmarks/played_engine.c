// An engine that executes nothing: it writes the journal of a job in the time a job would take.
//
// The master starts the program `danube` beside it; a copy of this one under that name shows what
// the master costs, without what steps cost. PLAYED_STEPS steps, one after the other.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PLAYED_STEPS = 100, STEP_MILLISECONDS = 600 };

static int journal;

static void line(const char *text, int size) {
    if (write(journal, text, size) != size) exit(3);
}

static long long now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void rest(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

// The digest is that of `plan`, which the master does not compute: jobs of one plan share it.
static void compiled(void) {
    static char text[64 << 10];
    int size = snprintf(
        text, sizeof text,
        "{\"v\":1,\"event\":\"compiled\",\"at_ns\":0,\"digest\":\"sha256:%064d\",\"time_us\":%lld,"
        "\"steps\":[",
        7, now(CLOCK_REALTIME) / 1000);
    for (int i = 0; i < PLAYED_STEPS; i++)
        size += snprintf(
            text + size, sizeof text - size, "%s{\"id\":\"p/s%d\",\"name\":\"s%d\"}",
            i ? "," : "", i, i);
    size += snprintf(text + size, sizeof text - size, "]}\n");
    line(text, size);
}

int main(int count, char **arguments) {
    // No host: the master starts an engine for each job by itself then.
    if (count < 3 || strncmp(arguments[2], "--journal=", 10) != 0) return 2;
    if (chdir(arguments[count - 1]) != 0) return 3;
    journal = open("journal", O_WRONLY | O_APPEND | O_CLOEXEC);
    if (journal < 0 || flock(journal, LOCK_EX) != 0) return 3;
    char text[512];
    line(text, snprintf(
                   text, sizeof text,
                   "{\"v\":1,\"event\":\"engine_started\",\"at_ns\":0,\"pid\":%d}\n", getpid()));
    int plan = open("plan", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (plan < 0 || write(plan, "{}", 2) != 2) return 3;
    close(plan);
    compiled();
    long long begun = now(CLOCK_MONOTONIC);
    for (int i = 0; i < PLAYED_STEPS; i++) {
        line(text, snprintf(
                       text, sizeof text,
                       "{\"v\":1,\"event\":\"step_starting\",\"step\":%d,\"attempt\":1,"
                       "\"at_ns\":%lld}\n",
                       i, now(CLOCK_MONOTONIC) - begun));
        rest(STEP_MILLISECONDS);
        line(text, snprintf(
                       text, sizeof text,
                       "{\"v\":1,\"event\":\"step_ended\",\"step\":%d,\"result\":\"succeeded\","
                       "\"code\":0,\"duration_ns\":%lld,\"attempts\":1,\"at_ns\":%lld}\n",
                       i, STEP_MILLISECONDS * 1000000LL, now(CLOCK_MONOTONIC) - begun));
    }
    line(text, snprintf(
                   text, sizeof text,
                   "{\"v\":1,\"event\":\"run_ended\",\"at_ns\":%lld,\"outcome\":\"success\"}\n",
                   now(CLOCK_MONOTONIC) - begun));
    return 0;
}
