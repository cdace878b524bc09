import ArgumentParser
import Glibc

/// Why a command ends without success.
enum Failure: Error, Equatable {
    /// The user's mistake, said already.
    case reported
    /// The user's mistake: what is wrong, and the next action.
    case mistake(String, hint: String? = nil)
    /// The environment's failure, said already.
    case environmentReported
    /// The environment's failure.
    case environment(String, hint: String? = nil)
    /// Something that cannot be.
    case bug(String)

    /// The program's exit status.
    var status: Int32 {
        switch self {
        case .reported, .mistake: 2
        case .environment, .environmentReported: 3
        case .bug: 70
        }
    }

    /// What is wrong, and the next action; nothing when it was said already.
    var words: (message: String?, hint: String?) {
        switch self {
        case .reported, .environmentReported: (nil, nil)
        case .mistake(let message, let hint), .environment(let message, let hint): (message, hint)
        case .bug(let message): (message, "This is a bug in danube; please report it.")
        }
    }

    /// Says what failed and ends the program.
    func end() -> Never {
        tell()
        exit(status)
    }

    /// Says what failed.
    func tell() {
        let (message, hint) = words
        if let message {
            var buffer = TextBuffer(colour: Terminal.of(STDERR_FILENO).colour)
            buffer.put("danube: ", .bold)
            buffer.put("error: ", .boldRed)
            buffer.safe(message)
            buffer.newline()
            if let hint {
                buffer.put("  ")
                buffer.put("hint:", .boldGreen)
                buffer.put(" ")
                buffer.safe(hint)
                buffer.newline()
            }
            Output.err(buffer)
        }
    }
}
