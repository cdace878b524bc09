import Executor
import PipelineIR

@testable import CLI

/// A run written down: the plan, then what happens, one event a line. `fixtures/watch/README.md`
/// describes the words.
struct WatchScript {
    /// A line that is no event.
    struct Mistake: Error { var line: Int, text: String }

    private(set) var columns = 80
    private(set) var rows = 24
    private(set) var explains = false
    private(set) var hasColour = false
    private(set) var isUnicode = true
    private(set) var plan = Plan(pipeline: "build")
    private var job = "7f3a"
    private var jobs = 4
    private var expected: [UInt64] = []
    private var source: [String] = []
    private var events: [(line: Int, words: [String])] = []
    private var steps: [String: Int] = [:]
    private var groups: [String: Int] = [:]

    init(_ text: String) throws {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let words = Self.words(line)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            if try !declare(first, Array(words.dropFirst()), index + 1, line) {
                events.append((index + 1, words))
            }
        }
    }

    // MARK: The plan

    private mutating func declare(
        _ word: String, _ rest: [String], _ number: Int, _ line: Substring
    ) throws -> Bool {
        let first = rest.first ?? ""
        switch word {
        case "screen":
            (columns, rows) = try Self.size(first, number)
        case "colour": hasColour = true
        case "ascii": isUnicode = false
        case "explains": explains = true
        case "pipeline": plan.pipeline = first
        case "jobs": jobs = Int(first) ?? 1
        case "source": source.append(rest.joined(separator: " "))
        case "group":
            var group = Group(
                kind: rest.contains("sequence") ? .sequence : .parallel,
                name: first == "-" ? "" : first, parent: nil, failFast: true, frame: nil)
            if let parent = Self.value("in", rest) {
                group.parent = groups[parent].map { GroupIndex($0) }
            }
            groups[first] = plan.groups.count
            plan.groups.append(group)
        case "step":
            declareStep(first, rest)
        default: return false
        }
        return true
    }

    private mutating func declareStep(_ name: String, _ rest: [String]) {
        let label = Self.value("as", rest) ?? name
        var step = Step(id: label, name: name, command: .script(Template(parts: [])))
        step.group = Self.value("in", rest).flatMap { groups[$0] }.map { GroupIndex($0) }
        for before in (Self.value("after", rest) ?? "").split(separator: ",") {
            if let index = steps[String(before)] { step.order.append(StepIndex(index)) }
        }
        if let place = Self.value("at", rest) {
            let numbers = place.split(separator: ":").compactMap { Int32($0) }
            step.frame = FrameIndex(plan.frames.count)
            plan.frames.append(
                Frame(
                    file: "danubefile.py", line: numbers[0], column: numbers[1],
                    endLine: numbers[0], endColumn: numbers[2], function: "build", parent: nil))
            if let caller = Self.value("from", rest).flatMap({ Int32($0) }) {
                plan.frames.insert(
                    Frame(
                        file: "danubefile.py", line: caller, column: 5, endLine: caller,
                        endColumn: 6, function: "build", parent: nil), at: plan.frames.count - 1)
                step.frame = FrameIndex(plan.frames.count - 1)
                plan.frames[plan.frames.count - 1].parent = FrameIndex(plan.frames.count - 2)
            }
        }
        steps[label] = plan.steps.count
        plan.steps.append(step)
        expected.append(Self.value("expect", rest).map(Self.nanoseconds) ?? 0)
    }

    // MARK: What happens

    /// Options of a watch as the script wants them.
    var options: WatchOptions {
        var options = WatchOptions(
            Terminal(
                interactive: true, colour: hasColour, columns: columns, unicode: isUnicode),
            explains: explains)
        let text = source.joined(separator: "\n")
        options.source = { $0 == "danubefile.py" ? Array(text.utf8) : nil }
        return options
    }

    var run: RunDescription {
        RunDescription(
            job: job, plan: plan, digest: "sha256:abc", expected: expected, jobs: jobs,
            isInPlace: false, started: Self.began)
    }

    /// Monotonic time at which scripted runs begin.
    static let began: UInt64 = 5_000_000_000

    /// Plays everything to a watch; `resize` is called before the watch hears of it.
    func play(_ watch: any RunObserver, resize: (Int, Int) -> Void = { _, _ in }) throws {
        watch.began(run)
        var summary: RunSummary?
        for (line, words) in events {
            if words[0] == "artifact" {
                summary?.artifacts.append((words[1], words[2]))
            } else if words[0] == "failed" {
                summary?.failedTests.append(words[1])
            } else if words[0] == "tests" {
                let numbers = words.dropFirst().compactMap { Int($0) }
                summary?.tests = (numbers[0], numbers[1], numbers[2])
            } else if words[0] == "finish" {
                guard let outcome = RunSummary.Outcome(rawValue: words[1]) else {
                    throw Mistake(line: line, text: words[1])
                }
                summary = RunSummary(
                    outcome: outcome, message: Self.value("message", words),
                    nanoseconds: Self.value("took", words).map(Self.nanoseconds) ?? 0)
            } else if words[0] == "resize" {
                let (columns, rows) = try Self.size(words[1], line)
                resize(columns, rows)
                watch.resized()
            } else {
                try play(words, line, watch)
            }
        }
        guard var summary else { throw Mistake(line: 0, text: "no finish") }
        for words in events.map(\.words) where words[0] == "end" {
            if let result = StepEnd.Result(rawValue: words[2]) {
                summary.counts[result, default: 0] += 1
            }
        }
        watch.ended(summary)
    }

    private func play(_ words: [String], _ line: Int, _ watch: any RunObserver) throws {
        switch words[0] {
        case "at":
            watch.refresh(now: Self.began + Self.nanoseconds(words[1]))
            return
        case "note":
            watch.noted(words[1])
            return
        case "tell":
            guard let level = RunMessage.Level(rawValue: words[1]) else { break }
            let step = Self.value("of", words).flatMap { steps[$0] }.map { StepIndex($0) }
            watch.told(
                RunMessage(level, words[2], hint: Self.value("hint", words), step: step))
            return
        default: break
        }
        guard words.count > 1, let index = steps[words[1]] else {
            throw Mistake(line: line, text: words.joined(separator: " "))
        }
        let step = StepIndex(index)
        switch words[0] {
        case "start": watch.started(step, attempt: words.count > 2 ? Int(words[2]) ?? 1 : 1)
        case "write", "error":
            var bytes = Self.unescaped(words[2])
            bytes.withUnsafeMutableBytes {
                watch.wrote(
                    step, words[0] == "write" ? .output : .error, UnsafeRawBufferPointer($0))
            }
        case "replay":
            let streams: [String: LogStream] = [
                "note": .note, "write": .standardOutput, "error": .standardError,
            ]
            guard let stream = streams[words[2]] else { throw Mistake(line: line, text: words[2]) }
            var bytes = Self.unescaped(words[3])
            bytes.withUnsafeMutableBytes {
                watch.replayed(step, stream, UnsafeRawBufferPointer($0))
            }
        case "hit": watch.explained(step, .hit(key: "sha256:key", job: words[2]))
        case "miss":
            watch.explained(step, .miss(key: "sha256:key", reasons: Array(words.dropFirst(2))))
        case "uncacheable": watch.explained(step, .uncacheable(reason: words[2]))
        case "retry":
            watch.retrying(
                step, attempt: Int(words[2]) ?? 1, reason: words[3],
                after: Self.nanoseconds(words[4]))
        case "end": try end(step, words, line, watch)
        default: throw Mistake(line: line, text: words[0])
        }
    }

    private func end(
        _ step: StepIndex, _ words: [String], _ line: Int, _ watch: any RunObserver
    ) throws {
        guard let result = StepEnd.Result(rawValue: words[2]) else {
            throw Mistake(line: line, text: words[2])
        }
        watch.ended(
            step,
            StepEnd(
                result: result, code: Self.value("code", words).flatMap { Int32($0) },
                reason: Self.value("because", words),
                nanoseconds: Self.value("took", words).map(Self.nanoseconds) ?? 0,
                attempts: Self.value("attempts", words).flatMap { Int($0) }
                    ?? ([.succeeded, .failed].contains(result) ? 1 : 0),
                isFatal: words.contains("fatal")))
    }

    // MARK: Words

    /// `3.2s` or `430ms`.
    static func nanoseconds(_ text: String) -> UInt64 {
        let number = Double(text.prefix { $0.isNumber || $0 == "." }) ?? 0
        return UInt64((number * (text.hasSuffix("ms") ? 1e6 : 1e9)).rounded())
    }

    private static func size(_ text: String, _ line: Int) throws -> (Int, Int) {
        let numbers = text.split(separator: "x").compactMap { Int($0) }
        guard numbers.count == 2 else { throw Mistake(line: line, text: text) }
        return (numbers[0], numbers[1])
    }

    private static func value(_ key: String, _ words: [String]) -> String? {
        guard let position = words.firstIndex(of: key), position + 1 < words.count else {
            return nil
        }
        return words[position + 1]
    }

    /// Words at blanks; one in double quotes may hold blanks.
    private static func words(_ line: Substring) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        var isWord = false
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
                isWord = true
            } else if character == " ", !isQuoted {
                if isWord { words.append(word) }
                word = ""
                isWord = false
            } else {
                word.append(character)
                isWord = true
            }
        }
        if isWord { words.append(word) }
        return words
    }

    /// `\n`, `\r`, `\t`, `\e`, `\xNN` and `\q` for a quotation mark stand for bytes.
    static func unescaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "e"): bytes.append(0x1b)
            case UInt8(ascii: "q"): bytes.append(0x22)
            case UInt8(ascii: "x"):
                let hex = String(decoding: rest.prefix(2), as: UTF8.self)
                rest = rest.dropFirst(2)
                bytes.append(UInt8(hex, radix: 16) ?? 0x3f)
            default: bytes += [byte, next]
            }
        }
        return bytes
    }
}
