import PipelineIR
import Testing

@testable import Executor

@Suite("records of steps")
struct HistoryRecordTests {
    let start = Timestamp(microseconds: 1_700_000_000_000_000)

    private func random(_ numbers: inout SplitMix) -> StepRecord {
        var record = StepRecord(
            step: Int.random(in: 0...100_000, using: &numbers),
            state: StepRecord.State.allCases.randomElement(using: &numbers) ?? .open)
        if Bool.random(using: &numbers) {
            record.exitCode = Int.random(in: -1...255, using: &numbers)
        }
        if Bool.random(using: &numbers) {
            let times = (0..<2).map { _ in
                Timestamp(
                    microseconds: start.microseconds
                        + Int64.random(in: -5000...1 << 40, using: &numbers))
            }
            (record.started, record.ended) = (times[0], times[1])
        }
        if Bool.random(using: &numbers) { record.key = Digest(ofUTF8: "\(numbers.next())") }
        if Bool.random(using: &numbers) {
            record.reason = "weil `ü` sich änderte \(numbers.next())"
        }
        if Bool.random(using: &numbers) { record.source = JobID(at: start, random: numbers.next()) }
        record.outputBytes = numbers.next() >> UInt64.random(in: 0...63, using: &numbers)
        for _ in 0..<Int.random(in: 0...3, using: &numbers) {
            record.attempts.append(
                AttemptRecord(
                    started: start, ended: Timestamp(microseconds: start.microseconds + 77),
                    exitCode: Bool.random(using: &numbers) ? 0 : nil, outcome: "timed out"))
        }
        return record
    }

    @Test("records come back as they were")
    func roundTrip() {
        var numbers = SplitMix(state: 1)
        let records = (0..<500).map { _ in random(&numbers) }
        let bytes = RecordCoding.encode(records, since: start)
        #expect(RecordCoding.decode(bytes, since: start) == records)
        #expect(bytes.count < records.count * 120)
    }

    @Test("times far away and hostile numbers do not trap")
    func extremes() {
        var record = StepRecord(step: -1, state: .failed)
        record.started = Timestamp(microseconds: .min)
        record.ended = Timestamp(microseconds: .max)
        record.exitCode = Int.max
        record.attempts = [
            AttemptRecord(
                started: Timestamp(microseconds: .max), ended: Timestamp(microseconds: .min),
                exitCode: Int.max)
        ]
        record.reason = String(repeating: "ä", count: 9000)
        let bytes = RecordCoding.encode([record], since: start)
        let decoded = RecordCoding.decode(bytes, since: start)
        #expect(decoded?.first?.ended == record.ended)
        #expect(decoded?.first?.step == 0)
        #expect(decoded?.first?.reason.utf8.count ?? 0 <= RecordCoding.mostTextBytes + 3)
        #expect(decoded?.first?.duration == .zero)
    }

    @Test("whatever the bytes are, decoding ends with records or nothing")
    func damaged() {
        var numbers = SplitMix(state: 3)
        let good = RecordCoding.encode((0..<20).map { _ in random(&numbers) }, since: start)
        for cut in good.indices {
            #expect(RecordCoding.decode(Array(good[..<cut]), since: start) == nil)
        }
        for _ in 0..<3000 {
            var bad = good
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                bad[Int.random(in: bad.indices, using: &numbers)] = UInt8.random(
                    in: 0...255, using: &numbers)
            }
            _ = RecordCoding.decode(bad, since: start)
        }
    }

    @Test("the expected duration is the median of the last seven")
    func median() {
        var bytes: [UInt8] = []
        #expect(RecentDurations.median(bytes) == nil)
        for milliseconds in [9000, 9000, 9000, 1, 2, 3, 4, 500, 600, 1 << 40] {
            RecentDurations.add(.milliseconds(milliseconds), to: &bytes)
        }
        #expect(bytes.count == 28)
        #expect(RecentDurations.median(bytes) == .milliseconds(4))
        #expect(RecentDurations.median([1, 2, 3]) == nil)
    }

    @Test("names of jobs sort by time")
    func ids() {
        var last = JobID(at: Timestamp(microseconds: 0), random: .max)
        for step in 1...400 {
            let time = Timestamp(microseconds: start.microseconds + Int64(step * step) * 31_250_000)
            let id = JobID(at: time, random: 0)
            #expect(last < id)
            #expect(JobID(id.text) == id)
            last = id
        }
        for text in ["", "k3x9f2a7", "k3x9f2a7qq", "k3x9f2a7U", "k3x9f2a7/", "../../..a"] {
            #expect(JobID(text) == nil)
        }
    }

    @Test("a name is later than the last one, whatever the clock shows")
    func laterIDs() throws {
        let now = JobID(at: start, random: 7)
        #expect(JobID(after: nil, at: start, random: 7) == now)
        var last = now
        for random: UInt64 in [7, 0, .max, 7, 7] {
            let id = try #require(JobID(after: last, at: start, random: random))
            #expect(last < id)
            #expect(JobID(id.text) == id)
            last = id
        }
        let past = Timestamp(microseconds: 0)
        for (text, next) in [("0abcdefgh", "0abcdefgj"), ("0abcdezzz", "0abcdf000")] {
            #expect(JobID(after: JobID(text), at: past, random: 0)?.text == next)
        }
        #expect(JobID(after: JobID("zzzzzzzzz"), at: start, random: 0) == nil)
    }

    @Test("points of time are written as RFC 3339 says")
    func timestamps() {
        #expect(Timestamp(microseconds: 0).utc == "1970-01-01T00:00:00.000Z")
        #expect(start.utc == "2023-11-14T22:13:20.000Z")
        #expect(Timestamp(microseconds: -1000).utc == "1969-12-31T23:59:59.999Z")
        #expect(Timestamp(microseconds: .max).utc.isEmpty == false)
        #expect(start.since(Timestamp(microseconds: .min)) == .zero)
    }
}
