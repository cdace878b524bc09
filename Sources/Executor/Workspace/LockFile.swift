internal import Glibc

/// A lock that processes share by the name of a file, and that ends with them.
///
/// Whoever holds it alone may delete the file, so a lock counts only while the name still leads to
/// the file that was locked: otherwise two processes would each hold one of the same name.
struct LockFile {
    /// How often a file that was deleted meanwhile is made again.
    private static let mostAttempts = 1000

    /// How a lock is held.
    enum Kind {
        case shared
        case alone
        /// Alone, or not at all when another process holds it.
        case aloneAtOnce

        fileprivate var operation: Int32 {
            switch self {
            case .shared: LOCK_SH
            case .alone: LOCK_EX
            case .aloneAtOnce: LOCK_EX | LOCK_NB
            }
        }
    }

    /// Where it is.
    let path: String
    private let descriptor: Int32

    /// Takes a lock, making its file. `nil` when another process holds it and `kind` does not wait.
    static func take(_ path: String, _ kind: Kind) throws(WorkspaceError) -> LockFile? {
        for _ in 0..<mostAttempts {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            if file < 0 { throw .system("lock", path: path, errno: errno) }
            let error = hold(file, kind.operation)
            if error == 0, isNamed(file, path) { return LockFile(path: path, descriptor: file) }
            close(file)
            if error == EWOULDBLOCK { return nil }
            if error != 0 { throw .system("lock", path: path, errno: error) }
        }
        throw .system("lock", path: path, errno: EAGAIN)
    }

    /// Gives it up.
    func release() { close(descriptor) }

    /// Gives it up for ever; it must be held alone.
    func remove() {
        unlink(path)
        close(descriptor)
    }

    private static func hold(_ file: Int32, _ operation: Int32) -> Int32 {
        while flock(file, operation) != 0 {
            if errno != EINTR { return errno }
        }
        return 0
    }

    private static func isNamed(_ file: Int32, _ path: String) -> Bool {
        var held = stat()
        var named = stat()
        return fstat(file, &held) == 0 && lstat(path, &named) == 0
            && held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }
}
