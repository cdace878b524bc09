/// What is said between compiler and evaluator, apart from how it is carried: bytes go in, answers
/// and the report come out.
///
/// The bytes are hostile. They are bounded before they are kept, frames before they are collected,
/// and what is not the protocol ends it.
struct BridgeExchange {
    /// What came of looking for a frame.
    enum Outcome {
        /// There is no whole frame yet.
        case incomplete
        /// A frame was taken that needs no answer.
        case taken
        /// A request was taken; these bytes are to be sent.
        case answer([UInt8])
        /// The last frame was taken; there is a report now.
        case done(BridgeReport)
    }

    private var frames = FrameStream()
    private var requests: BridgeRequests
    private(set) var report: BridgeReport?
    private var received = 0
    /// Whether the greeting is all that is wanted.
    private let isGreeting: Bool
    private let limits: Limits

    init(
        source: RecordedSource, context: any ContextProvider, limits: Limits,
        isGreeting: Bool = false
    ) {
        requests = BridgeRequests(source: source, context: context)
        self.limits = limits
        self.isGreeting = isGreeting
    }

    /// Adds what was received.
    mutating func receive(_ bytes: UnsafeBufferPointer<UInt8>) throws(BridgeError) {
        received += bytes.count
        if received > limits.resultBytes { throw .tooLarge("result", limit: limits.resultBytes) }
        frames.append(bytes)
    }

    /// Takes the next frame.
    mutating func next(_ consume: BridgeProcess.Consumer) throws(BridgeError) -> Outcome {
        let next: (kind: FrameKind, payload: [UInt8])?
        do { next = try frames.next() } catch {
            if case .tooLong(_, let limit) = error { throw .tooLarge("a frame", limit: limit) }
            throw .violation("a frame: \(error)")
        }
        guard let next else { return .incomplete }
        return try take(next.kind, next.payload, consume)
    }

    private mutating func take(
        _ kind: FrameKind, _ payload: [UInt8], _ consume: BridgeProcess.Consumer
    ) throws(BridgeError) -> Outcome {
        if (kind == .hello) != (report == nil) {
            throw .violation(report == nil ? "no greeting" : "a second greeting")
        }
        switch kind {
        case .hello: return try greeted(payload)
        case .request:
            guard requests.count < Limits.requests else {
                throw .tooLarge("requests", limit: Limits.requests)
            }
            do { return .answer(FrameStream.encode(.answer, try requests.answer(payload))) } catch {
                throw .violation("a request: \(error)")
            }
        case .done:
            guard var report else { throw .violation("no greeting") }
            report.done = payload
            report.receivedBytes = received
            report.requests = requests.count
            return .done(report)
        case .tokens, .pathEnd, .diagnostics:
            do {
                try consume(kind, payload)
            } catch let error as BridgeError {
                throw error
            } catch let error as RecordingError {
                throw Self.words(error)
            } catch {
                throw .violation("\(error)")
            }
            return .taken
        case .configuration, .answer: throw .violation("a frame of the compiler's own")
        }
    }

    /// A bound that was reached is told from what is not the protocol: an honest danubefile may
    /// reach it.
    private static func words(_ error: RecordingError) -> BridgeError {
        switch error {
        case .tooMany(let what, let limit): .tooLarge(what, limit: limit)
        case .marshal(.tooLong(MarshalReader.textLimit..., _)):
            .tooLarge("a text", limit: MarshalReader.textLimit)
        case .marshal(.badText): .violation("a text that is not UTF-8")
        default: .violation("\(error)")
        }
    }

    private mutating func greeted(_ payload: [UInt8]) throws(BridgeError) -> Outcome {
        let hello: BridgeReport
        do { hello = try BridgeReport(hello: payload) } catch {
            throw .violation("the greeting: \(error)")
        }
        report = hello
        if isGreeting { return .done(hello) }
        try hello.check()
        requests.source.python = hello.python
        return .taken
    }
}
