import Glibc
import Testing

@testable import Executor

@Suite("database")
struct HistoryDatabaseTests {
    let scratch = HistoryScratch()
    let table = "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c BLOB, d REAL) STRICT;"
    var path: String { scratch.file("x.db") }

    @Test("values come back as they were bound")
    func values() throws {
        let database = try Database(path: path, migrations: [table])
        let text = "ü\0\"'"
        try database.run(
            "INSERT INTO t VALUES(?,?,?,?)", 1, .text(text), .blob([0, 255]), .real(0.5))
        try database.run("INSERT INTO t VALUES(?,?,?,?)", 2, "", .blob([]), nil)
        try database.run("INSERT INTO t VALUES(?,?,?,?)", .integer(.min), nil, nil, nil)
        let rows = try database.rows("SELECT a,b,c,d FROM t ORDER BY a") { row in
            "\(row.int(0)) \(row.optionalText(1) ?? "nil") \(row.optionalBlob(2) ?? [9]) "
                + "\(row.isNull(3) ? "nil" : "\(row.real(3))")"
        }
        #expect(
            rows == ["\(Int.min) nil [9] nil", "1 \(text) [0, 255] 0.5", "2  [] nil"])
    }

    @Test("a transaction that throws leaves nothing")
    func rollback() throws {
        let database = try Database(path: path, migrations: [table])
        #expect(throws: DatabaseError.self) {
            try database.transaction { () throws(DatabaseError) in
                try database.run("INSERT INTO t(a) VALUES(?)", 1)
                try database.run("INSERT INTO t(a) VALUES(?)", 1)
            }
        }
        #expect(try database.first("SELECT count(*) FROM t") { $0.int(0) } == 0)
        try database.run("INSERT INTO t(a) VALUES(?)", 1)
        #expect(database.changedRows == 1)
    }

    @Test("the log is write-ahead, and a commit is synced")
    func durable() throws {
        let database = try Database(path: path, migrations: [table])
        #expect(try database.first("PRAGMA synchronous") { $0.int(0) } == 2)
        #expect(try database.first("PRAGMA journal_mode") { $0.text(0) } == "wal")
        #expect(try database.first("PRAGMA foreign_keys") { $0.int(0) } == 1)
    }

    @Test("a file is brought forward, and one from the future is refused")
    func migrations() throws {
        _ = try Database(path: path, migrations: [table])
        let second = "ALTER TABLE t ADD COLUMN e INTEGER;"
        let later = try Database(path: path, migrations: [table, second])
        #expect(try later.version() == 2)
        try later.run("INSERT INTO t(a,e) VALUES(?,?)", 1, 2)
        for mode in [Database.Mode.readWrite, .readOnly] {
            #expect(throws: DatabaseError.newer(path: path, found: 2, known: 1)) {
                try Database(path: path, mode: mode, migrations: [table])
            }
        }
    }

    @Test("a migration that fails changes nothing")
    func failedMigration() throws {
        #expect(throws: DatabaseError.self) {
            try Database(path: path, migrations: [table, "CREATE TABLE u(a INTEGER); nonsense"])
        }
        let database = try Database(path: path, migrations: [table])
        #expect(try database.version() == 1)
        #expect(
            try database.first("SELECT name FROM sqlite_master WHERE name='u'") { _ in 1 } == nil)
    }

    @Test("a file that is no database is called damaged")
    func noDatabase() {
        scratch.write("x.db", Array(repeating: 65, count: 5000))
        let error = #expect(throws: DatabaseError.self) {
            try Database(path: path, migrations: [table])
        }
        guard case .corrupt(let named, _) = error else {
            Issue.record("not damaged but \(String(describing: error))")
            return
        }
        #expect(named == path)
    }

    @Test("a missing folder and a missing file are named")
    func missing() {
        for (path, mode) in [
            (scratch.file("none/x.db"), Database.Mode.readWrite), (path, .readOnly),
        ] {
            let error = #expect(throws: DatabaseError.self) {
                try Database(path: path, mode: mode, migrations: [table])
            }
            #expect(
                error == .cannotOpen(path: path, reason: "unable to open database file"))
        }
    }

    @Test("a lock held by another connection is waited for, then reported")
    func busy() throws {
        let one = try Database(path: path, migrations: [table])
        let other = try Database(path: path, migrations: [table], waitMilliseconds: 1)
        try one.transaction { () throws(DatabaseError) in
            try one.run("INSERT INTO t(a) VALUES(1)")
            #expect(throws: DatabaseError.busy(path: path)) {
                try other.run("INSERT INTO t(a) VALUES(2)")
            }
            // Readers see the state before, and wait for nobody.
            #expect(try other.first("SELECT count(*) FROM t") { $0.int(0) } == 0)
        }
        try other.run("INSERT INTO t(a) VALUES(2)")
        #expect(try one.first("SELECT count(*) FROM t") { $0.int(0) } == 2)
    }

    @Test("wrong SQL and wrong counts of values are errors, not crashes")
    func misuse() throws {
        let database = try Database(path: path, migrations: [table])
        for sql in ["SELEC", "", "INSERT INTO t(a) VALUES(?,?)", "INSERT INTO t(a) VALUES(?)"] {
            #expect(throws: DatabaseError.self) { try database.run(sql) }
        }
        #expect(throws: DatabaseError.self) {
            try database.run("INSERT INTO t(a) VALUES(?)", "no number")
        }
    }

    @Test(
        "what stands in the log alone is there when it is opened again, and a long log is emptied")
    func log() throws {
        func size() -> Int { scratch.read("x.db-wal").count }
        do {
            let database = try Database(path: path, migrations: [table])
            try database.run("INSERT INTO t(a) VALUES(1)")
            try database.trimLog()
        }
        #expect((1...Database.mostLogBytes).contains(size()))
        let database = try Database(path: path, migrations: [table])
        #expect(try database.first("SELECT count(*) FROM t") { $0.int(0) } == 1)
        let blob = [UInt8](repeating: 1, count: Database.mostLogBytes)
        try database.run("INSERT INTO t(c) VALUES(?)", .blob(blob))
        #expect(size() > Database.mostLogBytes)
        // A reader keeps it, and is not waited for.
        let reader = try Database(path: path, mode: .readOnly, migrations: [table])
        try reader.statement("SELECT a FROM t").forEach([]) { _ throws(DatabaseError) in
            try database.trimLog()
            return false
        }
        try database.trimLog()
        #expect(size() == 0)
        #expect(try reader.first("SELECT count(*) FROM t") { $0.int(0) } == 2)
    }

    @Test("a new file may be opened by many at once")
    func openedTogether() async throws {
        for round in 0..<10 {
            let path = scratch.file("\(round).db")
            let script = table
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let database = try Database(path: path, migrations: [script])
                        try database.run("INSERT INTO t(a) VALUES(?)", .init(number))
                    }
                }
                try await group.waitForAll()
            }
            let database = try Database(path: path, migrations: [script])
            #expect(try database.first("SELECT count(*) FROM t") { $0.int(0) } == 8)
        }
    }

    @Test("a full disk is called by its name")
    func full() throws {
        let database = try Database(path: path, migrations: [table])
        try database.execute("PRAGMA max_page_count=8")
        #expect(throws: DatabaseError.full(path: path)) {
            try database.run(
                "INSERT INTO t(c) VALUES(?)", .blob([UInt8](repeating: 1, count: 99_999)))
        }
        try database.run("INSERT INTO t(a) VALUES(1)")
    }
}
