/// A problem in a danubefile, as a value: all of a file's problems are reported at once.
package struct Diagnostic: Sendable, Equatable {
    /// How grave it is.
    package enum Level: String, Sendable, Comparable {
        case note, warning, error
        /// The .
        package static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
        private var rank: Int { self == .note ? 0 : self == .warning ? 1 : 2 }
    }

    /// Stable code, listed in `docs/diagnostics.md` (such as `DNB101`).
    package var code: String
    /// The level.
    package var level: Level
    /// One sentence that names the thing.
    package var message: String
    /// The place.
    package var place: Place?
    /// The next action.
    package var hint: String?
    /// The call stack, innermost first, when it is more than the place.
    package var stack: [Place] = []

    /// A range of source text. Columns are 1-based and count UTF-8 bytes.
    package struct Place: Sendable, Equatable {
        /// The file.
        package var file: String
        /// The line.
        package var line: Int32
        /// The column.
        package var column: Int32
        /// The end line.
        package var endLine: Int32
        /// The end column.
        package var endColumn: Int32
        /// The text of the line, when known, without its newline.
        package var text: String?
        /// Creates one from its parts.
        package init(
            file: String, line: Int32, column: Int32 = 0, endLine: Int32 = 0, endColumn: Int32 = 0,
            text: String? = nil
        ) {
            self.file = file
            self.line = line
            self.column = column
            self.endLine = endLine
            self.endColumn = endColumn
            self.text = text
        }
    }

    /// Creates one from its parts.
    package init(
        code: String, level: Level, message: String, place: Place? = nil, hint: String? = nil
    ) {
        self.code = code
        self.level = level
        self.message = message
        self.place = place
        self.hint = hint
    }
}
