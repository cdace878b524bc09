/// A problem in a danubefile, as a value: all of a file's problems are reported at once.
package struct Diagnostic: Sendable, Equatable {
    /// How grave it is.
    package enum Level: String, Sendable, Comparable {
        case note, warning, error
        /// Orders by gravity: a note is least.
        package static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
        private var rank: Int { self == .note ? 0 : self == .warning ? 1 : 2 }
    }

    /// Stable code, listed in `docs/diagnostics.md` (such as `DNB101`).
    package var code: String
    /// How grave it is, before `--deny` raises it.
    package var level: Level
    /// One sentence that names the thing.
    package var message: String
    /// Where it is; `nil` when it is about no place in a file.
    package var place: Place?
    /// What to do about it; `nil` where the message says all.
    package var hint: String?
    /// The call stack, innermost first, when it is more than the place.
    package var stack: [Place] = []

    /// Who called what stands at the place, innermost first.
    package var callers: ArraySlice<Place> {
        guard let first = stack.first, let place, first.file == place.file,
            first.line == place.line, first.column == place.column
        else { return stack[...] }
        return stack.dropFirst()
    }

    /// A range of source text. Columns are 1-based and count UTF-8 bytes.
    package struct Place: Sendable, Equatable {
        /// Path in the repository.
        package var file: String
        /// 1-based; 0 means the file as a whole.
        package var line: Int32
        /// Column of the first byte; 0 means the line as a whole.
        package var column: Int32
        /// Line of the last byte; 0 means the line where it begins.
        package var endLine: Int32
        /// Column after the last byte; 0 means unknown.
        package var endColumn: Int32
        /// The text of the line, when known, without its newline.
        package var text: String?
        /// Describes a range; 0 leaves a number open.
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

    /// Describes a problem without a call stack.
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
