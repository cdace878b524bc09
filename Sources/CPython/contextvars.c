// `_contextvars`: its types are in the library, but distributions build the module that names them
// as a file of its own, which cannot be loaded once the process is sealed. `decimal` needs it.
#include "bridge.h"

static PyObject *copy_context(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyContext_CopyCurrent();
}

static int fill(PyObject *module) {
    if (PyModule_AddType(module, &PyContext_Type) < 0) return -1;
    if (PyModule_AddType(module, &PyContextVar_Type) < 0) return -1;
    return PyModule_AddType(module, &PyContextToken_Type);
}

static PyMethodDef methods[] = {
    {"copy_context", copy_context, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_contextvars", NULL, 0, methods, slots, NULL, NULL, NULL,
};

PyObject *danube_contextvars_module(void) { return PyModuleDef_Init(&definition); }
