#ifndef DANUBE_CURL_LIBRARY_H
#define DANUBE_CURL_LIBRARY_H

#include <stddef.h>

// The part of libcurl's interface that is used, declared here: its numbers and layouts have never
// changed, so that building needs no header of it. Options are looked up by name when it is loaded.

typedef struct CURL CURL;

struct curl_slist {
    char *data;
    struct curl_slist *next;
};

struct curl_easyoption {
    const char *name;
    int id;
    int type;
    unsigned flags;
};

// Results that are told apart (`CURLcode`).
enum {
    CURLE_OK = 0,
    CURLE_UNSUPPORTED_PROTOCOL = 1,
    CURLE_URL_MALFORMAT = 3,
    CURLE_COULDNT_RESOLVE_PROXY = 5,
    CURLE_COULDNT_RESOLVE_HOST = 6,
    CURLE_COULDNT_CONNECT = 7,
    CURLE_WRITE_ERROR = 23,
    CURLE_OUT_OF_MEMORY = 27,
    CURLE_OPERATION_TIMEDOUT = 28,
    CURLE_SSL_CONNECT_ERROR = 35,
    CURLE_ABORTED_BY_CALLBACK = 42,
    CURLE_UNKNOWN_OPTION = 48,
    CURLE_PEER_FAILED_VERIFICATION = 60,
    CURLE_SSL_CACERT_BADFILE = 77,
};

enum { CURL_GLOBAL_DEFAULT = 3, CURL_ERROR_SIZE = 256 };

// Results of functions that are called back.
enum { CURL_SEEKFUNC_OK = 0, CURL_SEEKFUNC_FAIL = 1 };
#define CURL_READFUNC_ABORT ((size_t)0x10000000)

#define DANUBE_CURL_FUNCTIONS(X)                                                                  \
    X(int, curl_global_init, (long flags))                                                        \
    X(CURL *, curl_easy_init, (void))                                                             \
    X(void, curl_easy_cleanup, (CURL *))                                                          \
    X(void, curl_easy_reset, (CURL *))                                                            \
    X(int, curl_easy_setopt, (CURL *, int option, ...))                                           \
    X(int, curl_easy_perform, (CURL *))                                                           \
    X(const char *, curl_easy_strerror, (int))                                                    \
    X(const struct curl_easyoption *, curl_easy_option_by_name, (const char *))                   \
    X(struct curl_slist *, curl_slist_append, (struct curl_slist *, const char *))                \
    X(void, curl_slist_free_all, (struct curl_slist *))

// Options that every version since 7.73 has.
#define DANUBE_CURL_OPTIONS(X)                                                                    \
    X(URL) X(CUSTOMREQUEST) X(HTTPHEADER) X(USERAGENT) X(POST) X(POSTFIELDS)                      \
    X(POSTFIELDSIZE_LARGE) X(WRITEFUNCTION) X(WRITEDATA) X(HEADERFUNCTION) X(HEADERDATA)          \
    X(ERRORBUFFER) X(NOSIGNAL) X(FOLLOWLOCATION) X(PATH_AS_IS) X(CONNECTTIMEOUT_MS) X(TIMEOUT_MS) \
    X(LOW_SPEED_LIMIT) X(LOW_SPEED_TIME) X(TCP_KEEPALIVE) X(TCP_KEEPIDLE) X(TCP_KEEPINTVL)        \
    X(SSL_VERIFYPEER) X(SSL_VERIFYHOST) X(NOPROXY) X(PROTOCOLS) X(NOBODY) X(UPLOAD)               \
    X(INFILESIZE_LARGE) X(READFUNCTION) X(READDATA) X(SEEKFUNCTION) X(SEEKDATA) X(NOPROGRESS)     \
    X(XFERINFOFUNCTION) X(XFERINFODATA)

struct danube_curl_library {
#define DANUBE_CURL_POINTER(result, function, parameters) result(*function) parameters;
    DANUBE_CURL_FUNCTIONS(DANUBE_CURL_POINTER)
#undef DANUBE_CURL_POINTER
#define DANUBE_CURL_ID(option) int option;
    DANUBE_CURL_OPTIONS(DANUBE_CURL_ID)
#undef DANUBE_CURL_ID
};

// Loads libcurl once. NULL when there is none that can be used; `problem` then says why.
const struct danube_curl_library *danube_curl_library(const char **problem);

#endif
