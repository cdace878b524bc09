import Executor
import Glibc
import Synchronization

/// Speaks to a cache elsewhere over HTTP: `GET`, `HEAD` and `PUT` of `ac/<digest>` and
/// `cas/<digest>` below an address, as Bazel does and its servers answer
/// (<https://bazel.build/remote/caching#http-caching>): a Danube master, bazel-remote, nginx with
/// WebDAV, a bucket.
final class RemoteCacheClient: CacheTransport {
    /// Where it is, and what is sent to be let in.
    private let place: MasterAddress
    private let authorization: String?
    private let sessions = Mutex<[HTTPSession]>([])
    private let ending = HTTPStop()

    /// How long nothing at all may come.
    private static let stall = Duration.seconds(20)
    private static let connecting = Duration.seconds(5)
    /// How long a result, and a content, may take in all.
    private static let mostForResult = Duration.seconds(30)
    private static let mostForContent = Duration.seconds(900)
    /// How often a request is made again whose connection broke.
    private static let mostTries = 2

    /// Uses the cache at an address.
    init(_ place: MasterAddress, authorization: String?) {
        self.place = place
        self.authorization = authorization
    }

    var address: String { place.text }

    func stop() { ending.stop() }

    func get(
        _ name: RemoteName, _ take: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws(RemoteCacheError) -> Bool {
        let head = try perform(.get, name, content: nil) { head, piece in
            head.status == 200 ? take(piece) : true
        }
        return try isThere(head)
    }

    func has(_ name: RemoteName) throws(RemoteCacheError) -> Bool {
        let head = try perform(.head, name, content: nil) { _, _ in true }
        // A server that does not know the method is sent everything.
        if head.status == 405 || head.status == 501 { return false }
        return try isThere(head)
    }

    func put(_ name: RemoteName, _ content: RemoteContent) throws(RemoteCacheError) {
        let head = try perform(.put, name, content: content) { _, _ in true }
        if (200..<300).contains(head.status) { return }
        switch head.status {
        case 413: throw RemoteCacheError("it takes none so large", isRefusal: true)
        case 507: throw RemoteCacheError("it has no room", isRefusal: true)
        default: throw failure(head)
        }
    }

    private func isThere(_ head: HTTPHead) throws(RemoteCacheError) -> Bool {
        switch head.status {
        case 200..<300: return true
        case 404, 410: return false
        default: throw failure(head)
        }
    }

    private func failure(_ head: HTTPHead) -> RemoteCacheError {
        switch head.status {
        case 401, 403:
            let sent = authorization == nil ? "no token was sent" : "the token is not let in"
            return RemoteCacheError("it answers \(head.status): \(sent)", isFinal: true)
        case 300..<400:
            return RemoteCacheError(
                "it answers \(head.status), and no redirect is followed", isFinal: true)
        default: return RemoteCacheError("it answers \(head.status)")
        }
    }

    private func perform(
        _ method: HTTPRequest.Method, _ name: RemoteName, content: RemoteContent?,
        _ take: @escaping (HTTPHead, UnsafeRawBufferPointer) -> Bool
    ) throws(RemoteCacheError) -> HTTPHead {
        var request = HTTPRequest(url: "\(place.text)/\(name.path)")
        request.method = method
        request.headers = [("Expect", "")]
        if let authorization { request.headers.append(("Authorization", authorization)) }
        switch content {
        case .bytes(let bytes): request.body = bytes
        case .file(let path, let size): request.bodyFile = (path, size)
        case nil: break
        }
        if content != nil { request.headers.append(("Content-Type", "application/octet-stream")) }
        request.connecting = Self.connecting
        request.stall = Self.stall
        if case .result = name {
            request.whole = Self.mostForResult
        } else {
            request.whole = Self.mostForContent
        }
        request.skipsProxy = place.isLoopback
        request.stop = ending
        let session = sessions.withLock { $0.popLast() } ?? HTTPSession()
        request.session = session
        defer { sessions.withLock { $0.append(session) } }
        return try perform(request, take)
    }

    private func perform(
        _ request: HTTPRequest, _ take: @escaping (HTTPHead, UnsafeRawBufferPointer) -> Bool
    ) throws(RemoteCacheError) -> HTTPHead {
        var tries = 0
        while true {
            tries += 1
            let hasBegun = Mutex(false)
            do throws(TransferError) {
                let head = try request.perform { head, piece in
                    hasBegun.withLock { $0 = true }
                    return take(head, piece)
                }
                // Nothing came of what was ended before its head.
                if head.status == 0 { throw TransferError.cut("it was ended") }
                return head
            } catch {
                if case .cut = error, tries < Self.mostTries, !hasBegun.withLock({ $0 }) {
                    continue
                }
                throw Self.failure(error)
            }
        }
    }

    private static func failure(_ error: TransferError) -> RemoteCacheError {
        switch error {
        case .unavailable(let why):
            RemoteCacheError("\(why) (Debian: apt-get install libcurl4)", isFinal: true)
        case .unreachable(let why):
            RemoteCacheError("it cannot be reached: \(why)", isFinal: true)
        case .untrusted(let why): RemoteCacheError("it is not trusted: \(why)", isFinal: true)
        case .timedOut(let why): RemoteCacheError("it did not answer in time: \(why)")
        case .cut(let why): RemoteCacheError("its answer broke off: \(why)")
        case .refused(let why): RemoteCacheError("it cannot be asked: \(why)", isFinal: true)
        }
    }
}
