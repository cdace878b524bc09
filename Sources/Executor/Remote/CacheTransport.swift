package import PipelineIR

/// What a cache elsewhere is asked for: names are those of the HTTP scheme that Bazel and its
/// servers speak, <https://bazel.build/remote/caching#http-caching>.
package enum RemoteName: Sendable, Hashable {
    /// What is said of an action: an `ActionResult` message of the Remote Execution API.
    case result(Digest)
    /// A content.
    case content(Digest)

    /// `ac/…` or `cas/…`, to be put behind an address.
    package var path: String {
        switch self {
        case .result(let digest): "ac/\(digest.hex)"
        case .content(let digest): "cas/\(digest.hex)"
        }
    }
}

/// What is sent to a cache elsewhere.
package enum RemoteContent {
    case bytes([UInt8])
    /// A file with so many bytes.
    case file(path: String, size: Int64)
}

/// Why a cache elsewhere did not do what it was asked for.
package struct RemoteCacheError: Error, Equatable, CustomStringConvertible {
    /// Half a sentence: "it cannot be reached: …".
    package var description: String
    /// Whether nothing else will come of asking it again.
    package var isFinal: Bool
    /// Whether it has no room for this one content, or does not take it.
    package var isRefusal = false

    /// Describes a failure.
    package init(_ description: String, isFinal: Bool = false, isRefusal: Bool = false) {
        self.description = description
        self.isFinal = isFinal
        self.isRefusal = isRefusal
    }
}

/// Moves contents to and from a cache elsewhere. The program that has a network gives one.
///
/// It is called from several threads. Each call ends in bounded time.
package protocol CacheTransport: AnyObject, Sendable {
    /// Where the cache is, for people; without what nobody should see.
    var address: String { get }

    /// Gets a content and gives it piece by piece until `take` says `false`. `false` when nothing
    /// is there.
    func get(
        _ name: RemoteName, _ take: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws(RemoteCacheError) -> Bool

    /// Whether a content is there.
    func has(_ name: RemoteName) throws(RemoteCacheError) -> Bool

    /// Puts a content there.
    func put(_ name: RemoteName, _ content: RemoteContent) throws(RemoteCacheError)

    /// Ends what is under way, and all that follows.
    func stop()
}

/// A cache elsewhere that a run uses beside its own.
package struct RemoteCacheUse {
    /// How it is reached.
    package var transport: any CacheTransport
    /// Whether it gets the results of this run.
    package var isFilled: Bool

    /// Uses a cache.
    package init(_ transport: any CacheTransport, isFilled: Bool) {
        self.transport = transport
        self.isFilled = isFilled
    }
}
