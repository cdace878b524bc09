internal import CFiles
internal import Glibc
package import PipelineIR

extension ContentStore {
    /// A file of the store.
    package struct Stored {
        /// What it is the content of.
        package var digest: Digest
        var isExecutable: Bool
        var stamp: FileStamp
        /// The file.
        package var path: String

        /// Bytes.
        package var size: Int64 { stamp.size }
        /// When anything about it changed, in nanoseconds since 1970.
        package var changed: Int64 { stamp.changed }
    }

    /// Calls a function for each blob. Files whose name is none are passed over.
    package func forEachBlob(
        _ body: (Stored) throws(CacheError) -> Void
    ) throws(CacheError) {
        let folder = try Folder("\(root)/sha256")
        for byte in 0..<256 {
            let hex = String(byte, radix: 16)
            let name = TreePath(unchecked: Array((hex.utf8.count == 1 ? "0" + hex : hex).utf8))
            let names = try FolderNames(
                folder, name, most: TreeScan.mostFiles, wants: { _, _ in true })
            guard let names else { continue }
            for index in 0..<names.count {
                var text = String(decoding: names.name(of: index), as: UTF8.self)
                let isExecutable = text.hasSuffix(".x")
                let path = "\(root)/sha256/\(name)/\(text)"
                if isExecutable { text.removeLast(2) }
                guard let digest = Digest(hex: text),
                    let stamp = names.stamp(of: index).flatMap(FileStamp.init)
                else { continue }
                try body(
                    Stored(digest: digest, isExecutable: isExecutable, stamp: stamp, path: path))
            }
        }
    }

    /// What a verification found.
    package struct Verification: Sendable, Equatable {
        package var blobs = 0
        package var bytes: Int64 = 0
        /// Blobs whose content was not what their names say; they were removed.
        package var damaged: [Digest] = []

        /// Of a store with nothing in it.
        package static let empty = Verification()
    }

    /// Reads every blob and removes those that are damaged.
    package func verify() throws(CacheError) -> Verification {
        var found = Verification()
        try forEachBlob { blob throws(CacheError) in
            let file = open(blob.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            if file < 0 { return }
            defer { close(file) }
            var hasher = DigestHasher()
            try FileReading.read(file, blob.stamp.size, blob.path) { bytes throws(CacheError) in
                hasher.update(bytes)
            }
            found.blobs += 1
            found.bytes += blob.stamp.size
            let wasWrittenTo = blob.stamp.modified != Self.time * 1_000_000_000
            if hasher.finalize() != blob.digest || blob.stamp.kind != .file || wasWrittenTo {
                quarantine(blob.path)
                found.damaged.append(blob.digest)
            }
        }
        return found
    }

    /// Removes what was being written by processes that ended before they could finish.
    func removeOldDrafts(olderThan time: Int64) throws(CacheError) {
        let folder = try Folder(drafts.above)
        for draft in try TreeScan(folder, [Glob("**")]).found where draft.stamp.changed < time {
            let isFolder = draft.stamp.kind == .folder
            _ = draft.path.withCString {
                unlinkat(folder.descriptor, $0, isFolder ? AT_REMOVEDIR : 0)
            }
        }
    }
}
