// Loading libgit2: a program that only reads a working copy never pays for it.
#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char problem[256];
static struct danube_git_library functions;
static const struct danube_git_library *loaded;
static char load_problem[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

// Versions whose structures are those of the header this was built with come first.
static const char *const names[] = {
    "libgit2.so.1.5", "libgit2.so.1.7", "libgit2.so.1.8", "libgit2.so.1.9", "libgit2.so",
};

static int find_functions(void *library) {
#define DANUBE_GIT_FIND(function)                                                                 \
    *(void **)&functions.function = dlsym(library, #function);                                    \
    if (!functions.function) {                                                                    \
        snprintf(load_problem, sizeof load_problem, "libgit2 has no %s", #function);              \
        return -1;                                                                                \
    }
    DANUBE_GIT_FUNCTIONS(DANUBE_GIT_FIND)
#undef DANUBE_GIT_FIND
    return 0;
}

static void harden(void) {
    static const int levels[] = {
        GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL,
        GIT_CONFIG_LEVEL_PROGRAMDATA,
    };
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        functions.git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    // `safe.directory` protects from configuration that runs programs. None is run here, and where
    // it would be set is not read, so it could only refuse what is harmless.
    functions.git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    functions.git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
    functions.git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)(16 << 20));
}

static void load(void) {
    void *library = NULL;
    for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(load_problem, sizeof load_problem, "libgit2 is not installed");
        return;
    }
    if (find_functions(library) < 0) return;
    int major, minor, revision;
    functions.git_libgit2_version(&major, &minor, &revision);
    if (major != LIBGIT2_VER_MAJOR || minor < 5) {
        snprintf(
            load_problem, sizeof load_problem, "libgit2 %d.%d is not 1.5 or later", major, minor);
        return;
    }
    if (functions.git_libgit2_init() < 0) {
        snprintf(load_problem, sizeof load_problem, "libgit2 could not be initialised");
        return;
    }
    harden();
    loaded = &functions;
}

const struct danube_git_library *danube_git_library(void) {
    pthread_once(&once, load);
    if (!loaded) danube_git_fail(DANUBE_GIT_UNAVAILABLE, load_problem);
    return loaded;
}

int danube_git_fail(int code, const char *text) {
    snprintf(problem, sizeof problem, "%s", text);
    return code;
}

int danube_git_failed(const struct danube_git_library *git, int error) {
    const git_error *last = git->git_error_last();
    const char *text = last && last->message ? last->message : "unknown";
    return danube_git_fail(error == GIT_ENOTFOUND ? DANUBE_GIT_ABSENT : -1, text);
}

const char *danube_git_problem(void) { return problem; }

int danube_git_version(char *text, size_t capacity) {
    const struct danube_git_library *git = danube_git_library();
    if (!git) return DANUBE_GIT_UNAVAILABLE;
    int major, minor, revision;
    git->git_libgit2_version(&major, &minor, &revision);
    snprintf(text, capacity, "%d.%d.%d", major, minor, revision);
    return 0;
}

static int compare(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

int danube_git_block(const char **names, size_t count, char **block, size_t *length) {
    size_t size = 1;
    for (size_t i = 0; i < count; i++) size += strlen(names[i]) + 1;
    char *text = malloc(size), *end = text;
    if (!text) return danube_git_fail(-1, "out of memory");
    if (count > 1) qsort(names, count, sizeof *names, compare);
    int kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && !strcmp(names[i], names[i - 1])) continue;
        end = stpcpy(end, names[i]) + 1;
        kept++;
    }
    *block = text;
    *length = (size_t)(end - text);
    return kept;
}
