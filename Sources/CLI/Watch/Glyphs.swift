import Executor

/// The signs of steps, in a form that the terminal can show.
struct Glyphs {
    let unicode: Bool

    /// The sign of a step that has ended, and its colour: a failure that is allowed is no alarm.
    func sign(_ end: StepEnd) -> (String, TextBuffer.Paint) {
        let sign = sign(end.result)
        return end.result == .failed && !end.isFatal ? (sign.0, .yellow) : sign
    }

    /// The sign of a kind of end, and its colour.
    func sign(_ result: StepEnd.Result) -> (String, TextBuffer.Paint) {
        switch result {
        case .succeeded: (unicode ? "✓" : "+", .green)
        case .cached: (unicode ? "≡" : "=", .green)
        case .failed: (unicode ? "✗" : "x", .boldRed)
        case .lost: (unicode ? "✗" : "x", .boldRed)
        case .skipped: (unicode ? "–" : "-", .dim)
        case .blocked: (unicode ? "–" : "-", .dim)
        case .cancelled: (unicode ? "■" : "!", .yellow)
        }
    }

    /// The sign of a run's outcome, and its colour.
    func sign(_ outcome: RunSummary.Outcome) -> (String, TextBuffer.Paint) {
        switch outcome {
        case .success: (unicode ? "✓" : "+", .boldGreen)
        case .failure: (unicode ? "✗" : "x", .boldRed)
        case .cancelled: (unicode ? "■" : "!", .boldYellow)
        case .live: (unicode ? "▸" : ">", .boldYellow)
        }
    }

    /// One frame of the sign of something that runs.
    func spinner(_ frame: Int) -> String {
        unicode ? Self.braille[frame % Self.braille.count] : Self.ascii[frame % Self.ascii.count]
    }

    var waiting: String { unicode ? "·" : "." }
    var again: String { unicode ? "↻" : "~" }
    var started: String { unicode ? "▸" : ">" }
    var note: String { unicode ? "»" : "#" }
    /// Between the name of a step and what it wrote.
    var bar: String { unicode ? "│" : "|" }
    var dot: String { unicode ? " · " : ", " }
    var about: String { "~" }
    var critical: String { unicode ? "◆" : "*" }
    var ellipsis: String { unicode ? "…" : "..." }

    private static let braille = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
    private static let ascii = ["|", "/", "-", "\\"]
}
