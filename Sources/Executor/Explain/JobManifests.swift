internal import CSandbox
internal import Glibc
internal import PipelineIR

/// What those steps of a job were made of that did not succeed: the cache keeps successes only.
///
/// One file in the job's folder, which goes with it: for each step its key, the length of the
/// manifest as 8 bytes, and the manifest. Nothing is made where every step succeeds.
package final class JobManifests {
    /// Bytes that are kept of one job.
    static let mostBytes: Int64 = 16 << 20

    private let path: String

    /// Those of the job whose folder this is.
    package init(folder: String) { path = "\(folder)/manifests" }

    /// Keeps one. When it has no room, or the disk does not take it, an explanation is all that
    /// is lost.
    package func keep(_ manifest: Manifest) {
        let encoded = manifest.encoded()
        var bytes = manifest.key.digest.bytes
        let count = UInt64(encoded.count)
        for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: count >> UInt64(8 * place))) }
        bytes += encoded
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let end = lseek(file, 0, SEEK_END)
        guard end >= 0, Int64(end) + Int64(bytes.count) <= Self.mostBytes else { return }
        let error = bytes.withUnsafeBytes { danube_write_all(file, $0.baseAddress, $0.count) }
        if error != 0 { ftruncate(file, end) }
    }

    /// The manifest of a key; `nil` when it is not among them, or damaged.
    package func manifest(of key: ActionKey) -> Manifest? {
        guard let bytes = AtomicFile.read(path, most: Self.mostBytes) else { return nil }
        var rest = bytes[...]
        let head = Digest.byteCount + 8
        while rest.count >= head {
            let name = rest.prefix(Digest.byteCount)
            let number = rest.dropFirst(Digest.byteCount).prefix(8).reversed()
            let count = number.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(head)
            guard count <= UInt64(rest.count) else { return nil }
            if name.elementsEqual(key.digest.bytes) {
                let manifest = Manifest(encoded: Array(rest.prefix(Int(count))))
                return manifest?.key == key ? manifest : nil
            }
            rest = rest.dropFirst(Int(count))
        }
        return nil
    }
}
