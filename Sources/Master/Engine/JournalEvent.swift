internal import Compiler

/// What an engine wrote into the journal of its job; `docs/run-events.md` describes the lines.
enum JournalEvent: Sendable, Equatable {
    /// An engine has begun, under this process id.
    case engineStarted(process: Int32)
    /// The plan is there; `time` is when its steps begin, in microseconds since 1970. Where it
    /// names a concurrency group that was not asked about, nothing follows: it is `parked`.
    case compiled(digest: String, parked: NewJob.Concurrency?, steps: [Step], time: Int64)
    /// There is no plan, and the diagnostics that say why.
    case compileFailed(text: String)
    /// The job could not be run.
    case engineFailed(text: String, hint: String?)
    /// An attempt is about to start. It is on the disk before it does.
    case stepStarting(step: Int, attempt: Int, at: Int64)
    /// A result was taken from the cache, which another job had made.
    case stepCached(step: Int, job: String)
    /// An attempt failed, and there will be another.
    case stepRetrying(step: Int, attempt: Int, reason: String, at: Int64)
    /// A step has come to its end.
    case stepEnded(StepEnd)
    /// Something that the user should know.
    case message(level: String, text: String)
    /// The run is over.
    case runEnded(outcome: String, message: String?)

    /// A step of the plan.
    struct Step: Sendable, Equatable {
        /// Its name within the plan, which is the same in another plan.
        var id: String
        /// What people call it.
        var name: String
    }

    /// How a step ended. Times are nanoseconds.
    struct StepEnd: Sendable, Equatable {
        /// Its place in the plan, from 0.
        var step: Int
        /// `succeeded`, `failed`, `cached`, `skipped`, `blocked`, `cancelled` or `lost`.
        var result: String
        /// The exit code of the last attempt.
        var code: Int?
        /// What the exit code does not explain.
        var reason: String?
        /// How long it took.
        var duration: Int64
        /// How many attempts were made.
        var attempts: Int
        /// When, counted from the beginning of the run.
        var at: Int64
    }

    /// Reads one line; `nil` for a kind of line that is not needed, or one that is no event.
    init?(line: [UInt8]) {
        guard let json = try? JSONValue.parse(line), let kind = json["event"]?.text else {
            return nil
        }
        let step = Self.number("step", json)
        let at = Self.integer("at_ns", json)
        switch (kind, step) {
        case ("engine_started", _):
            guard let process = Self.number("pid", json) else { return nil }
            self = .engineStarted(process: Int32(clamping: process))
        case ("compiled", _):
            guard let plan = Self.compiled(json) else { return nil }
            self = plan
        case ("compile_failed", _):
            self = .compileFailed(text: json["text"]?.text ?? "")
        case ("engine_failed", _):
            self = .engineFailed(text: json["text"]?.text ?? "", hint: json["hint"]?.text)
        case ("step_starting", let step?):
            self = .stepStarting(step: step, attempt: Self.number("attempt", json) ?? 1, at: at)
        case ("step_explained", let step?):
            guard json["cache"]?.text == "hit", let job = json["from_job"]?.text else {
                return nil
            }
            self = .stepCached(step: step, job: job)
        case ("step_retrying", let step?):
            self = .stepRetrying(
                step: step, attempt: Self.number("attempt", json) ?? 1,
                reason: json["reason"]?.text ?? "", at: at)
        case ("step_ended", let step?):
            self = .stepEnded(
                StepEnd(
                    step: step, result: json["result"]?.text ?? "lost",
                    code: Self.number("code", json), reason: json["reason"]?.text,
                    duration: Self.integer("duration_ns", json),
                    attempts: Self.number("attempts", json) ?? 0, at: at))
        case ("message", _):
            self = .message(
                level: json["level"]?.text ?? "note", text: json["text"]?.text ?? "")
        case ("run_ended", _):
            self = .runEnded(
                outcome: json["outcome"]?.text ?? "failure", message: json["message"]?.text)
        default: return nil
        }
    }

    /// Whether nothing follows.
    var isLast: Bool {
        switch self {
        case .compileFailed, .engineFailed, .runEnded: true
        default: false
        }
    }

    private static func compiled(_ json: JSONValue) -> JournalEvent? {
        guard let digest = json["digest"]?.text, case .array(let steps)? = json["steps"] else {
            return nil
        }
        var parked: NewJob.Concurrency?
        if json["parked"] == .bool(true), let group = json["concurrency"]?.text {
            let rule = json["concurrency_rule"]?.text.flatMap {
                NewJob.ConcurrencyRule(rawValue: $0)
            }
            parked = NewJob.Concurrency(group: group, rule: rule ?? .serialize)
        }
        return .compiled(
            digest: digest, parked: parked,
            steps: steps.map { Step(id: $0["id"]?.text ?? "", name: $0["name"]?.text ?? "") },
            time: integer("time_us", json))
    }

    /// The steps of a plan have numbers from 0 to some thousands.
    private static func number(_ key: String, _ json: JSONValue) -> Int? {
        guard case .integer(let value)? = json[key], let number = Int32(exactly: value),
            number >= 0
        else { return nil }
        return Int(number)
    }

    private static func integer(_ key: String, _ json: JSONValue) -> Int64 {
        guard case .integer(let value)? = json[key] else { return 0 }
        return Int64(clamping: value)
    }
}
