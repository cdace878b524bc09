import PipelineIR

/// Diagnostics as a person reads them: place, message, the source line with carets, a hint.
struct DiagnosticText {
    var buffer: TextBuffer
    /// Columns of the terminal; a longer source line is shown around its carets.
    let columns: Int?

    init(colour: Bool, columns: Int?) {
        buffer = TextBuffer(colour: colour)
        self.columns = columns
    }

    /// Renders all of them and, where there are several, a line that counts them.
    static func render(_ diagnostics: [Diagnostic], on terminal: Terminal) -> TextBuffer {
        var text = DiagnosticText(colour: terminal.colour, columns: terminal.columns)
        for diagnostic in diagnostics { text.put(diagnostic) }
        if diagnostics.count > 1 { text.putCount(diagnostics) }
        return text.buffer
    }

    /// Renders one.
    mutating func put(_ diagnostic: Diagnostic) {
        if let place = diagnostic.place {
            putPosition(place, .bold)
            buffer.put(": ")
        } else {
            buffer.put("danube: ", .bold)
        }
        let paint: TextBuffer.Paint =
            switch diagnostic.level {
            case .error: .boldRed
            case .warning: .boldYellow
            case .note: .boldCyan
            }
        buffer.put(diagnostic.level.rawValue, paint)
        buffer.put(": ")
        putProse(diagnostic.message, .bold)
        buffer.put(" [\(DisplayText.escaped(diagnostic.code))]", .dim)
        buffer.newline()
        if let place = diagnostic.place { putSource(place, paint) }
        for place in diagnostic.callers {
            buffer.put("  called from ", .dim)
            putPosition(place, .dim)
            buffer.newline()
            if place.text != nil { putSource(place, .dim) }
        }
        if let hint = diagnostic.hint {
            buffer.put("  ")
            buffer.put("hint:", .boldGreen)
            buffer.put(" ")
            putProse(hint, nil)
            buffer.newline()
        }
    }

    private mutating func putPosition(_ place: Diagnostic.Place, _ paint: TextBuffer.Paint) {
        buffer.begin(paint)
        buffer.safe(place.file)
        if place.line > 0 { buffer.put(":\(place.line)") }
        if place.line > 0 && place.column > 0 { buffer.put(":\(place.column)") }
        buffer.end()
    }

    /// Puts sentences, whose further lines are indented so that they do not pass for a position.
    private mutating func putProse(_ text: String, _ paint: TextBuffer.Paint?) {
        if let paint { buffer.begin(paint) }
        var first = true
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if !first {
                buffer.newline()
                buffer.put("    ")
            }
            buffer.safe(String(line))
            first = false
        }
        if paint != nil { buffer.end() }
    }

    private mutating func putSource(_ place: Diagnostic.Place, _ paint: TextBuffer.Paint) {
        guard let text = place.text, place.line > 0 else { return }
        let line = SourceLine(text: text, place: place, columns: columns.map { $0 - 8 })
        let number = String(place.line)
        let gutter = max(5, number.utf8.count + 1)
        buffer.begin(.dim)
        buffer.blanks(gutter - number.utf8.count)
        buffer.put(number)
        buffer.put(" |")
        buffer.end()
        buffer.put(" ")
        buffer.put(line.shown)
        buffer.newline()
        guard line.carets > 0 else { return }
        buffer.begin(.dim)
        buffer.blanks(gutter)
        buffer.put(" |")
        buffer.end()
        buffer.put(" ")
        buffer.blanks(line.indent)
        buffer.put(String(repeating: "^", count: line.carets), paint)
        buffer.newline()
    }

    private mutating func putCount(_ diagnostics: [Diagnostic]) {
        var words: [String] = []
        for level in [Diagnostic.Level.error, .warning, .note] {
            let count = diagnostics.count { $0.level == level }
            if count > 0 { words.append("\(count) \(level.rawValue)\(count == 1 ? "" : "s")") }
        }
        buffer.put(words.joined(separator: ", "), .dim)
        buffer.newline()
    }
}
