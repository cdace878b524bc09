import Compiler
import Executor
import Glibc

/// Prints what a master's job prints, in the forms of `danube logs`.
final class RemotePrinter {
    private var printer: LogPrinter
    /// Numbers of the steps by name.
    private var numbers: [String: Int] = [:]
    private static let mostNames = 100_000

    /// Whether anything was printed.
    var hasPrinted: Bool { printer.hasPrinted }

    init(_ form: LogPrinter.Form, on terminal: Terminal) {
        printer = LogPrinter(form, steps: [], on: terminal)
    }

    /// Makes names known before they come, so that all lines begin in one column.
    func learn(_ steps: [RemoteStep]) {
        for step in steps { _ = number(step.name) }
    }

    /// Prints an event: `{"step","stream","time","text"}`, and `attempt` where it is told. A text
    /// is a piece of what was printed, with its line ends.
    func put(_ event: JSONValue, step: String?) {
        let stream: LogStream =
            switch event["stream"]?.text {
            case "stderr": .standardError
            case "note": .note
            default: .standardOutput
            }
        let attempt = Int(clamping: max(1, event["attempt"]?.number ?? 1))
        let key = step.flatMap { $0.isEmpty ? nil : number($0) }.map {
            AttemptKey(step: $0, attempt: attempt)
        }
        printer.put(
            LogChunk(
                key: key, stream: key == nil ? .note : stream,
                time: event["time"]?.time ?? Timestamp.now(), offset: 0,
                bytes: Array((event["text"]?.text ?? "").utf8)))
    }

    /// Prints bytes of the one step that is shown.
    func put(bytes: [UInt8]) {
        printer.put(
            LogChunk(
                key: AttemptKey(step: 0, attempt: 1), stream: .standardOutput,
                time: Timestamp.now(), offset: 0, bytes: bytes))
    }

    /// Prints what is left.
    func finish() { printer.finish() }

    private func number(_ name: String) -> Int? {
        if let known = numbers[name] { return known }
        guard numbers.count < Self.mostNames else { return nil }
        let number = printer.learn(
            JobStep(id: "", name: name, record: StepRecord(step: numbers.count, state: .open)))
        numbers[name] = number
        return number
    }
}
