// The SDK and the evaluator, whose sources are part of this program, and their compiled
// forms, which
// are kept beside it so that a start need not compile.
//
// The file: magic, the interpreter's version, a digest of all sources, the number of modules;
// then for each, in the order of `danube_sources`, offset and length; then the marshalled code.
#define _GNU_SOURCE
#include "bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <marshal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded.inc"

typedef struct {
    char magic[8];
    uint64_t digest;
    uint32_t interpreter;
    uint32_t count;
} file_header;

typedef struct {
    uint32_t offset, length;
} file_entry;

static const char file_magic[] = "DNBPYC1\n";
static const char *file;
static size_t file_length;

// Four interleaved lanes of FNV-1a over words: a change detector, and quick.
static uint64_t digest_of_sources(void) {
    const uint64_t prime = 0x100000001b3;
    uint64_t lanes[4] = {0xcbf29ce484222325, 1, 2, 3};
    for (size_t i = 0; i < danube_source_count; i++) {
        const danube_source *source = &danube_sources[i];
        size_t at = 0;
        for (; at + 32 <= source->length; at += 32)
            for (int lane = 0; lane < 4; lane++) {
                uint64_t word;
                memcpy(&word, source->text + at + 8 * lane, 8);
                lanes[lane] = (lanes[lane] ^ word) * prime;
            }
        for (; at < source->length; at++) lanes[0] = (lanes[0] ^ source->text[at]) * prime;
        for (const char *c = source->name; *c != 0; c++)
            lanes[1] = (lanes[1] ^ (uint8_t)*c) * prime;
        lanes[2] = (lanes[2] ^ source->length) * prime;
    }
    // The top bits hold the mixing of a product; fold them down between the lanes.
    uint64_t digest = 0;
    for (int lane = 0; lane < 4; lane++)
        digest = (digest ^ lanes[lane] ^ lanes[lane] >> 29) * prime;
    return digest ^ (uint64_t)PY_VERSION_HEX;
}

static bool is_valid(const char *bytes, size_t length) {
    const file_header *header = (const file_header *)bytes;
    if (length < sizeof *header || memcmp(header->magic, file_magic, 8) != 0) return false;
    if (header->interpreter != (uint32_t)Py_Version) return false;
    if (header->count != danube_source_count || header->digest != digest_of_sources()) return false;
    size_t first = sizeof *header + header->count * sizeof(file_entry);
    if (length < first) return false;
    const file_entry *entries = (const file_entry *)(bytes + sizeof *header);
    for (size_t i = 0; i < header->count; i++) {
        if (entries[i].offset < first || entries[i].offset > length) return false;
        if (entries[i].length > length - entries[i].offset) return false;
    }
    return true;
}

// Who could have written the file could have written the program: nobody else may.
static bool is_ours(int descriptor, const char *executable, struct stat *found) {
    struct stat program;
    if (fstat(descriptor, found) != 0 || stat(executable, &program) != 0) return false;
    return S_ISREG(found->st_mode) && found->st_uid == program.st_uid
        && (found->st_mode & (S_IWGRP | S_IWOTH)) == 0 && found->st_size < 64 << 20;
}

void danube_modules_open(const char *executable) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s.pyc", executable) >= (int)sizeof path) return;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return;
    struct stat found;
    if (is_ours(descriptor, executable, &found) && found.st_size > 0) {
        size_t length = (size_t)found.st_size;
        int flags = MAP_PRIVATE | MAP_POPULATE;
        char *bytes = mmap(NULL, length, PROT_READ, flags, descriptor, 0);
        if (bytes != MAP_FAILED) {
            if (is_valid(bytes, length)) {
                file = bytes;
                file_length = length;
            } else {
                munmap(bytes, length);
            }
        }
    }
    close(descriptor);
}

bool danube_modules_are_compiled(void) { return file != NULL; }

static PyObject *compile_source(const danube_source *source) {
    char path[256];
    snprintf(path, sizeof path, "<danube>/%s", source->path);
    // Without docstrings: they are for editors.
    return Py_CompileStringExFlags((const char *)source->text, path, Py_file_input, NULL, 2);
}

PyObject *danube_module_code_at(size_t index) {
    if (file == NULL) return compile_source(&danube_sources[index]);
    const file_entry *entry = (const file_entry *)(file + sizeof(file_header)) + index;
    return PyMarshal_ReadObjectFromString(file + entry->offset, entry->length);
}

PyObject *danube_module_code(const char *name, bool *is_package) {
    for (size_t i = 0; i < danube_source_count; i++) {
        if (strcmp(danube_sources[i].name, name) != 0) continue;
        *is_package = danube_sources[i].is_package;
        return danube_module_code_at(i);
    }
    return NULL;
}

bool danube_modules_can_save(const char *executable) {
    char folder[4096];
    if (snprintf(folder, sizeof folder, "%s", executable) >= (int)sizeof folder) return false;
    char *slash = strrchr(folder, '/');
    if (slash == NULL) return false;
    *slash = 0;
    return access(folder[0] == 0 ? "/" : folder, W_OK) == 0;
}

static int write_whole(const char *executable, const char *bytes, size_t length) {
    char path[4096], temporary[4096];
    if (snprintf(path, sizeof path, "%s.pyc", executable) >= (int)sizeof path) return ENAMETOOLONG;
    if (snprintf(temporary, sizeof temporary, "%s.%d.%ld", path, (int)getpid(), random())
        >= (int)sizeof temporary)
        return ENAMETOOLONG;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int descriptor = open(temporary, flags, 0644);
    if (descriptor < 0) return errno;
    int error = 0;
    while (length > 0 && error == 0) {
        ssize_t n = write(descriptor, bytes, length);
        if (n > 0) bytes += n, length -= (size_t)n;
        else if (n == 0 || errno != EINTR) error = n == 0 ? EIO : errno;
    }
    if (close(descriptor) != 0 && error == 0) error = errno;
    if (error == 0 && rename(temporary, path) != 0) error = errno;
    if (error != 0) unlink(temporary);
    return error;
}

// Appends one module's code to the growing bytes. Returns 0 or -1.
static int append(PyObject *bytes, const danube_source *source, file_entry *entry) {
    PyObject *code = compile_source(source);
    if (code == NULL) return -1;
    PyObject *marshalled = PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
    Py_DECREF(code);
    if (marshalled == NULL) return -1;
    Py_ssize_t before = PyByteArray_GET_SIZE(bytes), length = PyBytes_GET_SIZE(marshalled);
    int result = PyByteArray_Resize(bytes, before + length);
    if (result == 0) {
        memcpy(PyByteArray_AS_STRING(bytes) + before, PyBytes_AS_STRING(marshalled), length);
        *entry = (file_entry){(uint32_t)before, (uint32_t)length};
    }
    Py_DECREF(marshalled);
    return result;
}

int danube_modules_save(const char *executable) {
    file_header header = {
        .digest = digest_of_sources(), .interpreter = (uint32_t)Py_Version,
        .count = (uint32_t)danube_source_count,
    };
    memcpy(header.magic, file_magic, 8);
    size_t entries_size = danube_source_count * sizeof(file_entry);
    file_entry *entries = calloc(danube_source_count, sizeof *entries);
    PyObject *bytes = PyByteArray_FromStringAndSize(NULL, sizeof header + entries_size);
    int error = entries == NULL || bytes == NULL ? ENOMEM : 0;
    for (size_t i = 0; error == 0 && i < danube_source_count; i++)
        if (append(bytes, &danube_sources[i], &entries[i]) != 0) error = EINVAL;
    if (error == 0) {
        char *start = PyByteArray_AS_STRING(bytes);
        memcpy(start, &header, sizeof header);
        memcpy(start + sizeof header, entries, entries_size);
        error = write_whole(executable, start, (size_t)PyByteArray_GET_SIZE(bytes));
    }
    PyErr_Clear();
    Py_XDECREF(bytes);
    free(entries);
    return error;
}
