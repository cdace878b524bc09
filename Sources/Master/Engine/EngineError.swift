internal import Glibc

/// Why a job's engine cannot be started or heard.
enum EngineError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A call of the system failed.
    case system(String, path: String, errno: Int32)
    /// A journal has a line that no engine writes.
    case damaged(path: String, offset: UInt64)

    /// What failed, with its place.
    var description: String {
        switch self {
        case .system(let what, let path, let code):
            "cannot \(what) \(path): \(String(cString: strerror(code)))"
        case .damaged(let path, let offset): "\(path) is damaged at byte \(offset)"
        }
    }
}
