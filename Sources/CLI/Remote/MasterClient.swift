import Compiler
import Glibc

/// Speaks to a master.
struct MasterClient {
    let address: MasterAddress
    let token: String
    /// How long a master may say nothing.
    let timeout: Duration

    /// A JSON answer holds no more bytes; a plan of 100,000 steps fits.
    static let mostAnswerBytes = 32 << 20
    private static let mostRetries = 4
    private static let mostCutRetries = 2
    private static let longestWaitSeconds = 30

    /// What is asked of the master.
    struct Call {
        var method = HTTPRequest.Method.get
        /// Below `/api/v1`.
        var path: [String]
        var query: [(String, String)] = []
        var headers: [(name: String, value: String)] = []
        var body: JSONValue?
        /// Whether asking twice does no more than asking once.
        var isRepeatable = true

        init(_ method: HTTPRequest.Method = .get, _ path: String...) {
            self.method = method
            self.path = path
        }
    }

    /// How long an answer may take.
    enum Patience {
        /// It is small, and known at once.
        case answer
        /// It is large.
        case download
        /// It goes on as long as a job does.
        case stream
    }

    /// Asks, and reads the answer as JSON; `null` when it is empty.
    func json(_ call: Call) throws(Failure) -> JSONValue {
        let answer: Answer
        do throws(TransferError) {
            answer = try repeating(call, patience: .answer, sink: nil)
        } catch {
            throw failure(error)
        }
        try check(answer)
        if answer.body.isEmpty { return .null }
        do { return try JSONValue.parse(answer.body) } catch {
            throw malformed("JSON")
        }
    }

    /// Asks, and gives the answer piece by piece until `sink` says `false`. An answer that is a
    /// refusal is thrown as a failure, one that ends too early as `TransferError`.
    func pieces(
        _ call: Call, _ patience: Patience, _ sink: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws(TransferError) -> Result<HTTPHead, Failure> {
        let answer = try repeating(call, patience: patience, sink: sink)
        do throws(Failure) {
            try check(answer)
            return .success(answer.head)
        } catch {
            return .failure(error)
        }
    }

    /// What a transfer that failed is for a person.
    func failure(_ error: TransferError) -> Failure {
        let place = address.text
        switch error {
        case .unavailable(let why):
            return .environment(
                "a master cannot be asked: \(why)",
                hint: "Install libcurl (Debian: apt-get install libcurl4).")
        case .unreachable(let why):
            return .environment(
                "\(place) cannot be reached: \(why)",
                hint: "Is the master running there? `danube master` starts one.")
        case .untrusted(let why):
            return .environment(
                "\(place) is not trusted: \(why)",
                hint: "Have the system trust its authority: /usr/local/share/ca-certificates.")
        case .timedOut(let why):
            return .environment(
                "\(place) did not answer in time: \(why)",
                hint: "Try again, or allow it more with DANUBE_MASTER_TIMEOUT=2m.")
        case .cut(let why):
            return .environment("the answer of \(place) broke off: \(why)", hint: "Try again.")
        case .refused(let why):
            return .environment("\(place) cannot be asked: \(why)")
        }
    }

    /// The answer is none of a master.
    func malformed(_ what: String) -> Failure {
        .environment(
            "the answer of \(address.text) is not the \(what) that it should be",
            hint: "Is it the address of a Danube master, of this version?")
    }

    // MARK: Asking

    private struct Answer {
        var head: HTTPHead
        var body: [UInt8]
        var isTooLarge = false
    }

    /// Gathers the body of an answer within its bound.
    private final class Gathered {
        var bytes: [UInt8] = []
        var isTooLarge = false
        var hasPassedOn = false

        func take(_ piece: UnsafeRawBufferPointer) -> Bool {
            isTooLarge = bytes.count + piece.count > MasterClient.mostAnswerBytes
            if !isTooLarge { bytes.append(contentsOf: piece) }
            return !isTooLarge
        }
    }

    /// Asks again, a bounded number of times, where the master is busy or the connection ended
    /// before the answer, and asking twice is harmless.
    private func repeating(
        _ call: Call, patience: Patience, sink: ((UnsafeRawBufferPointer) -> Bool)?
    ) throws(TransferError) -> Answer {
        var cuts = 0
        var tries = 0
        while true {
            let gathered = Gathered()
            do throws(TransferError) {
                let head = try request(call, patience).perform { head, piece in
                    guard let sink, (200..<300).contains(head.status) else {
                        return gathered.take(piece)
                    }
                    gathered.hasPassedOn = true
                    return sink(piece)
                }
                let isBusy = head.status == 429 || head.status == 503
                if isBusy, call.isRepeatable, tries < Self.mostRetries,
                    let seconds = Self.wait(head)
                {
                    tries += 1
                    Output.err(
                        "danube: note: the master is busy; asking again in \(seconds) s")
                    Self.sleep(.seconds(seconds))
                    continue
                }
                return Answer(
                    head: head, body: gathered.bytes, isTooLarge: gathered.isTooLarge)
            } catch {
                guard case .cut = error, call.isRepeatable, cuts < Self.mostCutRetries,
                    !gathered.hasPassedOn
                else { throw error }
                cuts += 1
                Self.sleep(.milliseconds(200 * cuts))
            }
        }
    }

    /// Sleeps, whatever signal comes.
    static func sleep(_ duration: Duration) {
        let milliseconds = DurationText.milliseconds(duration)
        var left = timespec(
            tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        var rest = timespec()
        while nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
    }

    /// Seconds after which to ask again, when the master names a number that is worth waiting.
    private static func wait(_ head: HTTPHead) -> Int? {
        guard let text = head.fields["retry-after"], let seconds = Int(text), seconds >= 0,
            seconds <= longestWaitSeconds
        else { return nil }
        return seconds
    }

    private func request(_ call: Call, _ patience: Patience) -> HTTPRequest {
        var request = HTTPRequest(url: address.url(call.path, call.query))
        request.method = call.method
        request.headers = [("Authorization", "Bearer \(token)"), ("Expect", "")]
        request.headers += call.headers
        if let body = call.body {
            request.body = Array(body.canonical.utf8)
            request.headers.append(("Content-Type", "application/json"))
        } else if call.method == .post {
            request.body = []
        }
        request.connecting = min(.seconds(10), timeout)
        if patience != .stream { request.stall = timeout }
        if patience == .answer { request.whole = timeout * 2 }
        request.skipsProxy = address.isLoopback
        return request
    }

    // MARK: Refusals

    private func check(_ answer: Answer) throws(Failure) {
        let status = answer.head.status
        if (200..<300).contains(status) {
            if answer.isTooLarge {
                throw .environment(
                    "the answer of \(address.text) is larger than"
                        + " \(SizeText.bytes(Int64(Self.mostAnswerBytes)))",
                    hint: "Is it the address of a Danube master?")
            }
            return
        }
        let problem = MasterProblem(answer.head, answer.body)
        throw problem.failure(of: address)
    }
}
