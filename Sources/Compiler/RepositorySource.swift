/// A tree of files that a danubefile may read: a working copy or a commit.
///
/// Paths are relative to its root, with `/`, without empty, `.` or `..` components; "" is the root.
/// Links are followed as long as they stay beneath the root. `.git` is not there.
package protocol RepositorySource: Sendable {
    /// The content of a regular file.
    func read(_ path: String) -> ReadResult
    /// What a path is.
    func stat(_ path: String) -> StatResult
    /// The names in a folder, sorted by their bytes.
    func list(_ path: String) -> ListResult
    /// What tells this tree from others: the folder, or repository and commit.
    var identity: String { get }
}

/// Why a path cannot be served although something is there.
package struct SourceFailure: Sendable, Equatable {
    /// As in `<errno.h>`.
    package var errno: Int32
    /// For the danubefile's author.
    package var message: String
    /// Words a failure; `errno` is positive.
    package init(errno: Int32, message: String) {
        self.errno = errno
        self.message = message
    }
}

/// Outcome of reading a file.
package enum ReadResult: Sendable, Equatable {
    case content([UInt8])
    case absent
    case failed(SourceFailure)
}

/// Outcome of asking what a path is.
package enum StatResult: Sendable, Equatable {
    case file(size: Int64, executable: Bool)
    case folder
    case absent
    case failed(SourceFailure)
}

/// Outcome of listing a folder.
package enum ListResult: Sendable, Equatable {
    case names([String])
    case absent
    case failed(SourceFailure)
}

/// Rules on paths that hold for every source.
enum SourcePath {
    /// Whether `path` has the form that sources accept.
    static func isNormal(_ path: String) -> Bool {
        if path.isEmpty { return true }
        var component = 0
        var dots = 0
        var count = 0
        for byte in path.utf8 {
            count += 1
            switch byte {
            case 0: return false
            case UInt8(ascii: "/"):
                if component == dots && component <= 2 { return false }
                component = 0
                dots = 0
            default:
                component += 1
                if byte == UInt8(ascii: ".") { dots += 1 }
            }
        }
        return !(component == dots && component <= 2) && count <= Limits.pathBytes
    }

    /// Whether a component is `.git`, which is never served.
    static func isHidden(_ path: some StringProtocol) -> Bool {
        path.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual(".git".utf8) }
    }

    /// The failure of a path that would leave the repository.
    static let outside = SourceFailure(errno: 13, message: "outside the repository")
    static let tooLarge = SourceFailure(
        errno: 27, message: "larger than \(Limits.fileBytes >> 10) KiB")
    static let isFolder = SourceFailure(errno: 21, message: "is a folder")
    static let notFolder = SourceFailure(errno: 20, message: "is not a folder")
    static let notRegular = SourceFailure(errno: 22, message: "is not a regular file")
    static let tooManyNames = SourceFailure(
        errno: 75, message: "has more than \(Limits.listingNames) entries")
    static let badName = SourceFailure(errno: 84, message: "has a name that is not UTF-8")
    static let tooManyLinks = SourceFailure(errno: 40, message: "has too many links")
}

/// A repository in which nothing is.
struct EmptySource: RepositorySource {
    let identity = "empty"
    func read(_ path: String) -> ReadResult { .absent }
    func stat(_ path: String) -> StatResult { path.isEmpty ? .folder : .absent }
    func list(_ path: String) -> ListResult { path.isEmpty ? .names([]) : .absent }
}
