// SQLite, and the parts of its interface that Swift cannot call: macros and variadic functions.
#ifndef DANUBE_SQLITE_H
#define DANUBE_SQLITE_H

#include <sqlite3.h>

// SQLite copies what is bound, so it may go away at once. An empty value may have no address,
// which SQLite would take for NULL.
static inline int danube_sqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 length) {
    return sqlite3_bind_text64(
        statement, index, length ? text : "", length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int danube_sqlite_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 length) {
    return sqlite3_bind_blob64(statement, index, length ? bytes : "", length, SQLITE_TRANSIENT);
}

// Pages in the log, above which it is moved into the file. Whoever opens the file first reads the
// log once, so it is kept short.
enum { DANUBE_SQLITE_LOG_PAGES = 256 };

// The file may come from elsewhere: its schema runs nothing and cannot be edited with SQL. Whoever
// closes it last leaves the log as it is: moving it into the file costs several syncs, which every
// short command would pay.
static inline int danube_sqlite_configure(sqlite3 *database) {
    int result = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    if (result != SQLITE_OK) return result;
    result = sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
    if (result != SQLITE_OK) return result;
    sqlite3_wal_autocheckpoint(database, DANUBE_SQLITE_LOG_PAGES);
    return sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
}

#endif
