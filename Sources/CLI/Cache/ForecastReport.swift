import Executor
import PipelineIR

/// What a run would do, step by step, in a table and in JSON.
struct ForecastReport {
    /// Version of the JSON. A new field is no new version.
    static let version = 1

    let plan: Plan
    let forecasts: [StepForecast]

    /// A step, with each reason on a line of its own.
    func text(on terminal: Terminal) -> TextBuffer {
        let names = StepNames(plan)
        var table = TextTable(["STEP", "CACHE", "WHY"])
        for (index, forecast) in forecasts.enumerated() {
            var reasons = reasons(of: forecast, names)
            let first = reasons.isEmpty ? "" : reasons.removeFirst()
            let (word, paint) = Self.word(forecast)
            // The names are escaped already.
            table.add([.init(names.long(StepIndex(index))), .init(word, paint), .init(first)])
            for reason in reasons { table.add([.init(""), .init(""), .init(reason)]) }
        }
        var buffer = TextBuffer(colour: terminal.colour)
        table.put(into: &buffer, columns: terminal.columns)
        buffer.newline()
        buffer.put(summary, .bold)
        buffer.newline()
        return buffer
    }

    /// `{"counts":{…},"steps":[…],"v":1}`.
    func json() -> TextBuffer {
        let names = StepNames(plan)
        return CacheJSON.line { json in
            json.key("counts")
            json.beginObject()
            for (word, count) in counts.sorted(by: { $0.key < $1.key }) {
                json.key(word)
                json.integer(count)
            }
            json.endObject()
            json.key("steps")
            json.beginArray()
            for (index, forecast) in forecasts.enumerated() {
                put(plan.steps[index], forecast, names, &json)
            }
            json.endArray()
            json.key("v")
            json.integer(Self.version)
        }
    }

    private var counts: [String: Int] {
        forecasts.reduce(into: [:]) { $0[Self.word($1).0, default: 0] += 1 }
    }

    private var summary: String {
        let counts = counts
        let words = [
            ("hit", "from the cache"), ("miss", "to run"), ("uncacheable", "to run every time"),
            ("unknown", "not known yet"), ("skipped", "skipped"), ("impossible", "cannot run"),
        ]
        let parts = words.compactMap { word, text in counts[word].map { "\($0) \(text)" } }
        return parts.isEmpty ? "No steps" : parts.joined(separator: ", ")
    }

    private func reasons(of forecast: StepForecast, _ names: StepNames) -> [String] {
        switch forecast {
        case .hit(_, let job): ["made by job \(job)"]
        case .miss(_, let reasons): reasons
        case .uncacheable(let reason): [reason]
        case .unknown(let step): ["not known until \(names.long(step)) has run"]
        case .unknownImage(let image):
            [
                "the image `\(image)` is not on this machine: "
                    + "what it is, is known once it is fetched"
            ]
        case .skipped: ["its condition does not hold"]
        case .impossible(let reason): [reason]
        }
    }

    private static func word(_ forecast: StepForecast) -> (String, TextBuffer.Paint) {
        switch forecast {
        case .hit: ("hit", .green)
        case .miss: ("miss", .yellow)
        case .uncacheable: ("uncacheable", .yellow)
        case .unknown, .unknownImage: ("unknown", .dim)
        case .skipped: ("skipped", .dim)
        case .impossible: ("impossible", .red)
        }
    }

    private func put(
        _ step: Step, _ forecast: StepForecast, _ names: StepNames, _ json: inout JSONWriter
    ) {
        json.beginObject()
        CacheJSON.text("cache", Self.word(forecast).0, &json)
        CacheJSON.text("id", step.id, &json)
        switch forecast {
        case .hit(let key, let job):
            CacheJSON.text("from_job", job, &json)
            CacheJSON.text("key", key.description, &json)
        case .miss(let key, _): CacheJSON.text("key", key.description, &json)
        default: break
        }
        CacheJSON.text("name", step.name, &json)
        json.key("reasons")
        json.strings(reasons(of: forecast, names))
        if case .unknown(let until) = forecast {
            CacheJSON.text("until", plan.steps[until.int].id, &json)
        }
        json.endObject()
    }
}
