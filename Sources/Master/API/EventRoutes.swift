internal import Hummingbird
internal import PipelineIR
internal import ServiceLifecycle

internal import struct Executor.JobID

/// The route of events of all jobs, or of one.
struct EventRoutes: Sendable {
    let database: MasterDatabase
    let hub: EventHub

    private static let batch = 500

    /// Adds it.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/api/v1/events", .read, .streamEvents) { request, context in
            try await stream(request, context)
        }
    }

    private func stream(_ request: Request, _ context: APIContext) async throws -> Response {
        let query = try Query(request, known: ["job", "after"])
        let job = try query["job"].map { text in
            guard let id = JobID(text) else {
                throw Problem(.badRequest, "`job` is no name of a job.")
            }
            return id
        }
        var last = Int64(clamping: try ServerSentEvents.last(request))
        if let after = try query.integer("after", 0...Int.max) { last = max(last, Int64(after)) }
        // Who does not say where begins with what is new.
        if last == 0, query["after"] == nil { last = try await database.latestEvent() }
        let start = last
        return ServerSentEvents.answer(to: context) { writer in
            var seen = start
            for await _ in hub.changes().cancelOnGracefulShutdown() {
                var isQuiet = true
                while true {
                    let events = try await database.events(
                        after: seen, limit: Self.batch, job: job)
                    for event in events {
                        try await writer.write(
                            id: UInt64(clamping: event.sequence), event: event.kind.rawValue
                        ) { Self.write(event, to: &$0) }
                        seen = event.sequence
                    }
                    isQuiet = isQuiet && events.isEmpty
                    if events.count < Self.batch { break }
                }
                if isQuiet { try await writer.beat() }
            }
        }
    }

    private static func write(_ event: JobEvent, to json: inout JSONWriter) {
        json.beginObject()
        json.member("sequence", event.sequence)
        json.member("job", event.job.text)
        json.member("at", event.at.utc)
        json.member("kind", event.kind.rawValue)
        json.key("body")
        json.raw(event.body.utf8)
        json.endObject()
    }
}
