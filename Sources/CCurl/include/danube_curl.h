// Requests over HTTP through libcurl, which is loaded when the first one is made.
//
// Only http and https are spoken, certificates are checked, no redirect is followed, and no file
// of the user (.netrc, .curlrc) is read.
#ifndef DANUBE_CURL_H
#define DANUBE_CURL_H

#include <stddef.h>

// How a transfer ended.
enum danube_curl_end {
    DANUBE_CURL_DONE = 0,
    // The library is not installed, or cannot be used.
    DANUBE_CURL_UNAVAILABLE,
    // No host of that name, or nobody listens there.
    DANUBE_CURL_UNREACHABLE,
    // The certificate is not trusted, or TLS failed otherwise.
    DANUBE_CURL_UNTRUSTED,
    DANUBE_CURL_TIMED_OUT,
    // The receiver of the body asked to stop.
    DANUBE_CURL_STOPPED,
    // The connection ended too early, or what came was not HTTP.
    DANUBE_CURL_CUT,
    // The request cannot be made: a malformed address, no memory.
    DANUBE_CURL_REFUSED,
};

// Connections that stay open for the next request. One thread at a time may use it.
struct danube_curl_session;

struct danube_curl_request {
    // "HEAD" receives no body, whatever its head says.
    const char *method;
    const char *url;
    // "Name: value", ended by NULL.
    const char *const *headers;
    // NULL: the request has none.
    const void *body;
    size_t body_size;
    // A file whose `body_size` bytes are the body, in place of `body`; NULL: none.
    const char *body_path;
    long connect_milliseconds;
    // The transfer ends when less than a byte a second came for so long; 0: never.
    long stall_seconds;
    // Bound on the whole of it; 0: none.
    long whole_milliseconds;
    // Whether variables that name a proxy are ignored.
    int skips_proxy;
    // What the request may use, and leaves to the next; NULL: nothing.
    struct danube_curl_session *session;
    // The transfer ends within a second when this is not 0 any more; NULL: never.
    const volatile int *stop;
};

struct danube_curl_receiver {
    void *context;
    // A line of the head: a status line or a field, with its line end.
    void (*head)(void *context, const char *line, size_t size);
    // A piece of the body. Anything but 0 ends the transfer.
    int (*body)(void *context, const char *bytes, size_t size);
};

// NULL when there is no library, or no memory; requests then do without.
struct danube_curl_session *danube_curl_session_open(void);
void danube_curl_session_close(struct danube_curl_session *session);

// Makes one request and waits for its end; `problem` is a sentence when it is not DONE.
enum danube_curl_end danube_curl_perform(
    const struct danube_curl_request *request, const struct danube_curl_receiver *receiver,
    char *problem, size_t capacity);

#endif
