import CCurl
import Glibc

/// One request over HTTP.
struct HTTPRequest {
    enum Method: String {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    var method = Method.get
    var url: String
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?
    /// A file with so many bytes, which is the body in place of `body`.
    var bodyFile: (path: String, size: Int64)?
    /// How long may pass before somebody answers the call.
    var connecting = Duration.seconds(10)
    /// How long nothing at all may come; `nil`: for ever.
    var stall: Duration?
    /// How long the whole may take; `nil`: for ever.
    var whole: Duration?
    /// Whether variables such as `https_proxy` are ignored.
    var skipsProxy = false
    /// Connections that it may use.
    var session: HTTPSession?
    /// Ends the transfer within a second.
    var stop: HTTPStop?
}

/// Connections that stay open for the next request. One thread at a time uses it.
///
/// SAFETY: It holds a pointer that nobody else has.
final class HTTPSession: @unchecked Sendable {
    fileprivate let pointer: OpaquePointer?

    /// Begins with none; without libcurl there will be none.
    init() { pointer = danube_curl_session_open() }

    deinit { danube_curl_session_close(pointer) }
}

/// What ends transfers, from any thread.
///
/// SAFETY: The number is written once, and whoever reads it too late looks again.
final class HTTPStop: @unchecked Sendable {
    fileprivate let flag = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    init() { flag.initialize(to: 0) }

    deinit { flag.deallocate() }

    /// Ends what is under way, and all that would begin.
    func stop() { flag.pointee = 1 }
}

/// What stands before the body of an answer.
struct HTTPHead {
    var status = 0
    /// Fields that somebody asks for, by their names in small letters.
    var fields: [String: String] = [:]

    /// Only these are kept, so that a head cannot take memory.
    private static let known: Set<String> = [
        "retry-after", "location", "content-length", "content-type",
    ]
    private static let mostValueBytes = 2048

    /// Takes a line: a status line starts anew, since `100 Continue` may come before the answer.
    mutating func take(_ line: String) {
        if line.hasPrefix("HTTP/") {
            fields = [:]
            let words = line.split(separator: " ", maxSplits: 2)
            status = words.count > 1 ? Int(words[1].prefix { $0.isNumber }) ?? 0 : 0
        } else if let colon = line.firstIndex(of: ":") {
            let name = line[..<colon].lowercased()
            guard Self.known.contains(name) else { return }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields[name] = String(value.prefix(Self.mostValueBytes).prefix { !$0.isNewline })
        }
    }
}

/// Why a request got no whole answer; with a sentence of the library.
enum TransferError: Error {
    case unavailable(String)
    case unreachable(String)
    case untrusted(String)
    case timedOut(String)
    /// The connection ended before the answer did.
    case cut(String)
    case refused(String)
}

extension HTTPRequest {
    /// Receives what libcurl calls back with.
    private final class Receiver {
        var head = HTTPHead()
        let body: (HTTPHead, UnsafeRawBufferPointer) -> Bool

        init(_ body: @escaping (HTTPHead, UnsafeRawBufferPointer) -> Bool) { self.body = body }

        static func of(_ context: UnsafeMutableRawPointer?) -> Receiver? {
            context.map { Unmanaged<Receiver>.fromOpaque($0).takeUnretainedValue() }
        }
    }

    /// Makes the request and gives its answer to `body` piece by piece, until that says `false`.
    func perform(
        _ body: @escaping (HTTPHead, UnsafeRawBufferPointer) -> Bool
    ) throws(TransferError) -> HTTPHead {
        let receiver = Receiver(body)
        var calls = danube_curl_receiver()
        calls.context = Unmanaged.passUnretained(receiver).toOpaque()
        calls.head = { context, line, size in
            let bytes = UnsafeRawBufferPointer(start: line, count: size)
            Receiver.of(context)?.head.take(String(decoding: bytes, as: UTF8.self))
        }
        calls.body = { context, bytes, size in
            guard let receiver = Receiver.of(context) else { return 1 }
            let piece = UnsafeRawBufferPointer(start: bytes, count: size)
            return receiver.body(receiver.head, piece) ? 0 : 1
        }
        var problem = [CChar](repeating: 0, count: 256)
        let end = withExtendedLifetime((receiver, session, stop)) { call(calls, &problem) }
        let words = String(
            decoding: problem.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        switch end {
        case DANUBE_CURL_DONE, DANUBE_CURL_STOPPED: return receiver.head
        case DANUBE_CURL_UNAVAILABLE: throw .unavailable(words)
        case DANUBE_CURL_UNREACHABLE: throw .unreachable(words)
        case DANUBE_CURL_UNTRUSTED: throw .untrusted(words)
        case DANUBE_CURL_TIMED_OUT: throw .timedOut(words)
        case DANUBE_CURL_CUT: throw .cut(words)
        default: throw .refused(words)
        }
    }

    private func call(
        _ receiver: danube_curl_receiver, _ problem: inout [CChar]
    ) -> danube_curl_end {
        var receiver = receiver
        let lines = headers.map { strdup("\($0.name): \($0.value)") }
        defer { for line in lines { free(line) } }
        let list = lines.map { UnsafePointer($0) } + [nil]
        return list.withUnsafeBufferPointer { list in
            url.withCString { url in
                method.rawValue.withCString { method in
                    (body ?? []).withUnsafeBytes { bytes in
                        (bodyFile?.path ?? "").withCString { path in
                            var request = bounded
                            request.method = method
                            request.url = url
                            request.headers = list.baseAddress
                            // A body of no bytes is one, too: it has a length.
                            request.body = body == nil ? nil : bytes.baseAddress ?? .init(method)
                            request.body_size = bytes.count
                            if let bodyFile {
                                request.body_path = path
                                request.body_size = Int(bodyFile.size)
                            }
                            return danube_curl_perform(&request, &receiver, &problem, problem.count)
                        }
                    }
                }
            }
        }
    }

    /// A request with the bounds of this one, and nothing else yet.
    private var bounded: danube_curl_request {
        var request = danube_curl_request()
        request.connect_milliseconds = Self.milliseconds(connecting)
        request.stall_seconds = stall.map { max(1, Self.milliseconds($0) / 1000) } ?? 0
        request.whole_milliseconds = whole.map(Self.milliseconds) ?? 0
        request.skips_proxy = skipsProxy ? 1 : 0
        request.session = session?.pointer
        request.stop = stop.map { UnsafePointer($0.flag) }
        return request
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        max(1, Int(clamping: DurationText.milliseconds(duration)))
    }
}
