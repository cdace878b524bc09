internal import Glibc

internal import struct Executor.Timestamp

/// The token of the local administrator, made at the first start and kept in a file that nobody
/// else can read.
enum FirstToken {
    static let fileName = "admin.token"
    static let name = "local administrator"

    /// Makes it when there is no token yet; gives where it is then.
    static func make(in folder: String, _ database: MasterDatabase) async throws -> String? {
        guard try await database.tokens().isEmpty else { return nil }
        let path = "\(folder)/\(fileName)"
        let text = TokenText()
        // The file first: a token that nobody knows is of no use to anybody.
        let aside = path + ".new"
        unlink(aside)
        let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw problem(aside) }
        let bytes = Array((text.text + "\n").utf8)
        let isWhole = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        let code = errno
        close(file)
        errno = code
        guard isWhole, rename(aside, path) == 0 else { throw problem(path) }
        _ = try await database.write {
            try $0.add(text, name: name, scope: .admin, user: nil, expires: nil, at: .now())
        }
        return path
    }

    private static func problem(_ path: String) -> StartFailure {
        StartFailure(
            message: "cannot write \(path): \(String(cString: strerror(errno)))",
            hint: "Free some space, or name another folder with --data.")
    }
}
