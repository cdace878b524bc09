import Executor
import Glibc
import PipelineIR
import Testing

@testable import CLI

/// The parts of the watches, at their bounds.
struct WatchPartTests {
    static func with(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes(body)
    }

    static func shown(_ text: String, columns: Int = 80, colour: Bool = false) -> String {
        var buffer = TextBuffer(colour: colour)
        let used = StepText.put(
            Array(text.utf8), columns: columns, colour: colour, into: &buffer)
        #expect(used <= columns)
        return buffer.text
    }

    @Test(arguments: [
        ("a\u{1b}[31mb\u{1b}[0m", "ab"), ("\u{1b}]0;title\u{07}x", "x"),
        ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"), ("a\tb", "a       b"),
        ("10%\r20%\r30%", "30%"), ("done\r", "done"), ("a\u{08}b", "a\\x08b"),
        ("\u{1b}[2J\u{1b}[Hx", "x"), ("\u{9b}31m", "\\x9b31m"), ("a\u{202e}b", "a\\u202eb"),
        ("\u{1b}", ""), ("\u{1b}[", ""), ("\u{1b}P1$r\u{1b}\\y", "y"), ("", ""),
    ])
    func `what a step wrote cannot harm a terminal`(text: String, expected: String) {
        #expect(Self.shown(text) == expected)
    }

    @Test func `colours are kept and end with the line, concealed text is not`() {
        #expect(Self.shown("\u{1b}[1;32mok", colour: true) == "\u{1b}[1;32mok\u{1b}[0m")
        #expect(Self.shown("\u{1b}[38;5;8mok", colour: true) == "\u{1b}[38;5;8mok\u{1b}[0m")
        #expect(Self.shown("\u{1b}[8mok", colour: true) == "ok")
        #expect(Self.shown("\u{1b}[38;5;1;8mok", colour: true) == "ok")
        #expect(Self.shown("\u{1b}[?25mok", colour: true) == "ok")
    }

    @Test func `a line is cut to its columns, also between wide characters`() {
        #expect(Self.shown("abcdef", columns: 6) == "abcdef")
        #expect(Self.shown("abcdefg", columns: 6) == "abcde…")
        #expect(Self.shown("构建构建", columns: 6) == "构建…")
        #expect(Self.shown("构建构", columns: 6) == "构建构")
    }

    @Test func `a tail keeps the last lines and counts all`() {
        var tail = LogTail()
        for number in 0..<10_000 { Self.with(Array("line \(number)\n".utf8)) { tail.append($0) } }
        Self.with(Array("end".utf8)) { tail.append($0) }
        #expect(tail.lines == 10_001)
        #expect(
            tail.last(3).map { String(decoding: $0, as: UTF8.self) } == [
                "line 9998", "line 9999", "end",
            ])
        #expect(String(decoding: tail.lastLine, as: UTF8.self) == "end")
        #expect(LogTail().last(3).isEmpty && LogTail().lastLine.isEmpty)
    }

    @Test func `a tail of one endless line is bounded`() {
        var tail = LogTail()
        let chunk = [UInt8](repeating: 0x78, count: 100_000)
        for _ in 0..<20 { Self.with(chunk) { tail.append($0) } }
        #expect(tail.lines == 1)
        #expect(tail.last(20).map(\.count) == [LogTail.kept])
        #expect(tail.lastLine.count == 4096)
    }

    @Test(arguments: 1...17)
    func `lines are whole however they were cut`(piece: Int) {
        let bytes = Array("one\ntwo größe\n\nthree".utf8)
        var assembler = LineAssembler()
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            Self.with(Array(bytes[start..<min(start + piece, bytes.count)])) {
                assembler.append($0, step: 1, .output) {
                    lines.append(String(decoding: $0, as: UTF8.self))
                }
            }
        }
        assembler.end(step: 1) { lines.append(String(decoding: $0, as: UTF8.self)) }
        #expect(lines == ["one", "two größe", "", "three"])
    }

    @Test func `a line beyond the bound is shown in parts, and nothing of it is lost`() {
        var assembler = LineAssembler()
        let bytes = Array(String(repeating: "ä", count: 20_000).utf8)
        var parts: [[UInt8]] = []
        Self.with(bytes) { assembler.append($0, step: 0, .error) { parts.append(Array($0)) } }
        assembler.end(step: 0) { parts.append(Array($0)) }
        #expect(parts.flatMap { $0 } == bytes)
        #expect(parts.allSatisfy { $0.count <= LineAssembler.bound })
        #expect(parts.allSatisfy { String(validating: $0, as: UTF8.self) != nil })
    }

    @Test func `a terminal that takes nothing is not drawn on, and later at once`() {
        let sink = RecordedSink()
        let terminal = Terminal(interactive: true, colour: false, columns: 80, unicode: true)
        let watch = TreeWatch(WatchOptions(terminal), sink: sink) { (80, 24) }
        var plan = Plan(pipeline: "p")
        plan.steps = [Step(id: "a", name: "a", command: .argv([]))]
        watch.began(
            RunDescription(
                job: "", plan: plan, digest: "", expected: [], jobs: 1, isInPlace: true, started: 0)
        )
        sink.isFull = true
        watch.started(StepIndex(0), attempt: 1)
        watch.refresh(now: 1_000_000_000)
        #expect(sink.writes.isEmpty)
        sink.isFull = false
        watch.refresh(now: 1_000_000_001)
        #expect(sink.writes.count == 1)
        watch.started(StepIndex(0), attempt: 2)
        watch.refresh(now: 1_000_000_002)
        #expect(sink.writes.count == 1)
        #expect(watch.wakeAt == 1_000_000_001 + TreeWatch.interval)
    }

    @Test func `a full pipe holds a run back only beyond the bound, and loses nothing`() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let sink = DescriptorSink(descriptor: ends[1])
        let bytes = (0..<DescriptorSink.bound / 2).map { UInt8(truncatingIfNeeded: $0 / 7) }
        sink.send(bytes)
        #expect(!sink.push())
        var read: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while read.count < bytes.count {
            _ = sink.push()
            let count = Glibc.read(ends[0], &chunk, chunk.count)
            if count <= 0 { break }
            read += chunk[..<count]
        }
        let isSame = read == bytes
        #expect(isSame)
        #expect(sink.push())
        close(ends[0])
        // Danube ignores the signal of a reader that went away; so does this test.
        let before = signal(SIGPIPE, SIG_IGN)
        sink.send([1])
        #expect(sink.failure == EPIPE)
        signal(SIGPIPE, before)
        close(ends[1])
    }

    @Test func `output that is no text goes through JSON unharmed`() {
        let bytes: [UInt8] = [0xff, 0x00, 0x41]
        #expect(Base64.encoded(bytes[...]) == "/wBB")
        #expect(Base64.encoded([][...]) == "")
        #expect(Base64.encoded([0x41][...]) == "QQ==")
        #expect(Base64.encoded([0x41, 0x42][...]) == "QUI=")
    }

    @Test(arguments: [
        (0, "0ms"), (999, "<1ms"), (3_000_000, "3ms"), (999_999_999, "999ms"),
        (1_000_000_000, "1.0s"), (59_949_000_000, "59.9s"), (60_000_000_000, "1m00s"),
        (3_599_000_000_000, "59m59s"), (3_600_000_000_000, "1h00m"),
        (UInt64.max, "5124095h34m"),
    ])
    func `times read well`(nanoseconds: UInt64, text: String) {
        #expect(Elapsed.text(nanoseconds) == text)
    }
}
