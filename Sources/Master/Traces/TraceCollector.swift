internal import CCurl
internal import Glibc

/// Where traces are sent: one request of OTLP over HTTP at a time, with a bound on its time.
struct TraceCollector: Sendable {
    /// What came of a request.
    enum Answer: Sendable, Equatable {
        /// It has them; or a part, and `body` says of what not.
        case taken(body: [UInt8])
        /// It may take them later; `after` is what it asks to wait.
        case later(after: Duration?, why: String)
        /// It will never take them.
        case refused(why: String)
    }

    let url: String
    /// `Name: value`. They may be secrets.
    let headers: [String]

    /// Statuses after which the same is sent again (OTLP 1.x, "Retryable Response Codes").
    private static let retried: Set<Int> = [429, 502, 503, 504]
    private static let mostBody = 64 << 10
    private static let mostWaitSeconds = 300

    /// A collector; an address without a path stands for the usual one.
    init(endpoint: String, headers: [String]) {
        let place = endpoint.prefix { $0 != "?" && $0 != "#" }
        let path = place.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }
        let hasPath = path.count > 1 || place.count < endpoint.count
        url = hasPath ? endpoint : "\(place.dropLast(path.count))/v1/traces"
        self.headers = headers
    }

    /// Sends a body, and waits for the answer for so long at most. No task of the cooperative pool
    /// calls it.
    func send(_ body: [UInt8], within limit: Duration) -> Answer {
        let receiver = Receiver(most: Self.mostBody)
        var calls = danube_curl_receiver()
        calls.context = Unmanaged.passUnretained(receiver).toOpaque()
        calls.head = { context, line, size in
            let bytes = UnsafeRawBufferPointer(start: line, count: size)
            Receiver.of(context)?.take(String(decoding: bytes, as: UTF8.self))
        }
        calls.body = { context, bytes, size in
            guard let receiver = Receiver.of(context) else { return 1 }
            return receiver.take(UnsafeRawBufferPointer(start: bytes, count: size)) ? 0 : 1
        }
        var problem = [CChar](repeating: 0, count: 256)
        let end = withExtendedLifetime(receiver) { call(body, limit, &calls, &problem) }
        let words = String(
            decoding: problem.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        switch end {
        case DANUBE_CURL_DONE: return receiver.answer
        case DANUBE_CURL_STOPPED, DANUBE_CURL_UNAVAILABLE, DANUBE_CURL_REFUSED:
            return .refused(why: end == DANUBE_CURL_STOPPED ? "its answer is too long" : words)
        default: return .later(after: nil, why: words)
        }
    }

    private func call(
        _ body: [UInt8], _ limit: Duration, _ calls: inout danube_curl_receiver,
        _ problem: inout [CChar]
    ) -> danube_curl_end {
        // Without `Expect`, which costs a second with servers that do not know it.
        let lines = (headers + ["Content-Type: application/json", "Expect:"]).map { strdup($0) }
        defer { for line in lines { free(line) } }
        let list = lines.map { UnsafePointer($0) } + [nil]
        let milliseconds = max(
            1, Int(limit / .milliseconds(1)))
        return list.withUnsafeBufferPointer { list in
            url.withCString { url in
                body.withUnsafeBytes { bytes in
                    "POST".withCString { method in
                        var request = danube_curl_request()
                        request.method = method
                        request.url = url
                        request.headers = list.baseAddress
                        request.body = bytes.baseAddress
                        request.body_size = bytes.count
                        request.connect_milliseconds = milliseconds
                        request.whole_milliseconds = milliseconds
                        return danube_curl_perform(&request, &calls, &problem, problem.count)
                    }
                }
            }
        }
    }

    /// Receives what libcurl calls back with.
    private final class Receiver {
        private var status = 0
        private var after: Duration?
        private var body: [UInt8] = []
        private let most: Int

        init(most: Int) { self.most = most }

        static func of(_ context: UnsafeMutableRawPointer?) -> Receiver? {
            context.map { Unmanaged<Receiver>.fromOpaque($0).takeUnretainedValue() }
        }

        /// Takes a line: a status line starts anew, since `100 Continue` may come before.
        func take(_ line: String) {
            if line.hasPrefix("HTTP/") {
                let words = line.split(separator: " ", maxSplits: 2)
                status = words.count > 1 ? Int(words[1].prefix { $0.isNumber }) ?? 0 : 0
                after = nil
            } else if line.lowercased().hasPrefix("retry-after:") {
                let value = line.dropFirst(12).filter { !$0.isWhitespace }
                after = Int(value).map { .seconds(min(max(0, $0), mostWaitSeconds)) }
            }
        }

        func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
            guard body.count + bytes.count <= most else { return false }
            body += bytes
            return true
        }

        var answer: Answer {
            switch status {
            case 200..<300: .taken(body: body)
            case let status where retried.contains(status):
                .later(after: after, why: "it answered \(status)")
            default: .refused(why: "it answered \(status)")
            }
        }
    }
}
