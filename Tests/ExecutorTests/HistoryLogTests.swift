import Glibc
import Testing

@testable import Executor

@Suite("job log")
struct HistoryLogTests {
    let scratch = HistoryScratch()
    let one = AttemptKey(step: 3, attempt: 1)
    let two = AttemptKey(step: 4, attempt: 2)

    private func time(_ milliseconds: Int64) -> Timestamp {
        Timestamp(microseconds: milliseconds * 1000)
    }

    private func all(_ reader: LogReader) throws -> [LogChunk] {
        var found: [LogChunk] = []
        while let chunk = try reader.next() { found.append(chunk) }
        return found
    }

    @Test("chunks come back in order, with attempt, stream, time and offset")
    func order() throws {
        let log = try JobLog(folder: scratch.path)
        let first = log.writer(one)
        let second = log.writer(two)
        try log.note(step: nil, "begun", at: time(0))
        try first.append(.standardOutput, Array("a\n".utf8), at: time(10))
        try second.append(.standardError, Array("b".utf8), at: time(20))
        try first.append(.standardError, [0, 255, 10], at: time(30))
        try log.note(step: 3, attempt: 1, "retried", at: time(40))
        try log.close(durable: true, at: time(50))
        let reader = try LogReader(folder: scratch.path)
        let chunks = try all(reader)
        #expect(reader.hasEnded)
        #expect(!reader.isWritten)
        #expect(chunks.map(\.key) == [nil, one, two, one, one])
        #expect(
            chunks.map(\.stream) == [.note, .standardOutput, .standardError, .standardError, .note])
        #expect(chunks.map { $0.time.microseconds / 1000 } == [0, 10, 20, 30, 40])
        #expect(chunks.map(\.offset) == [0, 0, 0, 2, 0])
        #expect(chunks[3].bytes == [0, 255, 10])
        #expect(String(decoding: chunks[4].bytes, as: UTF8.self) == "retried")
        #expect(try reader.bytes(one) == [97, 10, 0, 255, 10])
        #expect(try reader.bytes(one, stream: .standardOutput) == [97, 10])
        #expect(first.byteCount == 5)
        #expect(first.lineCount == 2)
    }

    @Test("a step that printed nothing costs nothing")
    func silent() throws {
        let log = try JobLog(folder: scratch.path)
        for step in 0..<10_000 {
            let writer = log.writer(AttemptKey(step: step, attempt: 1))
            try writer.finish(at: time(1))
        }
        try log.close(durable: false, at: time(2))
        #expect(scratch.names() == ["log"])
        #expect(scratch.read("log").count == LogFrame.fileHead.count + LogFrame.headBytes)
        #expect(try LogReader(folder: scratch.path).extents().isEmpty)
    }

    @Test("small pieces of one stream become one frame while little time passes")
    func joined() throws {
        let log = try JobLog(folder: scratch.path)
        let writer = log.writer(one)
        for place in 0..<1000 {
            try writer.append(.standardOutput, [UInt8(place % 256)], at: time(Int64(place / 250)))
        }
        try writer.append(.standardOutput, [1], at: time(100))
        try log.close(durable: false, at: time(101))
        let chunks = try all(LogReader(folder: scratch.path))
        #expect(chunks.map(\.bytes.count) == [1000, 1])
    }

    @Test("ranges of bytes and of lines are what slicing the whole gives")
    func ranges() throws {
        var numbers = SplitMix(state: 7)
        let log = try JobLog(folder: scratch.path)
        let writers = [log.writer(one), log.writer(two)]
        var whole: [[UInt8]] = [[], []]
        for round in 0..<400 {
            let which = Int.random(in: 0...1, using: &numbers)
            let bytes = (0..<Int.random(in: 0...12_000, using: &numbers)).map { _ in
                UInt8.random(in: 0...255, using: &numbers) % 100
            }
            whole[which] += bytes
            try writers[which].append(
                round % 3 == 0 ? .standardError : .standardOutput, bytes, at: time(Int64(round)))
        }
        try log.close(durable: false, at: time(1000))
        for indexed in [true, false] {
            if !indexed { #expect(unlink(scratch.file("log.index")) == 0) }
            let reader = try LogReader(folder: scratch.path)
            for (which, key) in [one, two].enumerated() {
                let bytes = whole[which]
                #expect(try reader.bytes(key) == bytes)
                let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
                for _ in 0..<60 {
                    let from = Int.random(in: 0...bytes.count, using: &numbers)
                    let to = Int.random(in: from...min(bytes.count, from + 70_000), using: &numbers)
                    #expect(
                        try reader.bytes(key, UInt64(from)..<UInt64(to)) == Array(bytes[from..<to]))
                    let line = Int.random(in: 0..<lines.count, using: &numbers)
                    let last = min(lines.count, line + Int.random(in: 1...40, using: &numbers))
                    var wanted = Array(lines[line..<last].joined(separator: [10]))
                    if last < lines.count { wanted.append(10) }
                    #expect(try reader.lines(key, line..<last) == wanted)
                }
            }
            #expect(try reader.extents().map(\.byteCount) == whole.map { UInt64($0.count) })
        }
    }

    @Test("a line of 50 MB is kept whole, and memory stays bounded")
    func longLine() throws {
        let log = try JobLog(folder: scratch.path)
        let writer = log.writer(one)
        let chunk = [UInt8](repeating: 120, count: 1 << 16)
        for _ in 0..<800 { try writer.append(.standardOutput, chunk, at: time(1)) }
        try writer.append(.standardOutput, [10, 121], at: time(2))
        #expect(writer.tail.count <= 2 * LogWriter.tailBytes)
        try log.close(durable: false, at: time(3))
        let reader = try LogReader(folder: scratch.path)
        #expect(writer.byteCount == 800 << 16 + 2)
        #expect(try reader.lines(one, 1..<2) == [121])
        #expect(try reader.extents().first?.byteCount == writer.byteCount)
        var count = 0
        while let part = try reader.next() {
            #expect(part.bytes.count <= LogFrame.mostBytes)
            count += part.bytes.count
        }
        #expect(UInt64(count) == writer.byteCount)
    }

    @Test("what only one attempt printed is read without the rest")
    func filtered() throws {
        let log = try JobLog(folder: scratch.path)
        let noisy = log.writer(two)
        let quiet = log.writer(one)
        for round in 0..<50 {
            try noisy.append(.standardOutput, [UInt8](repeating: 1, count: 60_000), at: time(1))
            try quiet.append(.standardOutput, [UInt8(round)], at: time(2))
        }
        try log.close(durable: false, at: time(3))
        let reader = try LogReader(folder: scratch.path)
        var found: [UInt8] = []
        while let chunk = try reader.next(where: { $0 == one }) { found += chunk.bytes }
        #expect(found == (0..<50).map(UInt8.init))
        #expect(reader.hasEnded)
    }

    @Test("secrets are hidden across chunks of one stream, also when the other comes between")
    func redacted() throws {
        let redactor = try HistoryRedactorTests.redactor("swordfish")
        let log = try JobLog(folder: scratch.path, redactor: redactor)
        let writer = log.writer(one)
        try writer.append(.standardOutput, Array("a sword".utf8), at: time(1))
        try writer.append(.standardError, Array("x sword".utf8), at: time(2))
        try writer.append(.standardOutput, Array("fish b\nsword".utf8), at: time(3))
        try writer.finish(at: time(4))
        try log.note(step: 3, "K=swordfish", at: time(5))
        try log.close(durable: false, at: time(6))
        let reader = try LogReader(folder: scratch.path)
        let output = try reader.bytes(one, stream: .standardOutput)
        #expect(String(decoding: output, as: UTF8.self) == "a *** b\nsword")
        let errors = try reader.bytes(one, stream: .standardError)
        #expect(String(decoding: errors, as: UTF8.self) == "x sword")
        #expect(try all(reader).last?.bytes == Array("K=***".utf8))
        #expect(!String(decoding: scratch.read("log"), as: UTF8.self).contains("swordfish"))
        #expect(String(decoding: writer.tail, as: UTF8.self) == "a x *** b\nswordsword")
    }

    @Test("the last line that says something is known")
    func lastLine() throws {
        let log = try JobLog(folder: scratch.path)
        let writer = log.writer(one)
        #expect(writer.lastLine.isEmpty)
        try writer.append(.standardOutput, Array("one\ntwo\r\n\n".utf8), at: time(1))
        #expect(writer.lastLine.elementsEqual("two".utf8))
        try writer.append(.standardOutput, Array("10%\r20%".utf8), at: time(1))
        #expect(writer.lastLine.elementsEqual("20%".utf8))
        try writer.append(
            .standardOutput, [UInt8](repeating: 46, count: 100_000), at: time(1))
        #expect(writer.lastLine.count == 400)
    }

    @Test("a log that was cut anywhere reads as what was whole before the cut")
    func torn() throws {
        let log = try JobLog(folder: scratch.path)
        let writer = log.writer(one)
        for round in 0..<5 {
            try writer.append(
                .standardOutput, Array("line \(round)\n".utf8), at: time(Int64(round) * 50))
        }
        try log.close(durable: false, at: time(900))
        let bytes = scratch.read("log")
        for cut in LogFrame.fileHead.count..<bytes.count {
            for junk in [[], [UInt8](repeating: 255, count: 100)] {
                scratch.write("log", Array(bytes[..<cut]) + junk)
                let reader = try LogReader(folder: scratch.path)
                let chunks = try all(reader)
                let frame = LogFrame.headBytes + 7
                #expect(!reader.hasEnded)
                if junk.isEmpty { #expect(chunks.count == (cut - LogFrame.fileHead.count) / frame) }
                #expect(chunks.count <= 5)
                #expect(try reader.lines(one, 0..<10).count <= 35)
            }
        }
        for junk in [[], Array("no log at all".utf8), Array("danube-log 2\n\0\0\0".utf8)] {
            scratch.write("log", junk)
            #expect(throws: LogError.notALog(path: scratch.file("log"))) {
                try LogReader(folder: scratch.path)
            }
        }
    }

    @Test("a damaged index is not believed")
    func damagedIndex() throws {
        let log = try JobLog(folder: scratch.path)
        let writer = log.writer(one)
        for round in 0..<40 {
            try writer.append(
                .standardOutput, [UInt8](repeating: UInt8(round), count: 50_000), at: time(1))
        }
        try log.close(durable: false, at: time(2))
        let good = scratch.read("log.index")
        for place in stride(from: 0, to: good.count, by: 37) {
            var bad = good
            bad[place] ^= 1
            scratch.write("log.index", bad)
            let reader = try LogReader(folder: scratch.path)
            #expect(try reader.bytes(one, 1_000_000..<1_000_001) == [20])
        }
        for count in [0, 8, good.count - 8, good.count - 1] {
            scratch.write("log.index", Array(good[..<count]))
            let reader = try LogReader(folder: scratch.path)
            #expect(try reader.bytes(one, 1_000_000..<1_000_001) == [20])
        }
    }

    @Test("a closed log takes nothing more, and a second one of the same job is refused")
    func closed() throws {
        let log = try JobLog(folder: scratch.path)
        let writer = log.writer(one)
        try log.close(durable: false, at: time(1))
        #expect(throws: LogError.closed(path: log.path)) {
            try writer.append(.standardOutput, [1], at: time(2))
        }
        #expect(throws: LogError.self) { try JobLog(folder: scratch.file("missing")) }
    }

    @Test("after a write that failed the log ends where it ended before, and goes on")
    func failedWrite() async {
        // In a process of its own, because a limit of a file's size is the process's.
        await #expect(processExitsWith: .success) {
            let scratch = HistoryScratch()
            let key = AttemptKey(step: 1, attempt: 1)
            let log = try JobLog(folder: scratch.path)
            let writer = log.writer(key)
            let time = Timestamp(microseconds: 0)
            try writer.append(.standardOutput, Array("kept\n".utf8), at: time)
            try log.flush()
            let before = scratch.read("log")
            signal(SIGXFSZ, SIG_IGN)
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            var limit = rlimit()
            getrlimit(resource, &limit)
            let ordinary = limit.rlim_cur
            limit.rlim_cur = 100_000
            setrlimit(resource, &limit)
            try writer.append(
                .standardOutput, [UInt8](repeating: 1, count: JobLog.bufferBytes), at: time)
            let error = #expect(throws: LogError.self) { try log.flush() }
            guard case .io(let path, _) = error, path == log.path else { exit(1) }
            guard scratch.read("log") == before else { exit(2) }
            // What waits is not more than the buffer, and fits when there is space again.
            guard (try? writer.append(.standardOutput, [2], at: time)) == nil else { exit(3) }
            limit.rlim_cur = ordinary
            setrlimit(resource, &limit)
            try log.close(durable: true, at: time)
            let bytes = try LogReader(folder: scratch.path).bytes(key)
            guard bytes.count == 5 + JobLog.bufferBytes else { exit(4) }
        }
        #expect(JobLog.problem(ENOSPC, "x") == .full(path: "x"))
    }
}
