internal import CFiles
internal import CSandbox
internal import Glibc
internal import PipelineIR

/// Hashing and keeping files that others may write to at the same time.
///
/// A file is looked at before and after it was read; when it was changed meanwhile it is read
/// again.
struct FileReading {
    /// How often a file that keeps changing is read before giving up.
    static let mostAttempts = 4
    static let chunkSize = 1 << 18

    let folder: Folder

    /// What a file was found to be.
    struct Read: Equatable {
        var digest: Digest
        var stamp: FileStamp
        /// `DigestMemory.clock()` before it was opened.
        var readAt: Int64
    }

    /// Hashes a file; `nil` when there is no regular file at the path.
    func hash(_ path: TreePath) throws(CacheError) -> Read? {
        try attempt(path) { (file, stamp) throws(CacheError) in
            var hasher = DigestHasher()
            try Self.read(file, stamp.size, folder.place(path)) { bytes throws(CacheError) in
                hasher.update(bytes)
            }
            return hasher.finalize()
        }
    }

    /// Hashes a file and puts it into a store, in one pass; `nil` when there is no regular file.
    func ingest(_ path: TreePath, into store: ContentStore) throws(CacheError) -> Read? {
        try attempt(path) { (file, stamp) throws(CacheError) in
            if stamp.size <= ContentStore.mostInMemory {
                return try ingestSmall(file, stamp, path, store)
            }
            return try ingestLarge(file, stamp, path, store)
        }
    }

    private func ingestSmall(
        _ file: Int32, _ stamp: FileStamp, _ path: TreePath, _ store: ContentStore
    ) throws(CacheError) -> Digest? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(stamp.size))
        try Self.read(file, stamp.size, folder.place(path)) { bytes.append(contentsOf: $0) }
        // A file that was cut or has grown is not kept. One that was written to in place may be:
        // its mixed content has a digest like any other, and nothing will ask for it.
        guard bytes.count == Int(stamp.size) else { return nil }
        let digest = Digest(of: bytes)
        try store.insert(bytes, digest: digest, isExecutable: stamp.isExecutable)
        return digest
    }

    private func ingestLarge(
        _ file: Int32, _ stamp: FileStamp, _ path: TreePath, _ store: ContentStore
    ) throws(CacheError) -> Digest? {
        let draft = try Draft(store)
        do throws(CacheError) {
            var hasher = DigestHasher()
            // A clone is not touched by later writes, so what is hashed is what is kept.
            let isClone = danube_clone(file, draft.file) == 0
            let source = isClone ? draft.file : file
            try Self.read(source, stamp.size, folder.place(path)) { bytes throws(CacheError) in
                hasher.update(bytes)
                if !isClone { try draft.write(bytes) }
            }
            let digest = hasher.finalize()
            let blob = store.path(of: digest, isExecutable: stamp.isExecutable)
            if store.isWhole(blob, size: stamp.size) {
                draft.discard()
            } else {
                try draft.finish(as: blob, isExecutable: stamp.isExecutable)
                store.added(blob, bytes: stamp.size)
            }
            return digest
        } catch {
            draft.discard()
            throw error
        }
    }

    private func isUnchanged(
        _ file: Int32, _ before: FileStamp, _ path: TreePath
    ) throws(CacheError) -> Bool {
        try Descriptor(file).stamp(folder.place(path)) == before
    }

    /// Opens a file and reads it until it was the same before and after.
    private func attempt(
        _ path: TreePath, _ body: (Int32, FileStamp) throws(CacheError) -> Digest?
    ) throws(CacheError) -> Read? {
        for _ in 0..<Self.mostAttempts {
            let readAt = DigestMemory.clock()
            guard let file = try folder.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
            else { return nil }
            defer { file.close() }
            let stamp = try file.stamp(folder.place(path))
            guard stamp.kind == .file else { return nil }
            if let digest = try body(file.number, stamp), try isUnchanged(file.number, stamp, path)
            {
                return Read(digest: digest, stamp: stamp, readAt: readAt)
            }
        }
        throw .changing(path: folder.place(path))
    }

    /// Reads a file chunk by chunk to its end, but no further than a little beyond `size`, so that
    /// a file that grows for ever ends too.
    static func read(
        _ file: Int32, _ size: Int64, _ place: @autoclosure () -> String,
        _ body: (UnsafeRawBufferPointer) throws(CacheError) -> Void
    ) throws(CacheError) {
        let capacity = Int(min(Int64(chunkSize), max(0, size) + 1))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while offset <= size {
            let got = danube_pread(file, buffer.baseAddress, capacity, offset)
            if got < 0 { throw .of(Int32(got), "read", place()) }
            if got == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            offset += Int64(got)
            // The size is known, so that a small file needs no second call to find its end.
            if offset == size, got < capacity { return }
        }
    }
}
