import Compiler
import Executor

/// A job of a master.
struct RemoteJob {
    let id: String
    let state: String
    let number: Int64?
    let pipeline: String
    let team: String?
    let repository: String
    let ref: String?
    let revision: String?
    let file: String?
    let parameters: JSONValue
    let trigger: String
    let reason: String?
    let priority: Int64?
    let created: Timestamp?
    let started: Timestamp?
    let ended: Timestamp?
    let duration: Duration?
    let total: Int64
    let done: Int64
    let failed: Int64
    let plan: String?
    let rerunOf: String?

    /// Reads one from what a master answered; `nil` when it is none.
    init?(_ value: JSONValue) {
        guard let id = value["id"]?.text, !id.isEmpty, let state = value["state"]?.text else {
            return nil
        }
        self.id = id
        self.state = state
        number = value["number"]?.number
        pipeline = value["pipeline"]?.text ?? ""
        team = value["team"]?.text
        repository = value["repository"]?.text ?? ""
        ref = value["ref"]?.text
        revision = value["revision"]?.text
        file = value["file"]?.text
        parameters = value["parameters"] ?? .null
        trigger = value["trigger"]?.text ?? ""
        reason = value["reason"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        priority = value["priority"]?.number
        created = value["created"]?.time
        started = value["started"]?.time
        ended = value["ended"]?.time
        duration = value["duration_ms"]?.number.map { .milliseconds($0) }
        let steps = value["steps"]
        total = steps?["total"]?.number ?? 0
        done = steps?["done"]?.number ?? 0
        failed = steps?["failed"]?.number ?? 0
        plan = value["plan"]?.text
        rerunOf = value["rerun_of"]?.text
    }

    /// Whether nothing will happen to it any more.
    var isTerminal: Bool { ["success", "failure", "timeout", "cancelled"].contains(state) }

    /// Whether it went as it should.
    var isSuccess: Bool { state == "success" }

    /// The branch, when that is what it was started for.
    var branch: String? {
        guard let ref, ref.hasPrefix("refs/heads/") else { return nil }
        return String(ref.dropFirst(11))
    }

    /// The job as JSON, named as `danube jobs --json` names things on this machine.
    func json(_ steps: [RemoteStep]? = nil) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init(
                "counts",
                .object([.init("done", .integer(done)), .init("failed", .integer(failed))])),
            .init("id", .string(id)), .init("pipeline", .string(pipeline)),
            .init("repository", .string(repository)), .init("state", .string(state)),
            .init("step_count", .integer(total)), .init("trigger", .string(trigger)),
        ]
        let texts: [(String, String?)] = [
            ("branch", branch), ("team", team), ("ref", ref), ("revision", revision),
            ("file", file), ("reason", reason), ("created", created?.utc),
            ("started", started?.utc), ("ended", ended?.utc), ("plan", plan),
            ("rerun_of", rerunOf),
        ]
        for (key, text) in texts {
            if let text { members.append(.init(key, .string(text))) }
        }
        let numbers = [
            ("number", number), ("priority", priority),
            ("duration_ms", duration.map(DurationText.milliseconds)),
        ]
        for (key, number) in numbers {
            if let number { members.append(.init(key, .integer(number))) }
        }
        if parameters != .null { members.append(.init("parameters", parameters)) }
        if let steps { members.append(.init("steps", .array(steps.map(\.json)))) }
        return .object(members)
    }
}

/// A step of a job of a master.
struct RemoteStep {
    let index: Int
    let name: String
    let state: String
    let attempts: Int64
    let exitCode: Int64?
    let reason: String?
    let started: Timestamp?
    let ended: Timestamp?
    let duration: Duration?
    let cachedFrom: String?

    /// Reads one from what a master answered; `nil` when it is none.
    init?(_ value: JSONValue) {
        guard let index = value["index"]?.number, (0..<(1 << 24)).contains(index),
            let name = value["name"]?.text, let state = value["state"]?.text
        else { return nil }
        self.index = Int(index)
        self.name = name
        self.state = state
        attempts = value["attempts"]?.number ?? 0
        exitCode = value["exit_code"]?.number
        reason = value["reason"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        started = value["started"]?.time
        ended = value["ended"]?.time
        duration = value["duration_ms"]?.number.map { .milliseconds($0) }
        cachedFrom = value["cached_from"]?.text
    }

    /// The step as JSON, named as on this machine.
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("state", .string(state)),
            .init("tries", .integer(attempts)),
        ]
        let texts = [
            ("reason", reason), ("started", started?.utc), ("ended", ended?.utc),
            ("source", cachedFrom),
        ]
        for (key, text) in texts {
            if let text { members.append(.init(key, .string(text))) }
        }
        let numbers = [
            ("exit_code", exitCode), ("duration_ms", duration.map(DurationText.milliseconds)),
        ]
        for (key, number) in numbers {
            if let number { members.append(.init(key, .integer(number))) }
        }
        return .object(members)
    }
}
