// Loading libcurl: a program that speaks to no master never pays for it.
#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static struct danube_curl_library functions;
static const struct danube_curl_library *loaded;
static char load_problem[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int find_functions(void *library) {
#define DANUBE_CURL_FIND(result, function, parameters)                                            \
    *(void **)&functions.function = dlsym(library, #function);                                    \
    if (!functions.function) {                                                                    \
        snprintf(load_problem, sizeof load_problem, "libcurl has no %s", #function);              \
        return -1;                                                                                \
    }
    DANUBE_CURL_FUNCTIONS(DANUBE_CURL_FIND)
#undef DANUBE_CURL_FIND
    return 0;
}

static int find_options(void) {
    const struct curl_easyoption *found;
#define DANUBE_CURL_FIND(option)                                                                  \
    found = functions.curl_easy_option_by_name(#option);                                          \
    if (!found) {                                                                                 \
        snprintf(load_problem, sizeof load_problem, "libcurl has no option %s", #option);         \
        return -1;                                                                                \
    }                                                                                             \
    functions.option = found->id;
    DANUBE_CURL_OPTIONS(DANUBE_CURL_FIND)
#undef DANUBE_CURL_FIND
    return 0;
}

static void load(void) {
    // The flavour that uses GnuTLS has the same functions.
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    void *library = NULL;
    for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(load_problem, sizeof load_problem, "libcurl is not installed");
        return;
    }
    if (find_functions(library) < 0 || find_options() < 0) return;
    if (functions.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(load_problem, sizeof load_problem, "libcurl could not be initialised");
        return;
    }
    loaded = &functions;
}

const struct danube_curl_library *danube_curl_library(const char **problem) {
    pthread_once(&once, load);
    if (!loaded) *problem = load_problem;
    return loaded;
}
