internal import CFiles
internal import CSandbox
internal import Glibc
package import PipelineIR
internal import Synchronization

/// Contents by their SHA-256 digest, in files that never change.
///
/// A blob is `sha256/ab/<hex>` with mode 0644, or `<hex>.x` with mode 0755 where it was asked for
/// as a program; both may be there. All have the same, fixed time, so a blob that someone wrote to
/// is found out. Blobs are written aside and renamed, thus whole or absent; nothing is synchronised
/// one by one, since what a power cut tears is found out when it is read, and `flush` makes durable
/// what a result is about to rely on. Any number of processes and threads can use one store.
package final class ContentStore: Sendable {
    /// A blob that was put into the store.
    package struct Blob: Sendable, Hashable {
        package var digest: Digest
        /// Bytes.
        package var size: Int64

        /// Names a content by its digest and length.
        package init(digest: Digest, size: Int64) {
            self.digest = digest
            self.size = size
        }
    }

    /// Contents up to this size are hashed before they are written, so that one that is there
    /// already is not written again.
    static let mostInMemory = 1 << 20
    /// The time of all blobs: 2000-01-01T00:00:00Z.
    static let time: Int64 = 946_684_800
    /// The most new blobs that are synchronised one by one.
    static let mostSyncedOneByOne = 32

    /// The folder of the store.
    package let root: String
    let drafts: DraftFolder
    private let unsynced = Mutex<Unsynced>(Unsynced())
    private let added = Atomic<Int64>(0)

    private struct Unsynced {
        /// Where new blobs are, up to the number that is synchronised one by one.
        var paths: [String] = []
        var count = 0
    }

    /// Opens the store in a folder, making it when it is missing. Throws when it cannot be made.
    package init(_ root: String) throws(CacheError) {
        self.root = root
        var place = ""
        for component in "\(root)/sha256".split(separator: "/") {
            place += "/" + component
            if mkdir(place, 0o700) != 0, errno != EEXIST { throw .of(errno, "make", place) }
        }
        drafts = try DraftFolder(in: "\(root)/new")
    }

    /// Where a blob is, if it is there.
    package func path(of digest: Digest, isExecutable: Bool = false) -> String {
        let hex = digest.hex
        return "\(root)/sha256/\(hex.prefix(2))/\(hex)\(isExecutable ? ".x" : "")"
    }

    /// Whether a blob is there, in either form, with this size. Its content is not looked at.
    package func contains(_ digest: Digest, size: Int64) -> Bool {
        isWhole(path(of: digest), size: size)
            || isWhole(path(of: digest, isExecutable: true), size: size)
    }

    /// Whether a blob has the size it must have, and nobody wrote to it.
    func isWhole(_ path: String, size: Int64) -> Bool {
        var stamp = danube_stamp()
        return danube_stamp_at(AT_FDCWD, path, &stamp) == 0
            && stamp.kind == CChar(UInt8(ascii: "f")) && stamp.size == size
            && stamp.modified == Self.time * 1_000_000_000
    }

    /// The file of a blob that is there, in either form; `nil` when it is not.
    func file(_ blob: Blob) -> String? {
        let path = path(of: blob.digest)
        if isWhole(path, size: blob.size) { return path }
        let program = self.path(of: blob.digest, isExecutable: true)
        return isWhole(program, size: blob.size) ? program : nil
    }

    // MARK: Putting in

    /// Puts bytes into the store.
    @discardableResult
    package func insert(_ bytes: [UInt8], isExecutable: Bool = false) throws(CacheError) -> Blob {
        let digest = Digest(of: bytes)
        try insert(bytes, digest: digest, isExecutable: isExecutable)
        return Blob(digest: digest, size: Int64(bytes.count))
    }

    /// Puts bytes into the store whose digest is known.
    func insert(
        _ bytes: [UInt8], digest: Digest, isExecutable: Bool
    ) throws(CacheError) {
        let path = path(of: digest, isExecutable: isExecutable)
        if isWhole(path, size: Int64(bytes.count)) { return }
        let draft = try Draft(self)
        do {
            try draft.write(bytes)
            try draft.finish(as: path, isExecutable: isExecutable)
        } catch {
            draft.discard()
            throw error
        }
        added(path, bytes: Int64(bytes.count))
    }

    /// Makes a blob of what was written aside, which is this content. The draft is used up.
    func add(_ draft: Draft, _ blob: Blob) throws(CacheError) {
        let path = path(of: blob.digest)
        if isWhole(path, size: blob.size) { return draft.discard() }
        do throws(CacheError) {
            try draft.finish(as: path, isExecutable: false)
        } catch {
            draft.discard()
            throw error
        }
        added(path, bytes: blob.size)
    }

    /// Bytes of all blobs that were put in through this object and had not been there.
    var addedBytes: Int64 { added.load(ordering: .relaxed) }

    /// Notes that a blob is new, for `flush`.
    func added(_ path: String, bytes: Int64) {
        added.add(bytes, ordering: .relaxed)
        unsynced.withLock { state in
            state.count += 1
            if state.paths.count < Self.mostSyncedOneByOne { state.paths.append(path) }
        }
    }

    /// Makes durable all that was put in through this object since the last time.
    package func flush() throws(CacheError) {
        let work = unsynced.withLock { state in
            defer { state = Unsynced() }
            return state
        }
        if work.count == 0 { return }
        do throws(CacheError) {
            if work.count > work.paths.count {
                try sync("\(root)/sha256", all: true)
            } else {
                var folders: Set<Substring> = []
                for path in work.paths {
                    try sync(path, all: false)
                    folders.insert(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
                }
                for folder in folders { try sync(String(folder), all: false) }
            }
        } catch {
            unsynced.withLock { state in
                state.count += work.count
                state.paths = Array((work.paths + state.paths).prefix(Self.mostSyncedOneByOne))
            }
            throw error
        }
    }

    private func sync(_ path: String, all: Bool) throws(CacheError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 {
            // A blob that was removed meanwhile has nothing to be kept.
            if errno == ENOENT { return }
            throw .of(errno, "open", path)
        }
        defer { close(file) }
        let error = all ? danube_sync_all(file) : fsync(file) < 0 ? -errno : 0
        if error != 0 { throw .of(error, "synchronise", path) }
    }

    // MARK: Getting out

    /// The content of a blob; `nil` when it is not there. A blob whose content is not what its name
    /// says is removed and counts as absent.
    ///
    /// - Parameter most: larger blobs count as absent; a caller knows how much it can hold.
    package func read(_ digest: Digest, most: Int64 = .max) -> [UInt8]? {
        for isExecutable in [false, true] {
            let path = path(of: digest, isExecutable: isExecutable)
            guard let bytes = AtomicFile.read(path, most: most) else { continue }
            if Digest(of: bytes) == digest { return bytes }
            quarantine(path)
        }
        return nil
    }

    /// Removes what cannot be the blob that its name says.
    func quarantine(_ path: String) { unlink(path) }
}
