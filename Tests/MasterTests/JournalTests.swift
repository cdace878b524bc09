import Glibc
import Testing

@testable import Executor
@testable import Master

@Suite struct JournalTests {
    private static let lines = [
        #"{"event":"engine_started","pid":42}"#,
        #"{"event":"compiled","digest":"sha256:00","pipeline":"p","time_us":1000000,"#
            + #""steps":[{"id":"p/a","name":"A"},{"id":"p/b","name":"B"}]}"#,
        #"{"v":1,"event":"run_started","at_ns":0}"#,
        #"{"v":1,"event":"step_starting","step":0,"attempt":1,"at_ns":0}"#,
        #"{"v":1,"event":"step_retrying","step":0,"attempt":2,"reason":"exit 7","at_ns":5000}"#,
        #"{"v":1,"event":"step_starting","step":0,"attempt":2,"at_ns":6000}"#,
        #"{"v":1,"event":"step_ended","step":0,"result":"succeeded","code":0,"duration_ns":9,"#
            + #""attempts":2,"at_ns":7000}"#,
        #"{"v":1,"event":"step_explained","step":1,"cache":"hit","from_job":"6g4e9m18x"}"#,
        #"{"v":1,"event":"step_ended","step":1,"result":"cached","duration_ns":1,"attempts":0,"#
            + #""at_ns":8000}"#,
        #"{"v":1,"event":"run_ended","outcome":"success"}"#,
    ]

    private let scratch: DatabaseScratch

    init() throws { scratch = try DatabaseScratch() }

    private func write(_ bytes: [UInt8]) throws {
        let file = open("\(scratch.path)/journal", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        try #require(count == bytes.count)
    }

    private var bytes: [UInt8] { Array(Self.lines.map { $0 + "\n" }.joined().utf8) }

    @Test func `a journal that is cut anywhere is read whole in the end`() throws {
        try write(bytes)
        var reader = JournalReader(folder: scratch.path, offset: 0)
        let whole = try reader.next()
        #expect(whole.count == Self.lines.count - 1)
        #expect(reader.offset == UInt64(bytes.count))
        for cut in 0...bytes.count {
            try write(Array(bytes[..<cut]))
            var reader = JournalReader(folder: scratch.path, offset: 0)
            var events = try reader.next()
            try write(bytes)
            // As a master that was killed in between would.
            var next = JournalReader(folder: scratch.path, offset: reader.offset)
            events += try next.next()
            #expect(events == whole, "cut at \(cut)")
        }
    }

    @Test func `what is read again up to a place gives the state of then`() throws {
        try write(bytes)
        let place = UInt64(Self.lines[..<6].map { $0.utf8.count + 1 }.reduce(0, +))
        var reader = JournalReader(folder: scratch.path, offset: 0)
        var recording = JournalRecording()
        _ = recording.records(of: try reader.next(before: place))
        #expect(recording.running == [0: 2])
        #expect(recording.process == 42)
        let lost = recording.lost(at: .now())
        #expect(lost.map(\.attempt) == [.init(number: 2, state: .lost)])
    }

    @Test func `records say what the journal says`() throws {
        try write(bytes)
        var reader = JournalReader(folder: scratch.path, offset: 0)
        var recording = JournalRecording()
        let records = recording.records(of: try reader.next())
        guard case .planned(_, let steps, let time, nil) = records.first,
            case .steps(let changes) = records.dropFirst().first
        else {
            Issue.record("\(records)")
            return
        }
        #expect(steps.map(\.name) == ["A", "B"] && time.microseconds == 1_000_000)
        #expect(changes.map(\.state) == [.running, .waiting, .running, .succeeded, .cached])
        #expect(changes.map { $0.attempt?.number } == [1, 1, 2, 2, nil])
        #expect(
            changes.map { $0.attempt?.state } == [.running, .failed, .running, .succeeded, nil])
        #expect(changes.last?.cachedFrom == JobID("6g4e9m18x"))
        #expect(changes.map { $0.at.microseconds - 1_000_000 } == [0, 5, 6, 7, 8])
        #expect(records.last == .ended(.success, reason: nil))
        #expect(recording.running.isEmpty)
    }

    @Test(arguments: [
        "", "{", "[]", "null", "{\"event\":7}", #"{"event":"step_ended","step":-1}"#,
        #"{"event":"step_ended","step":99999999999999999999}"#,
        #"{"event":"step_starting","step":1.5}"#, #"{"event":"compiled","steps":7}"#,
        #"{"event":"engine_started","pid":"x"}"#,
    ])
    func `a line that no engine writes is no event`(line: String) {
        #expect(JournalEvent(line: Array(line.utf8)) == nil)
    }
}
