import GRDB
import Glibc
import Testing

import struct Executor.Timestamp

@testable import Master

/// A data folder for one test, removed with everything in it when the test is over.
final class DatabaseScratch: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/danube-database-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// The file of the database.
    var file: String { "\(path)/\(MasterDatabase.fileName)" }

    /// Opens the database.
    func open(
        _ change: (inout MasterDatabase.Options) -> Void = { _ in }
    ) throws -> MasterDatabase {
        var options = MasterDatabase.Options()
        change(&options)
        return try MasterDatabase(folder: path, options: options)
    }

    /// Runs SQL on a connection of its own, as another program would.
    func raw<Value>(_ body: (GRDB.Database) throws -> Value) throws -> Value {
        let queue = try DatabaseQueue(path: file)
        defer { try? queue.close() }
        return try queue.inDatabase(body)
    }

    /// Names in the folder, sorted.
    func names() -> [String] { Self.list(path).sorted() }

    /// The bytes of a file; none when it is not there.
    func bytes(_ name: String) -> [UInt8] {
        guard let stream = fopen("\(path)/\(name)", "r") else { return [] }
        defer { fclose(stream) }
        var found: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let got = fread(&chunk, 1, chunk.count, stream), got > 0 {
            found += chunk[..<got]
        }
        return found
    }

    /// Writes a file.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        let stream = try #require(fopen("\(path)/\(name)", "w"))
        defer { fclose(stream) }
        try #require(fwrite(bytes, 1, bytes.count, stream) == bytes.count)
    }

    static func list(_ folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { found.append(name) }
        }
        return found
    }

    /// Removes a folder with everything in it.
    static func remove(_ path: String) {
        if Glibc.remove(path) == 0 || errno != ENOTEMPTY { return }
        for name in list(path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}

/// A process that a test started, ended with it by its own id.
final class ForeignProcess {
    private var pid: pid_t = 0
    private var output: Int32 = -1

    init(_ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        output = ends[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var argv = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = [nil]
        defer { for text in argv { free(text) } }
        let error = posix_spawn(&pid, arguments[0], &actions, nil, &argv, &envp)
        close(ends[1])
        try #require(error == 0)
    }

    /// Waits for a byte of what it prints; `nil` when it has ended.
    func readByte() -> UInt8? {
        var byte: UInt8 = 0
        return read(output, &byte, 1) == 1 ? byte : nil
    }

    /// Waits for its end and gives its exit code.
    func wait() -> Int32 {
        guard pid > 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        pid = 0
        close(output)
        return status >> 8 & 0xff
    }

    deinit {
        guard pid > 0 else { return }
        kill(pid, SIGKILL)
        _ = wait()
    }
}

extension NewJob {
    /// A job of a pipeline, for tests.
    static func example(_ pipeline: String = "build") -> NewJob {
        NewJob(pipeline: pipeline, repository: "https://example.org/app.git")
    }
}

/// A point of time, in milliseconds since 1970.
func milliseconds(_ number: Int64) -> Timestamp { Timestamp(microseconds: number * 1000) }
