import Executor
import Glibc
import Logging
import PipelineIR
import Testing

@testable import Master

@Suite struct MasterLogTests {
    /// A pipe that the sink writes to.
    final class Pipe: Sendable {
        let input: Int32
        let output: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            try #require(Glibc.pipe(&ends) == 0)
            (input, output) = (ends[0], ends[1])
            _ = fcntl(input, F_SETFL, O_NONBLOCK)
        }

        deinit {
            close(input)
            close(output)
        }

        /// What can be read now, one text for each read that the pipe gives whole.
        func read() -> String {
            var all: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = Glibc.read(input, &buffer, buffer.count)
                if count <= 0 { return String(decoding: all, as: UTF8.self) }
                all += buffer[..<count]
            }
        }
    }

    let pipe: Pipe

    init() throws { pipe = try Pipe() }

    func logger(
        _ format: LogFormat, _ level: Logger.Level = .info,
        redact: @escaping @Sendable (String) -> String = { $0 }
    ) -> (Logger, LogSink) {
        let sink = LogSink(
            descriptor: pipe.output, format: format, level: level,
            now: { Timestamp(microseconds: 1_000_000) }, redact: redact)
        return (Logger(label: "queue") { MasterLogHandler(label: $0, sink: sink) }, sink)
    }

    @Test func `a line for people has time, level, part, message and ids`() {
        let (logger, _) = logger(.text)
        logger.warning("it is late", metadata: ["why": "two words", "job": "j1", "n": "3"])
        #expect(
            pipe.read()
                == "1970-01-01T00:00:01.000Z warning  queue: it is late job=j1 n=3"
                + " why=\"two words\"\n")
    }

    @Test func `a line for machines is one JSON object`() throws {
        var (logger, _) = logger(.json)
        logger[metadataKey: "request"] = "r1"
        logger.error("\"no\"\n", metadata: ["z": "\\", "a": ["b", "c"]])
        let line = pipe.read()
        #expect(
            line == #"{"time":"1970-01-01T00:00:01.000Z","level":"error","part":"queue","#
                + #""message":"\"no\"\n","request":"r1","a":"[\"b\", \"c\"]","z":"\\"}"# + "\n")
        _ = try CanonicalJSON.canonical(Array(line.utf8.dropLast()))
    }

    @Test func `an error that is logged stands in the line`() {
        struct Broken: Error, CustomStringConvertible { let description = "broken\u{1B}[2J" }
        let (logger, _) = logger(.text)
        logger.error("x", error: Broken())
        #expect(pipe.read().hasSuffix("x error=broken\\u001b[2J\n"))
    }

    @Test(arguments: [LogFormat.text, .json])
    func `whatever is logged is one line of at most 4096 bytes`(format: LogFormat) throws {
        let (logger, _) = logger(format)
        let texts = [
            "\r\n\u{1B}[31m\u{0}\u{7F}\u{85}\u{2028}\u{202E}", "",
            String(repeating: "\u{0}", count: 9999), String(repeating: "\"\\", count: 9999),
            String(repeating: "é日👩‍👩‍👧", count: 9999), String(repeating: "x", count: 10 << 20),
        ]
        for text in texts {
            var metadata: Logger.Metadata = ["job": "\(text)", "request": "kept"]
            for number in 0..<50 { metadata["k\(number)"] = "\(text)" }
            metadata[text.prefix(100) + ""] = "y"
            logger.info("\(text)", metadata: metadata)
            let line = pipe.read()
            #expect(line.utf8.count <= 4096 && line.hasSuffix("\n") && !line.contains("\u{FFFD}"))
            #expect(line.unicodeScalars.dropLast().allSatisfy { !$0.isControl })
            #expect(line.contains("kept"))
            if format == .json { _ = try CanonicalJSON.canonical(Array(line.utf8.dropLast())) }
        }
    }

    @Test(arguments: [LogFormat.text, .json])
    func `no secret comes through, wherever it stands`(format: LogFormat) throws {
        struct Broken: Error { let detail: String }
        let canary = "canary-7391-value"
        let redactor = try Redactor(secrets: [(name: "A", value: Array(canary.utf8))])
        let (logger, sink) = logger(format) { redactor.redact($0) }
        // Where a text is cut, half of a secret must not be left.
        var text = ""
        for length in 2000..<2060 {
            logger.info("\(String(repeating: "x", count: length))\(canary)")
            text += pipe.read()
        }
        logger.info(
            "with \(canary)", error: Broken(detail: canary),
            metadata: ["a": "\(canary)", "b": ["\(canary)"], "c": ["d": "\(canary)"]])
        text += pipe.read()
        #expect(text.contains("with ***"))
        #expect(!text.contains("canary") && !text.contains("7391"))
        sink.setRedaction { _ in "nothing" }
        logger.info("other")
        #expect(pipe.read().contains("nothing"))
    }

    @Test func `the level changes for all loggers at once`() {
        let (logger, sink) = logger(.text, .info)
        var own = logger
        own.logLevel = .error
        logger.debug("a")
        sink.level = .debug
        logger.debug("b")
        own.debug("c")
        sink.level = .critical
        logger.error("d")
        let text = pipe.read()
        #expect(text.contains(": b") && text.split(separator: "\n").count == 1)
        for level in Logger.Level.allCases {
            sink.level = level
            #expect(sink.level == level)
        }
    }

    @Test func `a reader that stalls holds nobody up, and is told what it missed`() throws {
        let (logger, _) = logger(.text)
        let clock = ContinuousClock()
        let line = String(repeating: "x", count: 1000)
        let took = clock.measure { for _ in 0..<5000 { logger.info("\(line)") } }
        #expect(took < .seconds(10))
        let written = pipe.read().split(separator: "\n").count
        #expect(written < 100)
        logger.info("after")
        let text = pipe.read()
        #expect(text.contains("lines were dropped: nobody read the log dropped=\(5000 - written)"))
        #expect(text.contains("queue: after"))
    }

    @Test func `a reader that is gone ends nothing`() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        let sink = LogSink(descriptor: ends[1], format: .text, level: .info) { $0 }
        let logger = Logger(label: "queue") { MasterLogHandler(label: $0, sink: sink) }
        for _ in 0..<3 { logger.info("to nobody") }
    }

    @Test func `lines of many tasks do not mix`() async throws {
        let (logger, _) = logger(.text)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<20 { logger.info("\(String(repeating: "\(task)", count: 200))") }
                }
            }
        }
        let lines = pipe.read().split(separator: "\n")
        #expect(lines.count == 160)
        #expect(lines.allSatisfy { Set($0.suffix(200)).count == 1 })
    }
}
