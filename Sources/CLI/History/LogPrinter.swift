import Executor
import Glibc
import PipelineIR

/// Prints chunks of a job's log as they come.
struct LogPrinter {
    /// The form of what is printed.
    enum Form {
        /// What the step printed, byte for byte; on a terminal, made harmless.
        case plain
        /// Lines, with what comes before each.
        case lines(names: Bool, times: Bool)
        /// A JSON object on each line.
        case json
    }

    /// Lines of one attempt and stream that have not ended yet.
    private struct Partial {
        var bytes: [UInt8] = []
        var time: Timestamp
        var harmless: TerminalText
    }

    private struct Source: Hashable {
        var key: AttemptKey?
        var stream: LogStream
    }

    private let form: Form
    private var steps: [JobStep]
    private let terminal: Terminal
    private var width: Int
    private var partials: [Source: Partial] = [:]
    /// Whether anything was printed.
    private(set) var hasPrinted = false

    /// A longer line is printed in pieces.
    private static let mostLineBytes = 1 << 16
    private static let mostNameColumns = 24

    init(_ form: Form, steps: [JobStep], on terminal: Terminal) {
        self.form = form
        self.steps = steps
        self.terminal = terminal
        let widest = steps.map { DisplayText.width($0.name) }.max() ?? 0
        width = min(Self.mostNameColumns, widest)
    }

    /// Adds a step that was not known at first; gives its number.
    mutating func learn(_ step: JobStep) -> Int {
        steps.append(step)
        width = max(width, min(Self.mostNameColumns, DisplayText.width(step.name)))
        return steps.count - 1
    }

    /// Prints what can be told from a chunk.
    mutating func put(_ chunk: LogChunk) {
        if case .plain = form, chunk.stream == .note { return }
        hasPrinted = true
        let source = Source(key: chunk.key, stream: chunk.stream)
        var partial =
            partials[source]
            ?? Partial(
                time: chunk.time, harmless: TerminalText(keepsColours: terminal.colour))
        if partial.bytes.isEmpty { partial.time = chunk.time }
        var text = chunk.bytes
        if chunk.stream == .note { text.append(10) }
        if terminal.interactive, !isJSON {
            var harmless: [UInt8] = []
            partial.harmless.append(text, into: &harmless)
            text = harmless
        }
        if case .plain = form {
            Output.write(text, to: STDOUT_FILENO)
        } else {
            partial.bytes += text
            putLines(source, &partial, chunk.time, whole: false)
        }
        partials[source] = partial
    }

    /// Prints lines that never ended.
    mutating func finish() {
        for (source, partial) in partials.sorted(by: { $0.value.time < $1.value.time }) {
            var partial = partial
            if terminal.interactive, !isJSON {
                var rest: [UInt8] = []
                partial.harmless.finish(into: &rest)
                if case .plain = form {
                    Output.write(rest, to: STDOUT_FILENO)
                } else if !partial.bytes.isEmpty {
                    partial.bytes += rest
                }
            }
            putLines(source, &partial, partial.time, whole: true)
        }
        partials = [:]
    }

    private var isJSON: Bool {
        if case .json = form { return true }
        return false
    }

    private func putLines(
        _ source: Source, _ partial: inout Partial, _ time: Timestamp, whole: Bool
    ) {
        var buffer = TextBuffer(colour: terminal.colour)
        var rest = partial.bytes[...]
        while let end = rest.firstIndex(of: 10) {
            put(source, partial.time, rest[..<end], &buffer)
            rest = rest[(end + 1)...]
            partial.time = time
        }
        while rest.count > Self.mostLineBytes || (whole && !rest.isEmpty) {
            let piece = rest.prefix(Self.mostLineBytes)
            put(source, partial.time, piece, &buffer)
            rest = rest[piece.endIndex...]
        }
        partial.bytes = Array(rest)
        Output.out(buffer)
    }

    private func put(
        _ source: Source, _ time: Timestamp, _ line: ArraySlice<UInt8>, _ buffer: inout TextBuffer
    ) {
        switch form {
        case .plain: return
        case .json: putJSON(source, time, line, &buffer)
        case .lines(let names, let times):
            if times {
                buffer.put(time.utc, .dim)
                buffer.put(" ")
            }
            if names {
                // What the job says of itself is told from a step by the whole word.
                let shown =
                    source.key.map { DisplayText.fitted(stepName($0.step), columns: width) }
                    ?? "danube"
                buffer.put(shown, .cyan)
                buffer.blanks(width - DisplayText.width(shown))
                buffer.put(source.stream == .note ? " · " : " | ", .dim)
            }
            buffer.put(bytes: Array(line))
            // Blanks at the end of a line are the step's, so the line is ended by hand.
            if terminal.colour, line.contains(0x1b) { buffer.put("\u{1b}[0m") }
            buffer.put(byte: 10)
        }
    }

    private func putJSON(
        _ source: Source, _ time: Timestamp, _ line: ArraySlice<UInt8>, _ buffer: inout TextBuffer
    ) {
        var json = JSONWriter()
        json.beginObject()
        if let key = source.key {
            json.key("attempt")
            json.integer(key.attempt)
        }
        let text = String(validating: line, as: UTF8.self)
        if text == nil {
            json.key("bytes")
            json.beginArray()
            for byte in line { json.integer(byte) }
            json.endArray()
        }
        if let key = source.key, steps.indices.contains(key.step) {
            if key.attempt > 0, steps[key.step].record.state == .cached {
                json.key("cached")
                json.bool(true)
            }
            // A master names steps by their names alone.
            if !steps[key.step].id.isEmpty {
                json.key("id")
                json.string(steps[key.step].id)
            }
            json.key("name")
            json.string(steps[key.step].name)
        }
        json.key("stream")
        json.string(Self.word(source.stream))
        if let text {
            json.key("text")
            json.string(text)
        }
        json.key("time")
        json.string(time.utc)
        json.endObject()
        buffer.put(bytes: json.bytes)
        buffer.put(byte: 10)
    }

    private func stepName(_ step: Int) -> String {
        steps.indices.contains(step) ? steps[step].name : "step \(step + 1)"
    }

    private static func word(_ stream: LogStream) -> String {
        switch stream {
        case .note: "note"
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        }
    }
}
