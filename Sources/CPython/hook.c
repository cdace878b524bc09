// Audit events, for determinism and for better messages only: containment never rests on them.
//
// The hook is in C because Python raises events all the time (a frame looked at, code compiled):
// those must cost nothing. Only the events below go on to Python.
#include <string.h>

#include "bridge.h"

static PyObject *refuse;

static const char *const refused[] = {
    "ctypes.", "fcntl.", "ftplib.", "http.client.", "imaplib.", "mmap.__new__",
    "nntplib.", "os.chflags", "os.chmod", "os.chown", "os.exec", "os.fork", "os.forkpty",
    "os.getxattr", "os.kill", "os.killpg", "os.link", "os.listxattr", "os.lockf", "os.mkdir",
    "os.posix_spawn", "os.putenv", "os.remove", "os.removexattr", "os.rename", "os.rmdir",
    "os.setxattr", "os.spawn", "os.startfile", "os.symlink", "os.system", "os.truncate",
    "os.unsetenv", "os.utime", "poplib.", "pty.spawn", "resource.", "signal.pthread_kill",
    "smtplib.", "socket.", "sqlite3.", "subprocess.Popen", "syslog.", "telnetlib.", "time.sleep",
    "urllib.Request", NULL,
};

static int hook(const char *event, PyObject *arguments, void *data) {
    (void)data;
    if (refuse == NULL || strchr("cfghimnoprstu", event[0]) == NULL) return 0;
    for (const char *const *prefix = refused; *prefix != NULL; prefix++) {
        if (**prefix != event[0] || strncmp(event, *prefix, strlen(*prefix)) != 0) continue;
        PyObject *result = PyObject_CallFunction(refuse, "sO", event, arguments);
        if (result == NULL) return -1;
        Py_DECREF(result);
        return 0;
    }
    return 0;
}

int danube_audit_install(PyObject *callback) {
    if (refuse != NULL) return 0;
    if (PySys_AddAuditHook(hook, NULL) != 0) return -1;
    Py_INCREF(callback);
    refuse = callback;
    return 0;
}
