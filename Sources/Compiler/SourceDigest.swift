internal import PipelineIR

/// Digests of what is read of a repository, as they stand in a plan's sources.
enum SourceDigest {
    /// SHA-256 of a file's content, in hexadecimal.
    static func hex(_ bytes: [UInt8]) -> String { Digest(of: bytes).hex }

    /// SHA-256 of a folder's names in their order, each followed by NUL.
    static func hex(names: [String]) -> String {
        var bytes: [UInt8] = []
        for name in names {
            bytes.append(contentsOf: name.utf8)
            bytes.append(0)
        }
        return hex(bytes)
    }
}
