internal import CFiles
internal import CSandbox
internal import Glibc
internal import Synchronization

/// Files that are whole or absent: written aside, then renamed.
package enum AtomicFile {
    private static let counter = Atomic<UInt64>(0)

    /// A name beside a path that no other process or thread takes.
    static func aside(_ path: String) -> String {
        let number = counter.add(1, ordering: .relaxed).newValue
        return "\(path).\(getpid()).\(danube_now()).\(number).new"
    }

    /// Writes a file. Its folder must be there.
    package static func write(_ bytes: [UInt8], to path: String) throws(CacheError) {
        let aside = aside(path)
        let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if file < 0 { throw .of(errno, "write", path) }
        var error = bytes.withUnsafeBytes { danube_write_all(file, $0.baseAddress, $0.count) }
        if close(file) != 0, error == 0 { error = -errno }
        if error == 0, rename(aside, path) != 0 { error = -errno }
        if error == 0 { return }
        unlink(aside)
        throw .of(error, "write", path)
    }

    /// Reads a whole regular file; `nil` when there is none, or it is larger than `most`.
    package static func read(_ path: String, most: Int64) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var stamp = danube_stamp()
        guard danube_stamp(file, &stamp) == 0, stamp.kind == CChar(UInt8(ascii: "f")),
            stamp.size <= most
        else { return nil }
        let size = Int(stamp.size)
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size, let start = buffer.baseAddress {
                let got = danube_pread(file, start + count, size - count, Int64(count))
                if got <= 0 { break }
                count += got
            }
        }
        return bytes.count == size ? bytes : nil
    }
}
