internal import CFiles
internal import CSandbox
internal import Glibc
package import PipelineIR

/// A blob is kept as a plain file, as a program, or as both; one form is made of the other.
extension ContentStore {
    /// The path of a blob that is whole, in the form that is asked for; `nil` when the store does
    /// not have it. A form whose content turns out to be damaged is removed.
    package func wholePath(
        of digest: Digest, size: Int64, isExecutable: Bool
    ) throws(CacheError) -> String? {
        let path = path(of: digest, isExecutable: isExecutable)
        if isWhole(path, size: size) { return path }
        // What somebody wrote to is no longer the blob, also when its content still is.
        unlink(path)
        let other = self.path(of: digest, isExecutable: !isExecutable)
        let source = open(other, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if source < 0 { return nil }
        defer { close(source) }
        let draft = try Draft(self)
        do throws(CacheError) {
            guard try Self.copy(source, other, to: draft.file, draft.path, digest, size: size)
            else {
                quarantine(other)
                draft.discard()
                return nil
            }
            try draft.finish(as: path, isExecutable: isExecutable)
        } catch {
            draft.discard()
            throw error
        }
        added(path, bytes: size)
        return path
    }

    /// Copies an open blob to an empty file. False when its content is not what it must be.
    static func copy(
        _ source: Int32, _ from: String, to target: Int32, _ place: @autoclosure () -> String,
        _ digest: Digest, size: Int64
    ) throws(CacheError) -> Bool {
        let isClone = danube_clone(source, target) == 0
        var hasher = DigestHasher()
        let place = place()
        try FileReading.read(source, size, from) { bytes throws(CacheError) in
            hasher.update(bytes)
            if isClone { return }
            let error = danube_write_all(target, bytes.baseAddress, bytes.count)
            if error != 0 { throw .of(error, "write", place) }
        }
        return hasher.finalize() == digest
    }
}
