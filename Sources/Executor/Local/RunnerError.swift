internal import Glibc

/// Why a runner cannot do what it is asked to.
package enum RunnerError: Error, Equatable, CustomStringConvertible {
    /// A call of the system failed.
    case system(String, errno: Int32)
    /// The folder that a step should run in cannot be entered.
    case folder(String, errno: Int32)
    /// The program that a step should run cannot be executed.
    case program(String, errno: Int32)

    /// What happened, for people.
    package var description: String {
        switch self {
        case .system(let call, let errno): "\(call): \(systemMessage(errno))"
        case .folder(let path, let errno): "cannot run in \(path): \(systemMessage(errno))"
        case .program(let name, ENOENT): "there is no program `\(name)`"
        case .program(let name, let errno): "cannot run `\(name)`: \(systemMessage(errno))"
        }
    }

    /// What to do next.
    package var hint: String? {
        switch self {
        case .program(let name, ENOENT):
            "Install \(name), or name an image that has it: step.run(…, image=…)."
        case .system(_, EMFILE), .system(_, ENFILE):
            "Raise the limit on open files (ulimit -n), or run fewer steps at once (-j)."
        case .system(_, EAGAIN):
            "Raise the limit on processes (ulimit -u), or run fewer steps at once (-j)."
        default: nil
        }
    }
}

/// What the C library says about an error number.
package func systemMessage(_ error: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        buffer.initialize(repeating: 0)
        guard let start = buffer.baseAddress, strerror_r(error, start, buffer.count - 1) == 0
        else { return "error \(error)" }
        return String(cString: start)
    }
}
