internal import CSQLite

extension Database {
    /// A value that is bound to a `?` of a statement.
    package enum Value: Sendable, Equatable, ExpressibleByStringLiteral,
        ExpressibleByIntegerLiteral, ExpressibleByNilLiteral
    {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
        case blob([UInt8])

        /// A text.
        package init(stringLiteral text: String) { self = .text(text) }
        /// A whole number.
        package init(integerLiteral number: Int64) { self = .integer(number) }
        /// NULL.
        package init(nilLiteral: ()) { self = .null }
        /// A whole number, or NULL.
        package init(_ number: (some BinaryInteger)?) {
            self = number.map { .integer(Int64(clamping: $0)) } ?? .null
        }
        /// A text, or NULL.
        package init(_ text: String?) { self = text.map { .text($0) } ?? .null }
        /// Bytes, or NULL.
        package init(_ bytes: [UInt8]?) { self = bytes.map { .blob($0) } ?? .null }
    }

    /// The row that a statement stands on; it is read before the statement goes on.
    package struct Row {
        let handle: OpaquePointer

        /// Whether a column is NULL.
        package func isNull(_ column: Int) -> Bool {
            sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL
        }

        /// A column as a whole number; 0 for NULL.
        package func int(_ column: Int) -> Int { Int(sqlite3_column_int64(handle, Int32(column))) }

        /// A column as a whole number, or `nil` for NULL.
        package func optionalInt(_ column: Int) -> Int? { isNull(column) ? nil : int(column) }

        /// A column as a real number; 0 for NULL.
        package func real(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(column)) }

        /// A column as text, empty for NULL. What is no UTF-8 is repaired.
        package func text(_ column: Int) -> String {
            guard let text = sqlite3_column_text(handle, Int32(column)) else { return "" }
            let count = Int(sqlite3_column_bytes(handle, Int32(column)))
            return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
        }

        /// A column as text, or `nil` for NULL.
        package func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

        /// A column as bytes, empty for NULL.
        package func blob(_ column: Int) -> [UInt8] {
            guard let bytes = sqlite3_column_blob(handle, Int32(column)) else { return [] }
            let count = Int(sqlite3_column_bytes(handle, Int32(column)))
            return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
        }

        /// A column as bytes, or `nil` for NULL.
        package func optionalBlob(_ column: Int) -> [UInt8]? { isNull(column) ? nil : blob(column) }
    }

    /// A compiled statement. It is kept by its database and used for one question at a time.
    package final class Statement {
        private let handle: OpaquePointer
        private unowned let database: Database
        private let parameters: Int

        init(_ database: Database, _ sql: String) throws(DatabaseError) {
            var made: OpaquePointer?
            let code = sqlite3_prepare_v3(
                database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
            try database.check(code)
            guard let made else { throw .misuse(path: database.path, reason: "no statement") }
            handle = made
            self.database = database
            parameters = Int(sqlite3_bind_parameter_count(made))
        }

        deinit { sqlite3_finalize(handle) }

        /// Runs it with these values and ignores rows that it gives.
        package func run(_ values: [Value]) throws(DatabaseError) {
            try forEach(values) { _ in true }
        }

        /// Runs it with these values for each row, until the block gives `false`.
        package func forEach(
            _ values: [Value], _ body: (Row) throws(DatabaseError) -> Bool
        ) throws(DatabaseError) {
            guard sqlite3_stmt_busy(handle) == 0 else {
                throw .misuse(path: database.path, reason: "a statement is used inside itself")
            }
            defer {
                sqlite3_reset(handle)
                sqlite3_clear_bindings(handle)
            }
            try bind(values)
            while true {
                switch sqlite3_step(handle) {
                case SQLITE_ROW:
                    if try !body(Row(handle: handle)) { return }
                case SQLITE_DONE: return
                case let code: throw database.problem(code)
                }
            }
        }

        private func bind(_ values: [Value]) throws(DatabaseError) {
            guard values.count == parameters else {
                let reason = "\(values.count) values for \(parameters) parameters"
                throw .misuse(path: database.path, reason: reason)
            }
            for (position, value) in values.enumerated() {
                try database.check(bind(value, Int32(position + 1)))
            }
        }

        private func bind(_ value: Value, _ index: Int32) -> Int32 {
            switch value {
            case .null: return sqlite3_bind_null(handle, index)
            case .integer(let number): return sqlite3_bind_int64(handle, index, number)
            case .real(let number): return sqlite3_bind_double(handle, index, number)
            case .text(var text):
                return text.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) {
                        danube_sqlite_bind_text(handle, index, $0.baseAddress, UInt64($0.count))
                    }
                }
            case .blob(let bytes):
                return bytes.withUnsafeBytes {
                    danube_sqlite_bind_blob(handle, index, $0.baseAddress, UInt64($0.count))
                }
            }
        }
    }
}
