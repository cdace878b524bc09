// The module `_danube_channel`: what the evaluator's Python can ask of the process it lives in.
#include <errno.h>
#include <stdlib.h>

#include "bridge.h"

static PyObject *channel_send(PyObject *module, PyObject *arguments) {
    (void)module;
    const char *kind, *payload;
    Py_ssize_t kind_length, length;
    if (!PyArg_ParseTuple(arguments, "y#y#", &kind, &kind_length, &payload, &length)) return NULL;
    if (kind_length != 1) {
        PyErr_SetString(PyExc_ValueError, "the kind of a frame is one byte");
        return NULL;
    }
    int result;
    Py_BEGIN_ALLOW_THREADS
    result = danube_frame_send(kind[0], payload, (size_t)length);
    Py_END_ALLOW_THREADS
    if (result == 0) Py_RETURN_NONE;
    if (errno == EMSGSIZE) {
        PyErr_SetString(PyExc_ValueError, "the frame is too long");
        return NULL;
    }
    // Without a parent there is nobody left to evaluate for.
    _exit(DANUBE_EXIT_CHANNEL);
}

static PyObject *channel_receive(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    char kind, *payload;
    size_t length;
    int result;
    Py_BEGIN_ALLOW_THREADS
    result = danube_frame_receive(&kind, &payload, &length);
    Py_END_ALLOW_THREADS
    if (result != 0) _exit(DANUBE_EXIT_CHANNEL);
    PyObject *pair = Py_BuildValue("(y#y#)", &kind, (Py_ssize_t)1, payload, (Py_ssize_t)length);
    free(payload);
    return pair;
}

static PyObject *channel_load(PyObject *module, PyObject *name) {
    (void)module;
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL) return NULL;
    bool is_package;
    PyObject *code = danube_module_code(text, &is_package);
    if (code == NULL) {
        if (PyErr_Occurred()) return NULL;
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(NO)", code, is_package ? Py_True : Py_False);
}

static PyObject *channel_early(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < danube_early_count; i++) {
        const danube_source *source = &danube_sources[i];
        PyObject *code = danube_module_code_at(i), *entry = NULL;
        PyObject *is_package = source->is_package ? Py_True : Py_False;
        if (code != NULL) entry = Py_BuildValue("(sNO)", source->name, code, is_package);
        if (entry == NULL || PyList_Append(list, entry) != 0) Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    return list;
}

static PyObject *channel_audit(PyObject *module, PyObject *callback) {
    (void)module;
    if (danube_audit_install(callback) != 0) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"send", channel_send, METH_VARARGS, "send(kind: bytes, payload: bytes) -> None"},
    {"recv", channel_receive, METH_NOARGS, "recv() -> (kind: bytes, payload: bytes)"},
    {"load", channel_load, METH_O, "load(name: str) -> (code, is_package) | None"},
    {"early", channel_early, METH_NOARGS, "early() -> [(name, code, is_package), …]"},
    {"audit", channel_audit, METH_O, "audit(callback(event, arguments)) -> None"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_danube_channel", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyObject *danube_channel_module(void) { return PyModuleDef_Init(&definition); }
