internal import PipelineIR

/// What an action that succeeded came to.
package struct ActionResult: Sendable, Equatable {
    package var key: ActionKey
    /// What it wrote, of what it declares.
    package var outputs: FileTree
    /// What it printed, as a blob of the store in the form of `KeptLog`; `nil` when it printed
    /// nothing. The result is worth no less when the blob is gone.
    package var log: ContentStore.Blob?
    /// Captured standard output; `nil` when it was not captured.
    package var captured: String?
    package var durationMilliseconds: UInt64
    /// The id of the job that executed it, and of the step there.
    package var job: String
    package var step: String
    /// Seconds since 1970.
    package var created: Int64

    /// Creates a result from its parts.
    package init(
        key: ActionKey, outputs: FileTree, log: ContentStore.Blob?, captured: String?,
        durationMilliseconds: UInt64, job: String, step: String, created: Int64
    ) {
        self.key = key
        self.outputs = outputs
        self.log = log
        self.captured = captured
        self.durationMilliseconds = durationMilliseconds
        self.job = job
        self.step = step
        self.created = created
    }

    /// All blobs that belong to the result, with their sizes: those that it relies on, and its log.
    package var blobs: [ContentStore.Blob] { (log.map { [$0] } ?? []) + neededBlobs }

    /// The blobs without which there is no result.
    var neededBlobs: [ContentStore.Blob] {
        var blobs: [ContentStore.Blob] = []
        for entry in outputs.entries {
            if case .file(let digest, let size, _) = entry.node {
                blobs.append(ContentStore.Blob(digest: digest, size: size))
            }
        }
        return blobs
    }

    /// Bytes of all that belongs to it.
    package var size: Int64 { blobs.reduce(0) { $0 &+ $1.size } }

    /// The `ActionResult` message of the Remote Execution API. Its output is one folder, the
    /// workspace, given as the digest of the `Tree` message, which goes into the store with it.
    /// The log has no place in it: there, output is one digest for each stream, out of order.
    package func wire() -> (message: [UInt8], tree: [UInt8]) {
        let encoded = outputs.encoded()
        let tree = encoded.tree
        var folder = WireWriter()
        folder.field(3, Digest(of: tree).wire(size: Int64(tree.count)))
        folder.field(4, 1)
        folder.field(5, encoded.root.digest.wire(size: Int64(encoded.root.bytes.count)))
        var metadata = WireWriter()
        metadata.field(1, job.utf8)
        var writer = WireWriter()
        writer.field(3, folder.bytes)
        writer.field(5, Array((captured ?? "").utf8))
        writer.field(9, metadata.bytes)
        return (writer.bytes, tree)
    }
}
