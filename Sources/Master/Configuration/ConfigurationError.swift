internal import PipelineIR

/// What is wrong with a configuration: all of it at once.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one, in order of the file, then variables, then flags.
    package let problems: [ConfigurationProblem]
    /// How many more there are than are told.
    package let untold: Int

    /// How many are told at most.
    package static let mostProblems = 100

    init(_ problems: [ConfigurationProblem]) {
        self.problems = Array(problems.prefix(Self.mostProblems))
        untold = problems.count - self.problems.count
    }

    /// The program's exit status: 2 for a mistake, 3 when a file could not be read.
    package var status: Int32 {
        problems.contains { !$0.isEnvironment } ? 2 : 3
    }

    /// As a compiler would say it, with a newline at the end.
    package var description: String {
        problems.map(\.description).joined()
            + (untold > 0 ? "and \(untold) more problems\n" : "")
    }
}

/// One thing that is wrong, where it stands, and what to do.
package struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where a value comes from.
    package enum Place: Sendable, Equatable {
        /// Line and column count from 1; 0 means the file as a whole. The text is that of the
        /// line, when it may be shown.
        case file(String, line: Int, column: Int, text: String?)
        case variable(String)
        case flag(String)
        /// Of no place: something is missing.
        case nowhere
    }

    /// Where it was given.
    package let place: Place
    /// One sentence that names the thing; it never has a value that looks like a secret.
    package let message: String
    /// The next action, where the message does not say it.
    package let hint: String?
    /// Whether it is a failure of the machine and no mistake.
    package let isEnvironment: Bool

    init(_ place: Place, _ message: String, hint: String? = nil, isEnvironment: Bool = false) {
        self.place = place
        self.message = message
        self.hint = hint
        self.isEnvironment = isEnvironment
    }

    /// `danube.toml:3:5: error: …` and the hint, on one line.
    var line: String { "\(origin)error: \(message)" + (hint.map { " (\($0))" } ?? "") }

    /// `danube.toml:3:5: error: …`, the line, and the hint.
    package var description: String {
        var text = "\(origin)error: \(message)\n"
        if case .file(_, let line, let column, let source?) = place, column > 0 {
            let number = String(line)
            let gutter = String(repeating: " ", count: number.count)
            let caret = String(repeating: " ", count: column - 1) + "^"
            text += "  \(number) | \(source)\n  \(gutter) | \(caret)\n"
        }
        if let hint { text += "  hint: \(hint)\n" }
        return text
    }

    /// `danube.toml:3:5: `; nothing where there is no place.
    private var origin: String {
        var text = ""
        switch place {
        case .file(let path, let line, let column, _):
            text += ShownText.line(path)
            if line > 0 { text += ":\(line)" }
            if line > 0, column > 0 { text += ":\(column)" }
            text += ": "
        case .variable(let name): text += "\(ShownText.line(name)): "
        case .flag(let name): text += "\(ShownText.line(name)): "
        case .nowhere: break
        }
        return text
    }
}

/// Foreign text as it may be shown to a person.
enum ShownText {
    /// How many characters of a value are shown.
    static let mostCharacters = 80

    /// The text on one line: what moves a cursor or turns the direction is escaped, and what is
    /// too long is cut.
    static func line(_ text: some StringProtocol, most: Int = 300) -> String {
        var shown = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            if count == most { return shown + "…" }
            if scalar.isControl {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// A value for a message, in backticks, unless it looks like a secret.
    static func value(_ text: String) -> String {
        SecretLook.isSecret(text)
            ? "(a value that looks like a secret)" : "`\(line(text, most: mostCharacters))`"
    }
}
