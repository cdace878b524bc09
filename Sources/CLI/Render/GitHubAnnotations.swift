import PipelineIR

/// Diagnostics as workflow commands of GitHub Actions (`::error file=…::message`).
enum GitHubAnnotations {
    /// Renders one command a line.
    static func render(_ diagnostics: [Diagnostic], file: String) -> TextBuffer {
        var buffer = TextBuffer()
        for diagnostic in diagnostics {
            let command = diagnostic.level == .note ? "notice" : diagnostic.level.rawValue
            let place = diagnostic.place ?? Diagnostic.Place(file: file, line: 1)
            buffer.put("::\(command) file=\(property(place.file)),line=\(max(1, place.line))")
            if place.column > 0 { buffer.put(",col=\(place.column)") }
            if place.endLine > 0 { buffer.put(",endLine=\(place.endLine)") }
            if place.endColumn > 0 { buffer.put(",endColumn=\(place.endColumn)") }
            buffer.put(",title=\(property(diagnostic.code))::")
            buffer.put(data(diagnostic.message + (diagnostic.hint.map { "\nHint: \($0)" } ?? "")))
            buffer.put(byte: 0x0a)
        }
        return buffer
    }

    /// A message: `%`, CR and LF are escaped, so that text cannot start another command.
    static func data(_ text: String) -> String { escape(text, also: []) }

    /// A value of a property: `:` and `,` too.
    static func property(_ text: String) -> String { escape(text, also: [":", ","]) }

    private static func escape(_ text: String, also: Set<Unicode.Scalar>) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%", "\r", "\n":
                result += "%" + DisplayText.hex(scalar.value, digits: 2).uppercased()
            case _ where also.contains(scalar):
                result += "%" + DisplayText.hex(scalar.value, digits: 2).uppercased()
            default:
                if let escape = DisplayText.escape(scalar) {
                    result += escape
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }
}
