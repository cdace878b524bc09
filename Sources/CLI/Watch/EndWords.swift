import Executor

/// How the end of a step is said.
enum EndWords {
    /// `exit code 1 after 12.4s`, `cached from 7f3a`, `skipped`.
    static func text(_ end: StepEnd, origin: String?) -> String {
        switch end.result {
        case .succeeded: return Elapsed.text(end.nanoseconds) + attempts(end)
        case .cached:
            return origin.map { "cached from \(DisplayText.escaped($0))" } ?? "cached"
        case .failed, .lost, .cancelled:
            var words = why(end)
            if end.nanoseconds > 0 { words += " after \(Elapsed.text(end.nanoseconds))" }
            words += attempts(end)
            if end.result == .failed, !end.isFatal { words += ", allowed" }
            return words
        case .skipped, .blocked:
            return end.result.rawValue
                + (end.reason.map { ": \(DisplayText.escaped($0))" } ?? "")
        }
    }

    /// Why a step failed, without how long it took.
    static func why(_ end: StepEnd) -> String {
        if let reason = end.reason { return DisplayText.escaped(reason) }
        if end.result == .cancelled { return "cancelled" }
        if end.result == .lost { return "lost" }
        return end.code.map { "exit code \($0)" } ?? "failed"
    }

    private static func attempts(_ end: StepEnd) -> String {
        end.attempts > 1 ? ", \(end.attempts) attempts" : ""
    }
}
