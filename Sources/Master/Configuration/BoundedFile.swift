internal import Glibc

/// A small file, read whole.
struct BoundedFile {
    private(set) var bytes: [UInt8]
    /// The user it belongs to.
    let owner: UInt32
    /// Its permission bits.
    let mode: UInt32

    /// Why a file was not read.
    enum Failure: Error, Equatable {
        /// A number of errno.
        case system(Int32)
        case notRegular
        case tooLarge
    }

    /// Reads a regular file of at most `most` bytes; it does not wait for a writer of a pipe.
    ///
    /// - Parameter followsLink: whether the path may be a symbolic link.
    static func read(
        _ path: String, most: Int, followsLink: Bool
    ) throws(Failure) -> BoundedFile {
        let options = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followsLink ? 0 : O_NOFOLLOW)
        let file = open(path, options)
        guard file >= 0 else { throw .system(errno) }
        defer { close(file) }
        let facts: FileFacts
        do { facts = try FileFacts(of: file) } catch { throw .system(error.number) }
        guard facts.kind == .file else { throw .notRegular }
        guard facts.size <= most else { throw .tooLarge }
        // One more than allowed: the file may have grown since.
        var bytes = [UInt8](repeating: 0, count: most + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(file, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .system(errno) }
            if got == 0 { break }
            count += got
        }
        guard count <= most else { throw .tooLarge }
        bytes.removeLast(bytes.count - count)
        return BoundedFile(bytes: bytes, owner: facts.owner, mode: facts.mode)
    }

    /// Overwrites the bytes, which were a secret, where they are.
    mutating func overwrite() {
        bytes.withUnsafeMutableBytes { SecretValue.overwrite($0) }
        bytes = []
    }

    /// What the system says about an error's number.
    static func reason(_ error: Int32) -> String {
        strerror(error).map { String(cString: $0) } ?? "error \(error)"
    }
}
