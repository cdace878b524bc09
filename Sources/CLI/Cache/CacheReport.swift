import Executor
import PipelineIR

/// Results of the cache in tables and lists.
enum CacheReport {
    /// The fewest digits of a key that are shown.
    static let fewestDigits = 8

    /// How many digits tell every key from all others.
    static func digits(_ keys: [String]) -> Int {
        let sorted = keys.sorted()
        var most = fewestDigits
        for (one, next) in zip(sorted, sorted.dropFirst()) where one != next {
            most = max(most, zip(one.utf8, next.utf8).prefix { $0 == $1 }.count + 1)
        }
        return most
    }

    /// A line for each result; `shown` of them.
    static func list(
        _ entries: [CacheEntry], shown: Int, now: Int64, on terminal: Terminal
    ) -> TextBuffer {
        let digits = digits(entries.map(\.key.description))
        var table = TextTable(["KEY", "SIZE", "USED", "MADE", "JOB", "", "STEP"])
        for entry in entries.prefix(shown) {
            table.add([
                .init(String(entry.key.description.prefix(digits))),
                .init(SizeText.bytes(entry.size)), .init(SizeText.age(of: entry.used, now: now)),
                .init(SizeText.age(of: entry.created, now: now), .dim), .init(entry.job),
                .init(entry.isPinned ? "pinned" : "", .yellow), .init(entry.step),
            ])
        }
        var buffer = TextBuffer(colour: terminal.colour)
        table.put(into: &buffer, columns: terminal.columns)
        if entries.count > shown {
            buffer.put("… and \(entries.count - shown) more (--limit)", .dim)
            buffer.newline()
        }
        return buffer
    }

    /// Names with values, a line each.
    static func facts(_ facts: [(String, String)], into buffer: inout TextBuffer) {
        let width = (facts.map(\.0.utf8.count).max() ?? 0) + 2
        for (name, value) in facts {
            buffer.put("  ")
            buffer.put(name, .dim)
            buffer.blanks(width - name.utf8.count)
            buffer.safe(value)
            buffer.newline()
        }
    }

    /// One result, and what it was made of.
    static func detail(
        _ entry: CacheEntry, _ result: ActionResult, _ manifest: Manifest?, now: Int64,
        on terminal: Terminal
    ) -> TextBuffer {
        var buffer = TextBuffer(colour: terminal.colour)
        buffer.put("result \(entry.key)", .bold)
        buffer.newline()
        var lines = [
            ("step", entry.step), ("job", entry.job),
            ("made", ago(entry.created, now)), ("last used", ago(entry.used, now)),
            (
                "took",
                DurationText.render(.milliseconds(Int64(clamping: result.durationMilliseconds)))
            ),
            ("size", SizeText.bytes(entry.size)),
        ]
        if entry.isPinned { lines.append(("pinned", "yes")) }
        facts(lines, into: &buffer)
        if let manifest {
            put("made of", manifest.facts.compactMap(fact), most: 40, into: &buffer)
            put("inputs", manifest.inputs.entries.map(path), most: 20, into: &buffer)
        }
        put("outputs", result.outputs.entries.map(path), most: 20, into: &buffer)
        return buffer
    }

    private static func ago(_ time: Int64, _ now: Int64) -> String {
        let age = SizeText.age(of: time, now: now)
        let local = Timestamp(microseconds: time * 1_000_000).local
        return age == "now" ? "\(local) (now)" : "\(local) (\(age) ago)"
    }

    private static func put(
        _ title: String, _ lines: [String], most: Int, into buffer: inout TextBuffer
    ) {
        buffer.put("  \(title)", .dim)
        if lines.isEmpty { buffer.put("  none") }
        buffer.newline()
        for line in lines.prefix(most) {
            buffer.put("    ")
            buffer.safe(line)
            buffer.newline()
        }
        if lines.count > most {
            buffer.put("    … and \(lines.count - most) more", .dim)
            buffer.newline()
        }
    }

    private static func fact(_ fact: Manifest.Fact) -> String? {
        let value = DisplayText.firstLine(ChangeText.readable(fact.value), columns: 60)
        switch fact.kind {
        case .schema, .inputs: return nil
        case .script: return "command   \(value)"
        case .argument: return "word \(fact.name)    \(value)"
        case .variable: return "variable  \(fact.name)=\(value)"
        case .secret: return "secret    \(fact.name)"
        case .output: return "output    \(fact.name)"
        case .capture where fact.value != "yes": return nil
        case .network where fact.value.isEmpty: return nil
        case .workdir where fact.value.isEmpty: return nil
        default:
            let kind = "\(fact.kind)"
            let gap = String(repeating: " ", count: max(1, 10 - kind.utf8.count))
            return kind + gap + (fact.name.isEmpty ? value : "\(fact.name) \(value)")
        }
    }

    private static func path(_ entry: FileTree.Entry) -> String {
        switch entry.node {
        case .file(let digest, let size, let isExecutable):
            "\(ChangeText.short(digest))  \(entry.path.text)\(isExecutable ? "*" : "")"
                + "  (\(SizeText.bytes(size)))"
        case .link(let target):
            "link      \(entry.path.text) -> \(String(decoding: target, as: UTF8.self))"
        case .folder: "folder    \(entry.path.text)/"
        }
    }
}
