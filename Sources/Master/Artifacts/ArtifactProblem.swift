internal import Glibc

/// Why an artifact cannot be read.
enum ArtifactProblem: Error, Equatable, CustomStringConvertible {
    case system(String, path: String, errno: Int32)
    case tooMany(path: String, most: Int)
    case tooDeep(path: String)
    /// It became shorter while it was read.
    case changed(path: String)
    /// zlib has no memory.
    case noCompression

    /// One sentence without a full stop.
    var description: String {
        switch self {
        case .system(let what, let path, let code):
            "cannot \(what) the artifact's `\(path)`: \(String(cString: strerror(code)))"
        case .tooMany(let path, let most): "`\(path)` has more than \(most) entries"
        case .tooDeep(let path): "`\(path)` is too deep a folder"
        case .changed(let path): "`\(path)` was changed while it was read"
        case .noCompression: "there is no memory for compressing"
        }
    }
}
