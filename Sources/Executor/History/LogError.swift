/// Why a log cannot be written or read. Every case that is about a file names it.
package enum LogError: Error, Equatable, CustomStringConvertible {
    /// The folder or the file cannot be made or opened.
    case cannotOpen(path: String, reason: String)
    /// The file system has no space left, or a quota is used up.
    case full(path: String)
    /// Reading or writing failed.
    case io(path: String, reason: String)
    /// The file is no log of danube, or of a later version.
    case notALog(path: String)
    /// The log was closed.
    case closed(path: String)
    /// The secrets are larger than what is looked for in output.
    case secretsTooLarge(bytes: Int, most: Int)

    /// One sentence without a full stop.
    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "\(path) cannot be opened: \(reason)"
        case .full(let path): "no space is left for \(path)"
        case .io(let path, let reason): "\(path) cannot be read or written: \(reason)"
        case .notALog(let path): "\(path) is no log that this danube can read"
        case .closed(let path): "\(path) is closed already"
        case .secretsTooLarge(let bytes, let most):
            "the secrets have \(bytes) bytes; at most \(most) can be kept out of the logs"
        }
    }

    /// The next action for a person.
    package var hint: String {
        switch self {
        case .cannotOpen: "Check that the folder exists and is yours."
        case .full: "Free some space, then try again."
        case .io: "Check the file system; `dmesg` may say more."
        case .notALog: "It may be damaged, or written by a newer danube."
        case .closed: "This is a bug of danube: please report it."
        case .secretsTooLarge: "Give large files to steps as inputs, not as secrets."
        }
    }
}
