import Compiler
import Executor
import PipelineIR

/// How a journal has what a later engine of the job needs: lines `attempt_ended`, `upload_ended`
/// and `result_taken`, and the lane in `step_starting`.
enum RecallCoding {
    /// What a line is called, and which step it is about; `nil` for what has a line already.
    static func head(of event: EarlierRun.Event) -> (StaticString, StepIndex)? {
        switch event {
        case .began: nil
        case .ended(let step, _, _, _): ("attempt_ended", step)
        case .uploaded(let step, _): ("upload_ended", step)
        case .taken(let step, _, _): ("result_taken", step)
        }
    }

    /// Writes the rest of a line.
    static func put(_ event: EarlierRun.Event, _ json: inout JSONWriter) {
        switch event {
        case .began: break
        case .ended(_, let attempt, let outcome, let isWithheld):
            json.key("attempt")
            json.integer(attempt)
            put(outcome, &json)
            put(isWithheld, &json)
        case .uploaded(_, let failure): put("text", failure, &json)
        case .taken(_, let output, let isWithheld):
            put("output", output, &json)
            put(isWithheld, &json)
        }
    }

    /// Reads a line; `nil` when it is none of these.
    static func event(_ line: JSONValue) -> EarlierRun.Event? {
        guard let name = line["event"]?.text, let number = integer("step", line) else {
            return nil
        }
        let step = StepIndex(number)
        let isWithheld = line["withheld"] == .bool(true)
        switch name {
        case "step_starting":
            return .began(
                step, attempt: integer("attempt", line) ?? 1, lane: integer("lane", line))
        case "attempt_ended":
            guard let attempt = integer("attempt", line), let outcome = outcome(line) else {
                return nil
            }
            return .ended(step, attempt: attempt, outcome, isWithheld: isWithheld)
        case "upload_ended": return .uploaded(step, failure: line["text"]?.text)
        case "result_taken":
            return .taken(step, output: line["output"]?.text, isWithheld: isWithheld)
        default: return nil
        }
    }

    private static func put(_ outcome: AttemptOutcome, _ json: inout JSONWriter) {
        json.key("outcome")
        switch outcome {
        case .exitCode(let code, let output):
            json.string("exit")
            json.key("code")
            json.integer(code)
            put("output", output, &json)
        case .timedOut: json.string("timed_out")
        case .cancelled: json.string("cancelled")
        case .outOfMemory: json.string("out_of_memory")
        case .lost(let text): put(word: "lost", text, &json)
        case .couldNotStart(let text): put(word: "could_not_start", text, &json)
        case .noSpace(let text): put(word: "no_space", text, &json)
        case .imagePullFailed(let text): put(word: "image_pull_failed", text, &json)
        case .badOutput(let text): put(word: "bad_output", text, &json)
        case .uploadFailed(let text): put(word: "upload_failed", text, &json)
        }
    }

    private static func put(word: StaticString, _ text: String, _ json: inout JSONWriter) {
        json.string(word.description)
        put("text", text, &json)
    }

    private static func put(_ key: StaticString, _ text: String?, _ json: inout JSONWriter) {
        guard let text else { return }
        json.key(key)
        json.string(text)
    }

    private static func put(_ isWithheld: Bool, _ json: inout JSONWriter) {
        guard isWithheld else { return }
        json.key("withheld")
        json.bool(true)
    }

    private static func outcome(_ line: JSONValue) -> AttemptOutcome? {
        let text = line["text"]?.text ?? ""
        switch line["outcome"]?.text {
        case "exit":
            return .exitCode(Int32(integer("code", line) ?? 255), output: line["output"]?.text)
        case "timed_out": return .timedOut
        case "cancelled": return .cancelled
        case "out_of_memory": return .outOfMemory
        case "lost": return .lost(text)
        case "could_not_start": return .couldNotStart(text)
        case "no_space": return .noSpace(text)
        case "image_pull_failed": return .imagePullFailed(text)
        case "bad_output": return .badOutput(text)
        case "upload_failed": return .uploadFailed(text)
        default: return nil
        }
    }

    private static func integer(_ key: String, _ line: JSONValue) -> Int? {
        guard case .integer(let value)? = line[key] else { return nil }
        return Int32(exactly: value).map { Int($0) }
    }
}
