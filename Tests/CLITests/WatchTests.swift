import Executor
import Testing

@testable import CLI

/// Scripted runs, as each watch shows them. The bytes for a terminal are played to an emulator in
/// `Tests/python/test_watch.py`.
struct WatchTests {
    static let cases = Fixtures.cases("watch")

    @Test(arguments: cases)
    func `a run looks as its golden says`(name: String) throws {
        let bytes = try #require(Fixtures.read("watch/\(name)/case"))
        let script = try WatchScript(String(decoding: bytes, as: UTF8.self))
        try check(name, "tree.frames", tree(script))
        let sink = RecordedSink()
        try script.play(LineWatch(plain(script), sink: sink))
        check(name, "lines.txt", sink.bytes)
        let quiet = RecordedSink()
        try script.play(QuietWatch(plain(script), sink: quiet))
        check(name, "quiet.txt", quiet.bytes)
        let json = RecordedSink()
        try script.play(JSONWatch(sink: json))
        check(name, "events.jsonl", json.bytes)
    }

    /// What goes to a terminal, a write a line.
    private func tree(_ script: WatchScript) throws -> [UInt8] {
        let sink = RecordedSink()
        var size = (columns: script.columns, rows: script.rows)
        let watch = TreeWatch(script.options, sink: sink) { size }
        try script.play(watch) { size = ($0, $1) }
        return Fixtures.readable(sink.writes)
    }

    private func plain(_ script: WatchScript) -> WatchOptions {
        var options = script.options
        options.terminal.interactive = false
        options.terminal.columns = nil
        return options
    }

    private func check(_ name: String, _ file: String, _ bytes: [UInt8]) {
        let path = "watch/\(name)/\(file)"
        if Fixtures.isUpdating { return Fixtures.write(path, bytes) }
        let expected = Fixtures.read(path) ?? []
        let isSame = bytes == expected
        #expect(isSame, "\(path) differs: \(Self.difference(bytes, expected))")
    }

    /// The first line that differs.
    private static func difference(_ new: [UInt8], _ old: [UInt8]) -> String {
        let new = new.split(separator: 0x0a, omittingEmptySubsequences: false)
        let old = old.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (number, line) in new.enumerated() where number >= old.count || old[number] != line {
            let before = number < old.count ? String(decoding: old[number], as: UTF8.self) : ""
            return "line \(number + 1): \(String(decoding: line, as: UTF8.self)) was \(before)"
        }
        return "fewer lines"
    }
}
