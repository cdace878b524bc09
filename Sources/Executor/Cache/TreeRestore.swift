internal import CFiles
internal import CSandbox
internal import Glibc
internal import PipelineIR

/// Puts the files of a tree into a folder.
///
/// Nothing is written outside of the folder, whatever links stand in it or are swapped meanwhile:
/// every path is resolved beneath it without following links. What is in the way is removed. One
/// restore belongs to one thread; several may work in one folder on different paths.
package struct TreeRestore {
    /// How contents get into the folder.
    package enum Method: Sendable {
        /// As new files, verified while they are written; blocks are shared where the file system
        /// can. Files are the caller's own, with the permissions of new files and the time of now.
        case copy
        /// As further names of the store's blobs, which must never be written to.
        case link
    }

    private let store: ContentStore
    private let folder: Folder
    private let method: Method
    private let memory: DigestMemory?
    private var parent: (path: TreePath, descriptor: Descriptor)?
    /// The folder that was asked last whether drafts can be renamed into it, and the answer.
    private var renaming: (folder: TreePath, isPossible: Bool)?
    private let storeDevice: UInt64
    /// How often a blob is linked that others keep replacing.
    private static let mostLinks = 100

    /// Creates a restore.
    ///
    /// - Parameter memory: learns the digests of what was copied, so that nobody has to read it.
    package init(
        from store: ContentStore, into folder: Folder, by method: Method,
        memory: DigestMemory? = nil
    ) {
        self.store = store
        self.folder = folder
        self.method = method
        self.memory = memory
        var stamp = danube_stamp()
        storeDevice = danube_stamp_at(AT_FDCWD, store.root, &stamp) == 0 ? stamp.device : 0
    }

    /// Restores what is not there yet.
    ///
    /// - Parameter present: what is known to be in the folder; equal entries are left alone.
    /// - Throws: `missing` when a blob is not there or damaged; the folder is then half done.
    /// - Returns: how many entries were put there.
    package mutating func restore(
        _ tree: FileTree, present: FileTree = .empty
    ) throws(CacheError) -> Int {
        defer {
            parent?.descriptor.close()
            parent = nil
            renaming = nil
        }
        var count = 0
        var there = present.entries[...]
        for entry in tree.entries {
            while let first = there.first, first.path < entry.path { there.removeFirst() }
            if let first = there.first, first == entry { continue }
            try restore(entry)
            count += 1
        }
        return count
    }

    private mutating func restore(_ entry: FileTree.Entry) throws(CacheError) {
        switch entry.node {
        case .folder: _ = try enter(entry.path)
        case .link(let target):
            try create(entry.path) { parent, name in
                TreePath.withCString(target[...]) { symlinkat($0, parent, name) < 0 ? -errno : 0 }
            }
        case .file(let digest, let size, let isExecutable):
            switch method {
            case .copy:
                try copy(Blob(digest: digest, size: size, isExecutable: isExecutable), entry.path)
            case .link:
                try link(Blob(digest: digest, size: size, isExecutable: isExecutable), entry.path)
            }
        }
    }

    private struct Blob {
        let digest: Digest
        let size: Int64
        let isExecutable: Bool
    }

    // MARK: Files

    private mutating func link(_ blob: Blob, _ path: TreePath) throws(CacheError) {
        for attempt in 1... {
            let source = try store.wholePath(
                of: blob.digest, size: blob.size, isExecutable: blob.isExecutable)
            guard let source else { throw .missing(blob.digest, path: path.text) }
            do throws(CacheError) {
                _ = try create(path) { parent, name in
                    linkat(AT_FDCWD, source, parent, name, 0) < 0 ? -errno : 0
                }
                return
            } catch {
                // Another process has just put the same blob in the place of the file that was
                // found there, which is then no more (`vfs_link`).
                if error.errno == ENOENT, attempt < Self.mostLinks { continue }
                // Another file system, or as many names as one file can have.
                guard error.errno == EXDEV || error.errno == EMLINK else { throw error }
                return try copy(blob, path)
            }
        }
    }

    private mutating func copy(_ blob: Blob, _ path: TreePath) throws(CacheError) {
        // Small ones are verified before anything is written.
        var bytes: [UInt8]?
        if blob.size <= ContentStore.mostInMemory {
            bytes = store.read(blob.digest, most: blob.size)
            guard bytes?.count == Int(blob.size) else {
                throw .missing(blob.digest, path: path.text)
            }
        }
        let readAt = DigestMemory.clock()
        let mode: mode_t = blob.isExecutable ? 0o777 : 0o666
        let file: Descriptor
        if try canRename(into: path.parent) {
            let draft = try Draft(store, mode: mode)
            file = Descriptor(draft.file)
            do throws(CacheError) {
                try fill(file, blob, bytes, path)
                try replace(path, by: draft.path)
            } catch {
                draft.discard()
                // The same device, but mounted twice.
                guard error.errno == EXDEV else { throw error }
                renaming = (path.parent, false)
                return try copy(blob, path)
            }
        } else {
            file = Descriptor(
                try create(path) { parent, name in
                    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
                    let file = openat(parent, name, flags, mode)
                    return file < 0 ? -errno : file
                })
            do throws(CacheError) {
                try fill(file, blob, bytes, path)
            } catch {
                file.close()
                remove(path)
                throw error
            }
        }
        defer { file.close() }
        if let memory {
            let stamp = try file.stamp(folder.place(path))
            memory.remember(blob.digest, of: path, stamp, readAt: readAt)
        }
    }

    private func fill(
        _ file: Descriptor, _ blob: Blob, _ bytes: [UInt8]?, _ path: TreePath
    ) throws(CacheError) {
        guard let bytes else { return try copyLarge(blob, to: file, path) }
        let error = bytes.withUnsafeBytes {
            danube_write_all(file.number, $0.baseAddress, $0.count)
        }
        if error != 0 { throw .of(error, "write", folder.place(path)) }
    }

    /// Copies and verifies in one pass; a damaged blob is removed from the store.
    private func copyLarge(
        _ blob: Blob, to file: Descriptor, _ path: TreePath
    ) throws(CacheError) {
        for isExecutable in [blob.isExecutable, !blob.isExecutable] {
            let place = store.path(of: blob.digest, isExecutable: isExecutable)
            let source = open(place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            if source < 0 { continue }
            defer { close(source) }
            guard ftruncate(file.number, 0) == 0, lseek(file.number, 0, SEEK_SET) == 0 else {
                throw .of(errno, "write", folder.place(path))
            }
            let isWhole = try ContentStore.copy(
                source, place, to: file.number, folder.place(path), blob.digest, size: blob.size)
            if isWhole { return }
            store.quarantine(place)
        }
        throw .missing(blob.digest, path: path.text)
    }

    // MARK: Names

    /// Whether files can be made in the store and renamed into a folder: they are there whole or
    /// not at all then, and see `DraftFolder`. Not where a folder hands its group on to new files.
    private mutating func canRename(into path: TreePath) throws(CacheError) -> Bool {
        if let renaming, renaming.folder == path { return renaming.isPossible }
        var stamp = danube_stamp()
        let error = danube_stamp(try enter(path), &stamp)
        if error != 0 { throw .of(error, "look at", folder.place(path)) }
        let isPossible = stamp.device == storeDevice && stamp.mode & UInt32(S_ISGID) == 0
        renaming = (path, isPossible)
        return isPossible
    }

    /// Renames a file of the store to a path, over what is there.
    private mutating func replace(_ path: TreePath, by draft: String) throws(CacheError) {
        let parent = try enter(path.parent)
        func rename() -> Int32 {
            TreePath.withCString(path.name) {
                renameat(AT_FDCWD, draft, parent, $0) < 0 ? errno : 0
            }
        }
        var error = rename()
        if error == EISDIR || error == ENOTEMPTY || error == EEXIST {
            try FolderRemoval.remove(path, in: folder)
            error = rename()
        }
        if error != 0 { throw .of(error, "make", folder.place(path)) }
    }

    /// Makes a name with a call that gives a result or `-errno`; what is in the way is removed.
    @discardableResult
    private mutating func create(
        _ path: TreePath, _ make: (Int32, UnsafePointer<CChar>) -> Int32
    ) throws(CacheError) -> Int32 {
        let parent = try enter(path.parent)
        var result = TreePath.withCString(path.name) { make(parent, $0) }
        if result == -EEXIST {
            try FolderRemoval.remove(path, in: folder)
            result = TreePath.withCString(path.name) { make(parent, $0) }
        }
        if result < 0 { throw .of(result, "make", folder.place(path)) }
        return result
    }

    private mutating func remove(_ path: TreePath) {
        guard let parent = try? enter(path.parent) else { return }
        _ = TreePath.withCString(path.name) { unlinkat(parent, $0, 0) }
    }

    /// Opens a folder, making it and those above it; what is no folder and in the way is removed.
    private mutating func enter(_ path: TreePath) throws(CacheError) -> Int32 {
        if path.isRoot { return folder.descriptor }
        if let parent, parent.path == path { return parent.descriptor.number }
        parent?.descriptor.close()
        parent = nil
        let flags = Int32(DANUBE_O_PATH) | O_DIRECTORY
        if let found = try? folder.open(path, flags) {
            parent = (path, found)
            return found.number
        }
        var end = 0
        while end < path.bytes.count {
            let start = end == 0 ? 0 : end + 1
            end = path.bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.bytes.count
            try makeFolder(TreePath(unchecked: Array(path.bytes[..<end])))
        }
        guard let made = try folder.open(path, flags) else {
            throw .of(ENOENT, "open", folder.place(path))
        }
        parent = (path, made)
        return made.number
    }

    private func makeFolder(_ path: TreePath) throws(CacheError) {
        let flags = Int32(DANUBE_O_PATH) | O_DIRECTORY
        guard let above = try folder.open(path.parent, flags) else {
            throw .of(ENOENT, "open", folder.place(path.parent))
        }
        defer { above.close() }
        func make() -> Int32 {
            TreePath.withCString(path.name) { mkdirat(above.number, $0, 0o777) < 0 ? -errno : 0 }
        }
        var error = make()
        if error == -EEXIST {
            if try folder.stamp(path)?.kind == .folder { return }
            try FolderRemoval.remove(path, in: folder)
            error = make()
        }
        if error != 0 { throw .of(error, "make", folder.place(path)) }
    }
}
