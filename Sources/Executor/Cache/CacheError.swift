internal import CFiles
internal import CSandbox
internal import Glibc
package import PipelineIR

/// What can go wrong with the cache and with files that are hashed, kept or restored.
package enum CacheError: Error, Equatable {
    /// A file system has no room, no inodes or no quota left. It is named by where it is mounted.
    case noSpace(path: String, fileSystem: String)
    /// A device failed to read or write.
    case device(path: String, fileSystem: String)
    /// A call of the system failed in another way.
    case failed(operation: String, path: String, errno: Int32)
    /// A file was written to while it was read, each time that it was tried.
    case changing(path: String)
    /// What stands in the cache cannot be what was put there.
    case damaged(path: String, what: String)
    /// A glob that leads out of the workspace, or none at all.
    case badGlob(String)
    /// There are more files than may be hashed for one step.
    case tooManyFiles(path: String, most: Int)
    /// A blob that a tree names is not in the store.
    case missing(Digest, path: String)
    /// The table of results cannot be used.
    case database(DatabaseError)
}

extension CacheError: CustomStringConvertible {
    /// What failed, with the exact path, and what to do about it.
    package var description: String {
        switch self {
        case .noSpace(let path, let fileSystem):
            "no space left to write \(path): the file system at \(fileSystem) is full; "
                + "free some, or run `danube cache gc`"
        case .device(let path, let fileSystem):
            "the device of the file system at \(fileSystem) failed at \(path)"
        case .failed(let operation, let path, let errno):
            "cannot \(operation) \(path): \(Self.text(errno))"
        case .changing(let path):
            "\(path) was changed again and again while it was read; stop what writes it"
        case .damaged(let path, let what):
            "\(path) is damaged: \(what)"
        case .badGlob(let glob):
            "`\(glob)` is no glob of the workspace: it must be relative and without `..`"
        case .tooManyFiles(let path, let most):
            "there are more than \(most) files in \(path); declare narrower globs"
        case .missing(let digest, let path):
            "\(digest) of \(path) is not in the cache"
        case .database(let error): error.description
        }
    }

    /// The error for a result of a C function; full disks and failing devices are told apart.
    static func of(_ result: Int32, _ operation: String, _ path: String) -> CacheError {
        switch abs(result) {
        case ENOSPC, EDQUOT: .noSpace(path: path, fileSystem: mountPoint(of: path))
        case EIO: .device(path: path, fileSystem: mountPoint(of: path))
        case let errno: .failed(operation: operation, path: path, errno: errno)
        }
    }

    /// The errno behind it; 0 when there is none.
    var errno: Int32 {
        if case .failed(_, _, let errno) = self { errno } else { 0 }
    }

    /// Where the file system is mounted that a path is on, or would be.
    static func mountPoint(of path: String) -> String {
        var place = path
        var device: UInt64?
        while true {
            var stamp = danube_stamp()
            if place.withCString({ danube_stamp_at(AT_FDCWD, $0, &stamp) }) == 0 {
                if let below = device, below != stamp.device { return deeper(place, in: path) }
                device = stamp.device
            }
            if place == "/" || place.isEmpty { return "/" }
            guard let cut = place.lastIndex(of: "/") else { return "/" }
            place = cut == place.startIndex ? "/" : String(place[..<cut])
        }
    }

    /// The path that has one component more than `above`.
    private static func deeper(_ above: String, in path: String) -> String {
        let skipped = above == "/" ? 1 : above.utf8.count + 1
        let rest = path.utf8.dropFirst(skipped).prefix { $0 != UInt8(ascii: "/") }
        return String(decoding: path.utf8.prefix(skipped + rest.count), as: UTF8.self)
    }

    private static func text(_ errno: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            buffer.initialize(repeating: 0)
            guard let start = buffer.baseAddress, strerror_r(errno, start, buffer.count - 1) == 0
            else { return "error \(errno)" }
            return String(cString: start)
        }
    }
}
