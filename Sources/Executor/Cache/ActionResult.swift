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
}
