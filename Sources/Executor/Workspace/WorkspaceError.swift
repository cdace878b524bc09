/// Why a workspace cannot be made.
package enum WorkspaceError: Error, Equatable, CustomStringConvertible {
    /// A call of the system failed.
    case system(String, path: String, errno: Int32)
    /// Two branches changed a path to different contents.
    case conflict(path: String, first: [Int], second: [Int])
    /// The files of a layer cannot be put where they belong.
    case unmade(path: String, reason: String)
    /// Something that no workspace can hold, such as a device.
    case unsupported(path: String)

    /// What happened, for people.
    package var description: String {
        switch self {
        case .system(let call, let path, let errno): "\(call) \(path): \(systemMessage(errno))"
        case .conflict(let path, _, _):
            "branches that run at the same time changed \(path) to different contents"
        case .unmade(let path, let reason): "cannot make \(path): \(reason)"
        case .unsupported(let path): "\(path) is neither a file, a folder nor a link"
        }
    }
}
