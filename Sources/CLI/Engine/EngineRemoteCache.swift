import Executor
import Glibc

/// The cache elsewhere that a job of a master uses.
enum EngineRemoteCache {
    private static let mostTokenBytes = 4096

    /// The cache at an address, which the token in a file lets in. No job fails because it cannot
    /// be used: the job says why it is not.
    static func use(_ url: String, tokenFile: String) -> RemoteCacheUse {
        do throws(Failure) {
            let place = try MasterAddress(url, of: "a cache", token: "cache.remote_token")
            let token = tokenFile.isEmpty ? nil : try token(in: tokenFile)
            return RemoteCacheUse(
                RemoteCacheClient(
                    place, authorization: try RemoteCacheOptions.authorization(token, at: place)),
                isFilled: true)
        } catch {
            return RemoteCacheUse(
                Unusable(address: url, reason: error.words.message ?? "it cannot be used"),
                isFilled: false)
        }
    }

    private static func token(in path: String) throws(Failure) -> String {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .environment("cannot read \(path): \(FileBytes.reason(errno))")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw .environment("others than its owner may use \(path)")
        }
        let bytes = try FileBytes.read(path, limit: mostTokenBytes)
        return String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
    }

    /// Is asked once, and says why it is not asked again.
    private final class Unusable: CacheTransport {
        let address: String
        private let reason: String

        init(address: String, reason: String) {
            self.address = address
            self.reason = reason
        }

        private var error: RemoteCacheError { RemoteCacheError(reason, isFinal: true) }

        func get(
            _ name: RemoteName, _ take: @escaping (UnsafeRawBufferPointer) -> Bool
        ) throws(RemoteCacheError) -> Bool {
            throw error
        }

        func has(_ name: RemoteName) throws(RemoteCacheError) -> Bool { throw error }

        func put(_ name: RemoteName, _ content: RemoteContent) throws(RemoteCacheError) {
            throw error
        }

        func stop() {}
    }
}
