internal import Glibc

/// Reads and compares what is in layers.
enum FileComparison {
    private static let chunkBytes = 1 << 16

    /// The names in a folder, unsorted.
    static func names(in folder: [CChar]) throws(WorkspaceError) -> [[UInt8]] {
        guard let stream = opendir(folder) else {
            throw .system("read", path: text(folder), errno: errno)
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                Array(bytes.prefix { $0 != 0 })
            }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
        }
        return names
    }

    /// Whether two files or links are the same: content, target, and whether they can be executed.
    static func isEqual(_ a: [CChar], _ b: [CChar]) -> Bool {
        var first = stat()
        var second = stat()
        guard lstat(a, &first) == 0, lstat(b, &second) == 0,
            first.st_mode & (S_IFMT | S_IXUSR) == second.st_mode & (S_IFMT | S_IXUSR),
            first.st_size == second.st_size
        else { return false }
        if first.st_ino == second.st_ino, first.st_dev == second.st_dev { return true }
        if first.st_mode & S_IFMT == S_IFLNK { return target(a) == target(b) }
        // Opening a pipe would wait for whoever writes to it.
        if first.st_mode & S_IFMT != S_IFREG { return true }
        return hasEqualContent(a, b)
    }

    private static func target(_ path: [CChar]) -> [CChar] {
        [CChar](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            count = max(0, readlink(path, start, buffer.count))
        }
    }

    private static func hasEqualContent(_ a: [CChar], _ b: [CChar]) -> Bool {
        let first = open(a, O_RDONLY | O_CLOEXEC)
        let second = open(b, O_RDONLY | O_CLOEXEC)
        defer {
            if first >= 0 { close(first) }
            if second >= 0 { close(second) }
        }
        guard first >= 0, second >= 0 else { return false }
        return withUnsafeTemporaryAllocation(byteCount: 2 * chunkBytes, alignment: 16) { buffer in
            guard let base = buffer.baseAddress else { return false }
            while true {
                let count = readAll(first, base)
                guard count >= 0, readAll(second, base + chunkBytes) == count else { return false }
                if count == 0 { return true }
                if memcmp(base, base + chunkBytes, count) != 0 { return false }
            }
        }
    }

    /// Reads a whole chunk, or what is left.
    private static func readAll(_ file: Int32, _ buffer: UnsafeMutableRawPointer) -> Int {
        var count = 0
        while count < chunkBytes {
            let got = read(file, buffer + count, chunkBytes - count)
            if got < 0, errno == EINTR { continue }
            if got < 0 { return -1 }
            if got == 0 { break }
            count += got
        }
        return count
    }

    private static func text(_ path: [CChar]) -> String {
        String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension String {
    /// The path of something beneath this folder, ready for the C library.
    func joined(_ path: TreePath) -> [CChar] {
        var bytes = utf8.map { CChar(bitPattern: $0) }
        if !path.isRoot {
            bytes.append(CChar(bitPattern: UInt8(ascii: "/")))
            bytes.append(contentsOf: path.bytes.map { CChar(bitPattern: $0) })
        }
        bytes.append(0)
        return bytes
    }
}
