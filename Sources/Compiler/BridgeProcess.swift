internal import CSandbox
internal import Glibc

/// One evaluation in a process of its own, from its start to its end.
///
/// The process is hostile from the moment the danubefile runs: it may stop, flood, close its end,
/// never read an answer, or send anything at all. So nothing here blocks but the one wait, which
/// has the deadline; what comes is bounded before it is kept; and the process is killed and reaped
/// on every way out.
package struct BridgeProcess {
    /// Takes the payloads of `tokens`, `pathEnd` and `diagnostics` as they come. What it throws
    /// ends the evaluation: a `BridgeError` as it is, anything else as a violation.
    package typealias Consumer = (FrameKind, [UInt8]) throws -> Void

    private var child: danube_child
    private var exchange: BridgeExchange
    private var outgoing: [UInt8]
    private var sent = 0
    private let limits: Limits
    private let deadline: Deadline

    /// Evaluates and answers what the danubefile asks for meanwhile. It returns within the deadline
    /// and half a second, whatever happens, and is to be called on a thread that may block.
    ///
    /// An evaluator that has said everything is killed, but not waited for: the kernel takes its
    /// memory apart while the plan is made of what it said.
    package static func evaluate(
        _ evaluation: Evaluation, source: RecordedSource, context: any ContextProvider,
        consume: Consumer
    ) throws(BridgeError) -> EndedEvaluation {
        var process = try BridgeProcess(evaluation, source: source, context: context)
        do {
            let report = try process.run(consume)
            danube_kill(&process.child)
            return EndedEvaluation(report: report, child: process.child)
        } catch {
            let end = process.end()
            guard case .died = error else { throw error }
            throw process.cause(of: end)
        }
    }

    /// Starts the evaluator and gives its greeting as it is, without evaluating anything.
    static func greet(_ evaluation: Evaluation) throws(BridgeError) -> BridgeReport {
        var process = try BridgeProcess(
            evaluation, source: RecordedSource(EmptySource()), context: EmptyContext(),
            isGreeting: true)
        let result = Result { () throws(BridgeError) in try process.run { _, _ in } }
        let end = process.end()
        guard case .failure(.died) = result else { return try result.get() }
        throw process.cause(of: end)
    }

    private init(
        _ evaluation: Evaluation, source: RecordedSource, context: any ContextProvider,
        isGreeting: Bool = false
    ) throws(BridgeError) {
        let program =
            if let given = evaluation.bridge { given } else { try BridgeLocation.find() }
        limits = evaluation.limits
        deadline = Deadline(after: limits.wallClock)
        outgoing = FrameStream.encode(.configuration, evaluation.configuration)
        guard outgoing.count <= Limits.frameBytes else {
            throw .tooLarge("parameters", limit: Limits.frameBytes)
        }
        exchange = BridgeExchange(
            source: source, context: context, limits: limits, isGreeting: isGreeting)
        child = danube_child()
        switch -danube_spawn(program, &child) {
        case 0: break
        case ENOENT: throw .notFound([program])
        case let error: throw .io("start \(program)", errno: error)
        }
    }

    // MARK: The exchange

    private mutating func run(_ consume: Consumer) throws(BridgeError) -> BridgeReport {
        while true {
            try send()
            if isIdle, let report = try takeFrames(consume) { return report }
            // An answer may have come up; while it waits to be sent, nothing more is taken in.
            if !isIdle, try trySend() { continue }
            try wait()
        }
    }

    private var isIdle: Bool { sent == outgoing.count }

    private mutating func send() throws(BridgeError) { _ = try trySend() }

    /// Sends what the channel takes. The result says whether that was all.
    private mutating func trySend() throws(BridgeError) -> Bool {
        while sent < outgoing.count {
            let count = outgoing.withUnsafeBytes { bytes in
                danube_send(
                    child.channel, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
            if count == -Int(EAGAIN) { return false }
            if count <= 0 {
                // Nobody is there to read it; what was sent before is still to be read here.
                outgoing = []
                sent = 0
                return true
            }
            sent += count
            try checkDeadline()
        }
        outgoing.removeAll(keepingCapacity: outgoing.capacity <= Self.chunkBytes)
        sent = 0
        return true
    }

    /// Takes frames until an answer has to be sent or there is no whole one any more. The result is
    /// the report when the last frame came.
    private mutating func takeFrames(_ consume: Consumer) throws(BridgeError) -> BridgeReport? {
        while isIdle {
            switch try exchange.next(consume) {
            case .incomplete: return nil
            case .taken: break
            case .answer(let bytes): outgoing = bytes
            case .done(let report): return report
            }
            try checkDeadline()
        }
        return nil
    }

    private mutating func wait() throws(BridgeError) {
        let left = try checkDeadline()
        let milliseconds = Int32(min((left + 999_999) / 1_000_000, 60_000))
        let found = danube_wait_ready(&child, isIdle ? 1 : 0, isIdle ? 0 : 1, milliseconds)
        if found < 0 { throw .io("poll", errno: -found) }
        let ended = found & Int32(DANUBE_HUNG_UP | DANUBE_ENDED) != 0
        if !isIdle {
            if ended {
                outgoing = []
                sent = 0
            }
            return
        }
        if found & Int32(DANUBE_READABLE) != 0 || ended { try receive(ended: ended) }
    }

    private mutating func receive(ended: Bool) throws(BridgeError) {
        let channel = child.channel
        let count = try withUnsafeTemporaryAllocation(
            byteCount: Self.chunkBytes, alignment: 16
        ) { chunk throws(BridgeError) in
            let count = danube_receive(channel, chunk.baseAddress, chunk.count)
            guard count > 0 else { return count }
            try exchange.receive(
                UnsafeBufferPointer(rebasing: chunk.bindMemory(to: UInt8.self)[..<count]))
            return count
        }
        if count == -Int(EAGAIN), !ended { return }
        guard count > 0 else {
            awaitEnd()
            throw .died(signal: 0, code: 0)
        }
    }

    @discardableResult
    private func checkDeadline() throws(BridgeError) -> Int64 {
        let left = deadline.left
        if left <= 0 { throw .timeout(limits.wallClock) }
        return left
    }

    private static let chunkBytes = 256 << 10

    // MARK: The end

    /// Kills and reaps. The result is the wait status.
    private mutating func end() -> Int32 {
        var status: Int32 = 0
        _ = danube_end(&child, &status)
        return status
    }

    /// A process whose channel has closed is about to end; it gets a moment to do so by itself, so
    /// that its own status is seen.
    private func awaitEnd() {
        var process = child
        process.channel = -1
        let left = min(max(deadline.left, 0), Self.lastMoment)
        _ = danube_wait_ready(&process, 0, 0, Int32(left / 1_000_000))
    }

    private static let lastMoment: Int64 = 200_000_000

    /// What it means that the evaluator ended before it was done.
    private func cause(of status: Int32) -> BridgeError {
        let code = danube_status_code(status)
        if exchange.report == nil, code == Self.loaderFailed {
            return .noLibPython(
                "\(BridgeLocation.name) could not be loaded; is the Python library installed?")
        }
        return .died(signal: danube_status_signal(status), code: code)
    }

    /// What the dynamic loader exits with when it does not find a library.
    private static let loaderFailed: Int32 = 127
}

/// An evaluation that was whole, with the process that it leaves behind.
package final class EndedEvaluation {
    /// What the evaluator reported.
    package let report: BridgeReport
    private var child: danube_child?

    fileprivate init(report: BridgeReport, child: danube_child) {
        self.report = report
        self.child = child
    }

    deinit { reap() }

    /// Waits until nothing is left of the process, which was killed.
    func reap() {
        guard var child else { return }
        self.child = nil
        var status: Int32 = 0
        _ = danube_end(&child, &status)
    }
}
