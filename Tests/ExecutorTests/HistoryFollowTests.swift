import Executor
import Glibc
import Testing

@Suite("following a log")
struct HistoryFollowTests {
    let scratch = HistoryScratch()
    let key = AttemptKey(step: 0, attempt: 1)
    let time = Timestamp(microseconds: 0)

    /// Reads until the follower says that nothing more comes.
    private func follow(
        _ reader: LogReader, onChunk: (LogChunk) throws -> Void
    ) throws -> LogFollower.Change {
        let follower = try LogFollower(reader)
        while true {
            while let chunk = try reader.next() { try onChunk(chunk) }
            let change = follower.wait()
            if case .more = change { continue }
            return change
        }
    }

    @Test("each chunk is seen when it is flushed, and the end when the job ends")
    func live() throws {
        let log = try JobLog(folder: scratch.path)
        let writer = log.writer(key)
        let reader = try LogReader(folder: scratch.path)
        #expect(reader.isWritten)
        try writer.append(.standardOutput, [0], at: time)
        try log.flush()
        var seen: [UInt8] = []
        let change = try follow(reader) { chunk in
            seen += chunk.bytes
            // Written only now, so the follower has to find out by itself.
            if seen.count < 50 {
                try writer.append(.standardOutput, [UInt8(seen.count)], at: time)
                try log.flush()
            } else {
                try log.close(durable: false, at: time)
            }
        }
        #expect(seen == (0..<50).map(UInt8.init))
        guard case .ended = change else {
            Issue.record("\(change)")
            return
        }
    }

    @Test("a writer that was killed is noticed, after everything that it wrote was read")
    func killed() throws {
        var log: JobLog? = try JobLog(folder: scratch.path)
        let reader = try LogReader(folder: scratch.path)
        try log?.writer(key).append(.standardOutput, [7, 8], at: time)
        try log?.flush()
        var seen: [UInt8] = []
        let change = try follow(reader) { chunk in
            seen += chunk.bytes
            // The file is closed and unlocked without its last frame, as by a kill.
            log = nil
        }
        #expect(seen == [7, 8])
        #expect(!reader.isWritten)
        guard case .interrupted = change else {
            Issue.record("\(change)")
            return
        }
    }
}
