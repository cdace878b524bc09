import PipelineIR
import Testing

@testable import Executor
@testable import Master

@Suite struct TraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test(arguments: [
        ("00-\(trace)-\(span)-01", true), ("00-\(trace)-\(span)-00", false),
        ("00-\(trace)-\(span)-ff", true), ("01-\(trace)-\(span)-02", false),
        ("cc-\(trace)-\(span)-01-what-comes-later", true), ("cc-\(trace)-\(span)-01-", true),
    ])
    func `a traceparent is read, of later versions what is known`(
        text: String, isSampled: Bool
    ) throws {
        let context = try #require(TraceContext(text))
        #expect(context.trace == Self.trace)
        #expect(context.span == Self.span)
        #expect(context.isSampled == isSampled)
        #expect(TraceContext(context.text) == context)
    }

    @Test(arguments: [
        "", "-", "ff-\(trace)-\(span)-01", "00-\(trace)-\(span)-01-more", "00-\(trace)-\(span)-01-",
        "01-\(trace)-\(span)-01.more", "00-\(trace)-\(span)-1", "0-\(trace)-\(span)-011",
        "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-\(span)-01", "00-\(trace)-\(span)-0x",
        "00-\(trace)_\(span)-01", " 00-\(trace)-\(span)-01",
        "00-é\(trace.dropFirst(2))-\(span)-01",
    ])
    func `what is no traceparent is none`(text: String) {
        #expect(TraceContext(text) == nil)
    }

    @Test func `a share is read and written, and is that much`() throws {
        for (text, written) in [
            ("0", "0"), ("1", "1"), ("1.0", "1"), ("0.250", "0.25"), ("0.000001", "0.000001"),
        ] {
            #expect(Ratio(text)?.text == written)
        }
        for text in ["", "2", "1.1", "-0.5", "0.", ".5", "0.0000001", "1e-3", "0.5x", "01"] {
            #expect(Ratio(text) == nil)
        }
        let half = try #require(Ratio("0.5"))
        #expect(half.includes(0) && half.includes(.max / 2 - 1_000_000))
        #expect(!half.includes(.max / 2 + 1_000_000) && !half.includes(.max))
        #expect(Ratio.whole.includes(.max))
        #expect(!(Ratio("0")?.includes(0) ?? true))
    }

    @Test func `a queue is bounded, counts what it loses, and knows ends only`() throws {
        let queue = TraceQueue(most: 2)
        let job = try #require(
            JobID(after: nil, at: Timestamp(microseconds: 1_796_000_000_000_000), random: 0))
        func event(_ state: String) -> JobEvent {
            JobEvent(
                sequence: 1, job: job, at: .now(), kind: .state, body: "{\"to\":\"\(state)\"}")
        }
        queue.take([event("running"), event("pending"), event("waiting")])
        #expect(queue.count == 0)
        queue.take([event("success"), event("timeout"), event("failure"), event("cancelled")])
        #expect(queue.count == 2)
        #expect(queue.takeLost() == 2)
        #expect(queue.takeLost() == 0)
        let taken = queue.take(1)
        queue.giveBack(taken)
        #expect(queue.takeAll().count == 2)
    }

    @Test func `the spans of a job are the same whenever they are made`() async throws {
        let scratch = try DatabaseScratch()
        let database = try scratch.open()
        defer { database.close() }
        var request = NewJob(pipeline: "p", repository: "/r")
        request.traceparent = TraceContext("00-\(Self.trace)-\(Self.span)-01")
        let id = try await database.submit(request).job.id
        #expect(try await database.job(id)?.request.traceparent == request.traceparent)
        #expect(try await database.read { try JobTrace(of: id, in: $0) == nil })
        _ = try await database.transition(id, to: .cancelled, reason: "it \"was\"\n")
        let traces = [
            try await database.read { try JobTrace(of: id, in: $0)?.spans },
            try await database.read { try JobTrace(of: id, in: $0)?.spans },
        ]
        let root = try #require(traces[0]?.first)
        #expect(traces[0] == traces[1])
        #expect(root.trace == Self.trace && root.parent == Self.span)
        #expect(root.outcome == .failed("it \"was\"\n"))
        let other = try await database.submit(NewJob(pipeline: "p", repository: "/r")).job.id
        _ = try await database.transition(other, to: .cancelled)
        let own = try await database.read { try JobTrace(of: other, in: $0)?.spans.first }
        #expect(own?.trace.count == 32 && own?.trace != Self.trace && own?.id != root.id)
    }

    @Test(arguments: [
        ("http://h:1", "http://h:1/v1/traces"), ("http://h:1/", "http://h:1/v1/traces"),
        ("https://h/a/b", "https://h/a/b"), ("http://h?x=/", "http://h?x=/"),
    ])
    func `an address without a path stands for the usual one`(given: String, url: String) {
        #expect(TraceCollector(endpoint: given, headers: []).url == url)
    }
}
