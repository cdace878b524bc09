internal import CFiles
internal import CSandbox
internal import Glibc

/// Copies single files.
enum FileCopy {
    /// Copies a file to a place where there is none, sharing blocks where the file system can.
    static func copy(
        _ source: [CChar], to target: [CChar], mode: UInt32
    ) throws(WorkspaceError) {
        let from = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard from >= 0 else { throw .system("open", path: text(source), errno: errno) }
        defer { close(from) }
        let to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode | 0o200)
        guard to >= 0 else { throw .system("make", path: text(target), errno: errno) }
        defer { close(to) }
        if danube_clone(from, to) == 0 { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(from, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw .system("read", path: text(source), errno: errno) }
            if count == 0 { return }
            let status = danube_write_all(to, buffer.baseAddress, count)
            if status < 0 { throw .system("write", path: text(target), errno: -status) }
        }
    }

    private static func text(_ path: [CChar]) -> String {
        String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
