import Executor

/// Messages of a run as a person reads them.
enum MessageText {
    /// Lines that are shown of one message.
    static let shownLines = 20

    static func render(
        _ message: RunMessage, _ names: StepNames?, _ options: WatchOptions
    ) -> [UInt8] {
        var buffer = TextBuffer(colour: options.terminal.colour)
        let paint: TextBuffer.Paint =
            switch message.level {
            case .error: .boldRed
            case .warning: .boldYellow
            case .note: .boldCyan
            }
        buffer.put(message.level.rawValue, paint)
        buffer.put(": ")
        if let step = message.step, let names { buffer.put(names.long(step) + ": ", .bold) }
        put(message.text, into: &buffer)
        if let hint = message.hint {
            buffer.put("  ")
            buffer.put("hint:", .boldGreen)
            buffer.put(" ")
            put(hint, into: &buffer)
        }
        return buffer.bytes
    }

    /// What the danubefile said.
    static func render(note: String, _ options: WatchOptions) -> [UInt8] {
        var buffer = TextBuffer(colour: options.terminal.colour)
        buffer.put(Glyphs(unicode: options.terminal.unicode).note + " ", .cyan)
        put(note, into: &buffer)
        return buffer.bytes
    }

    /// Why a step runs; nothing where its end will say it.
    static func render(
        _ explanation: StepExplanation, of name: String, _ options: WatchOptions
    ) -> [UInt8] {
        var buffer = TextBuffer(colour: options.terminal.colour)
        let reasons: [String]
        switch explanation {
        case .hit: return []
        case .miss(_, let all): reasons = all.isEmpty ? ["nothing is known of it"] : all
        case .uncacheable(let reason): reasons = ["not cacheable: " + reason]
        }
        for reason in reasons.prefix(shownLines) {
            buffer.put("  ")
            buffer.put(name)
            buffer.put(" runs: ", .dim)
            put(reason, into: &buffer)
        }
        if reasons.count > shownLines {
            buffer.put("  \(name) runs: \(reasons.count - shownLines) more reasons\n")
        }
        return buffer.bytes
    }

    private static func put(_ text: String, into buffer: inout TextBuffer) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.prefix(shownLines).enumerated() {
            if number > 0 { buffer.put("    ") }
            buffer.safe(String(line))
            buffer.newline()
        }
    }
}
