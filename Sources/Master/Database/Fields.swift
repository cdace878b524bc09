internal import CSQLite
internal import FoundationEssentials
internal import GRDB

internal import struct Executor.JobID
internal import struct Executor.Timestamp
internal import struct PipelineIR.Digest

/// Reads the columns of a row from left to right. A file may be damaged or written by something
/// else, so a column that is not what it should be is an error.
struct Fields {
    private enum Source {
        case row(Row)
        case statement(OpaquePointer)
    }

    private enum Value {
        case null
        case integer(Int64)
        case text(String)
        case bytes([UInt8])
        case other
    }

    private let source: Source
    private let table: String
    private var column = 0

    init(_ row: Row, of table: String) {
        source = .row(row)
        self.table = table
    }

    /// The row that a statement has come to, read from SQLite itself: for lists, which have
    /// thousands of fields. It is gone with the next row.
    init(_ statement: Statement, of table: String) {
        source = .statement(statement.sqliteStatement)
        self.table = table
    }

    mutating func optionalText() throws -> String? {
        switch try next() {
        case .null: nil
        case .text(let text): text
        default: throw wrong("text")
        }
    }

    mutating func optionalInteger() throws -> Int64? {
        switch try next() {
        case .null: nil
        case .integer(let number): number
        default: throw wrong("a whole number")
        }
    }

    mutating func optionalBytes() throws -> [UInt8]? {
        switch try next() {
        case .null: nil
        case .bytes(let bytes): bytes
        default: throw wrong("bytes")
        }
    }

    mutating func text() throws -> String { try present(optionalText(), "text") }

    mutating func integer() throws -> Int64 { try present(optionalInteger(), "a whole number") }

    mutating func bytes() throws -> [UInt8] { try present(optionalBytes(), "bytes") }

    mutating func int() throws -> Int { Int(try integer()) }

    mutating func optionalInt() throws -> Int? { try optionalInteger().map { Int($0) } }

    mutating func time() throws -> Timestamp { Timestamp(sinceEpoch: try integer()) }

    mutating func optionalTime() throws -> Timestamp? {
        try optionalInteger().map { Timestamp(sinceEpoch: $0) }
    }

    mutating func optionalDigest() throws -> Digest? {
        guard let bytes = try optionalBytes() else { return nil }
        return try present(Digest(bytes: bytes), "a digest")
    }

    mutating func digest() throws -> Digest { try present(optionalDigest(), "a digest") }

    mutating func job() throws -> JobID { try present(JobID(text()), "a job") }

    mutating func optionalJob() throws -> JobID? {
        guard let text = try optionalText() else { return nil }
        return try present(JobID(text), "a job")
    }

    /// A word of a closed set.
    mutating func word<Word: RawRepresentable<String>>(_ type: Word.Type = Word.self) throws -> Word
    {
        try present(Word(rawValue: text()), "a \(type)")
    }

    /// A word of a closed set, or NULL.
    mutating func optionalWord<Word: RawRepresentable<String>>(
        _ type: Word.Type = Word.self
    ) throws -> Word? {
        guard let text = try optionalText() else { return nil }
        return try present(Word(rawValue: text), "a \(type)")
    }

    private mutating func next() throws -> Value {
        defer { column += 1 }
        switch source {
        case .statement(let statement):
            guard column < sqlite3_data_count(statement) else { throw wrong("a column") }
            return Self.value(of: statement, Int32(column))
        case .row(let row):
            guard column < row.count else { throw wrong("a column") }
            let value: DatabaseValue = row[column]
            switch value.storage {
            case .null: return .null
            case .int64(let number): return .integer(number)
            case .string(let text): return .text(text)
            case .blob(let data): return .bytes([UInt8](data))
            case .double: return .other
            }
        }
    }

    private static func value(of statement: OpaquePointer, _ column: Int32) -> Value {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL: return .null
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        case SQLITE_TEXT:
            let start = sqlite3_column_text(statement, column)
            let count = start == nil ? 0 : Int(sqlite3_column_bytes(statement, column))
            let bytes = UnsafeBufferPointer(start: start, count: count)
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(statement, column)
            let count = start == nil ? 0 : Int(sqlite3_column_bytes(statement, column))
            return .bytes([UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        default: return .other
        }
    }

    private func present<Value>(_ value: Value?, _ what: String) throws -> Value {
        guard let value else { throw wrong(what) }
        return value
    }

    private func wrong(_ what: String) -> MasterDatabaseError {
        let first =
            switch source {
            case .row(let row): row.count > 0 ? "\(row[0] as DatabaseValue)" : "NULL"
            case .statement(let statement):
                sqlite3_column_text(statement, 0).map { String(cString: $0) } ?? "NULL"
            }
        return .badRow(
            table: table, row: first, reason: "column \(column) should be \(what)")
    }
}

extension Timestamp {
    /// A point by its milliseconds since 1970, as the database has them.
    init(sinceEpoch milliseconds: Int64) {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
        self.init(microseconds: overflow ? (milliseconds < 0 ? .min : .max) : product)
    }

    /// Whole milliseconds since 1970.
    var sinceEpoch: Int64 {
        microseconds / 1000 - (microseconds % 1000 < 0 ? 1 : 0)
    }
}

extension Digest {
    /// The bytes as they are bound to a statement.
    var blob: Data { Data(bytes) }
}
