internal import CFiles
internal import CSandbox
internal import Glibc

/// A blob that is being written aside.
struct Draft {
    let path: String
    let file: Int32

    /// Opens a new file. Its mode is subject to the process's mask.
    init(_ store: ContentStore, mode: mode_t = 0o600) throws(CacheError) {
        (path, file) = try store.drafts.create(mode)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(CacheError) {
        let error = danube_write_all(file, bytes.baseAddress, bytes.count)
        if error != 0 { throw .of(error, "write", path) }
    }

    func write(_ bytes: [UInt8]) throws(CacheError) {
        let error = bytes.withUnsafeBytes { danube_write_all(file, $0.baseAddress, $0.count) }
        if error != 0 { throw .of(error, "write", path) }
    }

    /// Makes it a blob: its mode and time are set, and it gets its name. Closes it.
    func finish(as blob: String, isExecutable: Bool) throws(CacheError) {
        let time = timespec(tv_sec: Int(ContentStore.time), tv_nsec: 0)
        guard fchmod(file, isExecutable ? 0o755 : 0o644) == 0, futimens(file, [time, time]) == 0
        else { throw .of(errno, "finish", path) }
        if rename(path, blob) != 0 {
            let error = errno
            let folder = String(blob[..<(blob.lastIndex(of: "/") ?? blob.startIndex)])
            guard error == ENOENT, mkdir(folder, 0o700) == 0 || errno == EEXIST,
                rename(path, blob) == 0
            else { throw .of(error == ENOENT ? errno : error, "write", blob) }
        }
        close(file)
    }

    /// Removes it after a failure.
    func discard() {
        close(file)
        unlink(path)
    }
}
