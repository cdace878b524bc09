internal import Glibc
internal import PipelineIR

/// Finds what a job has kept in its folder, once its engine has ended. It waits for the disk, so no
/// task of the cooperative pool calls it.
struct ArtifactScan {
    /// What there is, by name.
    private(set) var artifacts: [Artifact] = []

    /// The folder of a job's artifacts in the job's folder.
    static let folderName = "artifacts"
    /// The most artifacts of a job.
    static let most = 10_000
    private static let part = 1 << 20

    /// Looks at the folder. What is neither a file nor a folder is left out, and so is what has a
    /// name that is no text.
    ///
    /// - Parameter isWhole: whether the engine has ended in order. Else what it was writing is
    ///   there under a name that ends with `.new`.
    init(jobFolder: String, isWhole: Bool) throws(ArtifactProblem) {
        let folder = "\(jobFolder)/\(Self.folderName)"
        let root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard root >= 0 else {
            if errno == ENOENT { return }
            throw .system("open", path: folder, errno: errno)
        }
        defer { close(root) }
        for entry in try FolderListing(root: root, path: []).entries.prefix(Self.most) {
            guard let name = String(validating: entry.name, as: UTF8.self),
                isWhole || !name.hasSuffix(".new")
            else { continue }
            switch entry.kind {
            case .link: continue
            case .file:
                let (digest, bytes) = try Self.digest(ofFile: entry.name, in: root)
                artifacts.append(
                    Artifact(name: name, kind: .file, digest: digest, bytes: bytes))
            case .folder:
                let digest = try Self.digest(ofFolder: "\(folder)/\(name)", name: entry.name)
                artifacts.append(
                    Artifact(
                        name: name, kind: .folder, digest: digest,
                        bytes: try Self.bytes(of: entry.name, in: root)))
            }
        }
    }

    static func digest(
        ofFile name: [UInt8], in root: Int32
    ) throws(ArtifactProblem) -> (Digest, Int64) {
        let shown = String(decoding: name, as: UTF8.self)
        let file = FolderListing.open(root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { throw .system("open", path: shown, errno: -file) }
        defer { close(file) }
        var hasher = DigestHasher()
        var buffer = [UInt8](repeating: 0, count: part)
        var bytes: Int64 = 0
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read", path: shown, errno: errno) }
            if count == 0 { return (hasher.finalize(), bytes) }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            bytes += Int64(count)
        }
    }

    static func digest(
        ofFolder path: String, name: [UInt8]
    ) throws(ArtifactProblem) -> Digest {
        var stream = try TarStream(folder: path, as: name)
        var hasher = DigestHasher()
        while let bytes = try stream.next() { hasher.update(bytes) }
        return hasher.finalize()
    }

    /// The bytes of all files beneath a folder.
    private static func bytes(of folder: [UInt8], in root: Int32) throws(ArtifactProblem) -> Int64 {
        var sum: Int64 = 0
        var folders = [folder]
        while let path = folders.popLast() {
            for entry in try FolderListing(root: root, path: path).entries {
                switch entry.kind {
                case .file(let bytes, _): sum = sum.addingReportingOverflow(bytes).partialValue
                case .folder: folders.append(path + [UInt8(ascii: "/")] + entry.name)
                case .link: continue
                }
            }
        }
        return sum
    }
}
