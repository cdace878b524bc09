internal import CFiles
internal import Glibc

/// What stands in one folder beneath a root, in the order of the bytes of its names. No link is
/// followed on the way there, and nothing outside of the root is reached.
struct FolderListing {
    /// An entry that can be handed on.
    struct Entry {
        let name: [UInt8]
        let kind: TarEntry.Kind
    }

    let entries: [Entry]

    /// The most entries of one folder.
    static let most = 200_000

    /// Reads it. Devices, sockets and pipes are left out.
    ///
    /// - Parameter path: relative to the root; empty for the root itself.
    init(root: Int32, path: [UInt8]) throws(ArtifactProblem) {
        let shown = String(decoding: path, as: UTF8.self)
        let file = Self.open(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw .system("open", path: shown, errno: -file) }
        guard let folder = fdopendir(file) else {
            let code = errno
            close(file)
            throw .system("read", path: shown, errno: code)
        }
        defer { closedir(folder) }
        var entries: [Entry] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name == [0x2e] || name == [0x2e, 0x2e] { continue }
            guard entries.count < Self.most else { throw .tooMany(path: shown, most: Self.most) }
            if let kind = Self.kind(dirfd(folder), name) {
                entries.append(Entry(name: name, kind: kind))
            }
        }
        self.entries = entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// Opens something beneath a root; a negative number of errno when it is not there.
    static func open(_ root: Int32, _ path: [UInt8], _ flags: Int32) -> Int32 {
        let path = (path.isEmpty ? [0x2e] : path).map { CChar(bitPattern: $0) } + [0]
        return danube_open_at(root, path, flags, 0)
    }

    private static func kind(_ folder: Int32, _ name: [UInt8]) -> TarEntry.Kind? {
        let path = name.map { CChar(bitPattern: $0) } + [0]
        guard let facts = try? FileFacts(of: path, in: folder) else { return nil }
        switch facts.kind {
        case .folder: return .folder
        case .file: return .file(bytes: facts.size, isExecutable: facts.mode & 0o111 != 0)
        case .link:
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlinkat(folder, path, &buffer, buffer.count)
            guard count > 0, count < buffer.count else { return nil }
            return .link(target: buffer[..<count].map { UInt8(bitPattern: $0) })
        case .other: return nil
        }
    }
}
