// One request.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "danube_curl.h"
#include "library.h"

static size_t receive_head(char *line, size_t size, size_t count, void *context) {
    const struct danube_curl_receiver *receiver = context;
    receiver->head(receiver->context, line, size * count);
    return size * count;
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *context) {
    const struct danube_curl_receiver *receiver = context;
    // Any other number than what was given ends the transfer.
    return receiver->body(receiver->context, bytes, size * count) ? 0 : size * count;
}

static size_t send_body(char *bytes, size_t size, size_t count, void *context) {
    ssize_t done = read(*(const int *)context, bytes, size * count);
    return done < 0 ? CURL_READFUNC_ABORT : (size_t)done;
}

// A connection that had been closed meanwhile is made anew, and the body sent again.
static int seek_body(void *context, int64_t offset, int origin) {
    off_t place = lseek(*(const int *)context, offset, origin);
    return place < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static int look_for_stop(
    void *context, int64_t down_total, int64_t down, int64_t up_total, int64_t up) {
    (void)down_total, (void)down, (void)up_total, (void)up;
    return *(const volatile int *)context;
}

static enum danube_curl_end end_of(int code) {
    switch (code) {
        case CURLE_OK: return DANUBE_CURL_DONE;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT: return DANUBE_CURL_UNREACHABLE;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE: return DANUBE_CURL_UNTRUSTED;
        case CURLE_OPERATION_TIMEDOUT: return DANUBE_CURL_TIMED_OUT;
        case CURLE_ABORTED_BY_CALLBACK:
        case CURLE_WRITE_ERROR: return DANUBE_CURL_STOPPED;
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
        case CURLE_OUT_OF_MEMORY:
        case CURLE_UNKNOWN_OPTION: return DANUBE_CURL_REFUSED;
        default: return DANUBE_CURL_CUT;
    }
}

// Options are set until one fails. Numbers are `long` or, for large ones, `curl_off_t`.
#define SET(option, value)                                                                        \
    if (code == CURLE_OK) code = curl->curl_easy_setopt(handle, curl->option, value)

static int set_bounds(
    const struct danube_curl_library *curl, CURL *handle,
    const struct danube_curl_request *request) {
    int code = CURLE_OK;
    SET(CONNECTTIMEOUT_MS, request->connect_milliseconds);
    SET(TIMEOUT_MS, request->whole_milliseconds);
    SET(LOW_SPEED_LIMIT, request->stall_seconds ? 1L : 0L);
    SET(LOW_SPEED_TIME, request->stall_seconds);
    // A host that vanished is noticed, also while a stream says nothing.
    SET(TCP_KEEPALIVE, 1L);
    SET(TCP_KEEPIDLE, 30L);
    SET(TCP_KEEPINTVL, 10L);
    SET(NOSIGNAL, 1L);
    if (request->stop) {
        SET(NOPROGRESS, 0L);
        SET(XFERINFOFUNCTION, look_for_stop);
        SET(XFERINFODATA, request->stop);
    }
    return code;
}

static int set_trust(
    const struct danube_curl_library *curl, CURL *handle,
    const struct danube_curl_request *request) {
    enum { HTTP = 1 << 0, HTTPS = 1 << 1 };
    int code = CURLE_OK;
    SET(PROTOCOLS, (long)(HTTP | HTTPS));
    SET(FOLLOWLOCATION, 0L);
    SET(PATH_AS_IS, 1L);
    SET(SSL_VERIFYPEER, 1L);
    SET(SSL_VERIFYHOST, 2L);
    if (request->skips_proxy) SET(NOPROXY, "*");
    return code;
}

static int set_content(
    const struct danube_curl_library *curl, CURL *handle,
    const struct danube_curl_request *request, const int *file,
    const struct curl_slist *headers) {
    int code = CURLE_OK;
    SET(URL, request->url);
    SET(HTTPHEADER, headers);
    SET(USERAGENT, "danube");
    if (strcmp(request->method, "HEAD") == 0) {
        SET(NOBODY, 1L);
        return code;
    }
    if (request->body_path) {
        SET(UPLOAD, 1L);
        SET(INFILESIZE_LARGE, (int64_t)request->body_size);
        SET(READFUNCTION, send_body);
        SET(READDATA, file);
        SET(SEEKFUNCTION, seek_body);
        SET(SEEKDATA, file);
    } else if (request->body) {
        SET(POST, 1L);
        SET(POSTFIELDSIZE_LARGE, (int64_t)request->body_size);
        SET(POSTFIELDS, request->body);
    }
    SET(CUSTOMREQUEST, request->method);
    return code;
}

static enum danube_curl_end perform(
    const struct danube_curl_library *curl, CURL *handle,
    const struct danube_curl_request *request, const struct danube_curl_receiver *receiver,
    const int *file, const struct curl_slist *headers, char *problem, size_t capacity) {
    char words[CURL_ERROR_SIZE] = "";
    int code = set_content(curl, handle, request, file, headers);
    if (code == CURLE_OK) code = set_bounds(curl, handle, request);
    if (code == CURLE_OK) code = set_trust(curl, handle, request);
    SET(ERRORBUFFER, words);
    SET(HEADERFUNCTION, receive_head);
    SET(HEADERDATA, receiver);
    SET(WRITEFUNCTION, receive_body);
    SET(WRITEDATA, receiver);
    if (code == CURLE_OK) code = curl->curl_easy_perform(handle);
    if (code != CURLE_OK)
        snprintf(problem, capacity, "%s", *words ? words : curl->curl_easy_strerror(code));
    return end_of(code);
}

struct danube_curl_session {
    const struct danube_curl_library *curl;
    CURL *handle;
};

struct danube_curl_session *danube_curl_session_open(void) {
    const char *why;
    const struct danube_curl_library *curl = danube_curl_library(&why);
    struct danube_curl_session *session = curl ? malloc(sizeof *session) : NULL;
    if (!session) return NULL;
    *session = (struct danube_curl_session){curl, curl->curl_easy_init()};
    if (session->handle) return session;
    free(session);
    return NULL;
}

void danube_curl_session_close(struct danube_curl_session *session) {
    if (!session) return;
    session->curl->curl_easy_cleanup(session->handle);
    free(session);
}

static enum danube_curl_end perform_with_headers(
    const struct danube_curl_library *curl, CURL *handle,
    const struct danube_curl_request *request, const struct danube_curl_receiver *receiver,
    char *problem, size_t capacity) {
    enum danube_curl_end end = DANUBE_CURL_REFUSED;
    int file = -1;
    if (request->body_path) {
        file = open(request->body_path, O_RDONLY | O_CLOEXEC);
        snprintf(problem, capacity, "the file to send cannot be opened");
        if (file < 0) return end;
    }
    snprintf(problem, capacity, "out of memory");
    struct curl_slist *headers = NULL;
    const char *const *next = request->headers;
    for (; *next; next++) {
        struct curl_slist *longer = curl->curl_slist_append(headers, *next);
        if (!longer) break;
        headers = longer;
    }
    if (!*next) end = perform(curl, handle, request, receiver, &file, headers, problem, capacity);
    curl->curl_slist_free_all(headers);
    if (file >= 0) close(file);
    return end;
}

enum danube_curl_end danube_curl_perform(
    const struct danube_curl_request *request, const struct danube_curl_receiver *receiver,
    char *problem, size_t capacity) {
    const char *why;
    const struct danube_curl_library *curl = danube_curl_library(&why);
    if (!curl) {
        snprintf(problem, capacity, "%s", why);
        return DANUBE_CURL_UNAVAILABLE;
    }
    CURL *handle = request->session ? request->session->handle : curl->curl_easy_init();
    snprintf(problem, capacity, "out of memory");
    if (!handle) return DANUBE_CURL_REFUSED;
    enum danube_curl_end end =
        perform_with_headers(curl, handle, request, receiver, problem, capacity);
    if (request->session) {
        // Connections stay; what it was told, and pointed to, does not.
        curl->curl_easy_reset(handle);
    } else {
        curl->curl_easy_cleanup(handle);
    }
    return end;
}
