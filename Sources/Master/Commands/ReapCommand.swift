internal import GRDB
internal import Glibc
internal import Logging
internal import PipelineIR

internal import class Executor.ContentStore
internal import struct Executor.Timestamp

extension MasterCommand {
    /// `danube-master reap`.
    static let reap = MasterCommand(
        name: "reap", summary: "Say what the master removes because it is too old or too much.",
        usage: "--dry-run [--json]",
        help: """
            A running master does it each day at `retention.at`, when the disk is nearly full, and \
            on SIGUSR1. This only says what it would remove now.

              --dry-run   Remove nothing.
              --json      Print one object of JSON.
            """,
        form: .init(switches: ["--dry-run", "--json"])
    ) { words, configuration in
        guard words.switches.contains("--dry-run") else {
            throw CommandWords.Mistake(
                message: "only the master that runs removes something",
                hint: "Say --dry-run to see what; `kill -USR1` lets the master do it.")
        }
        let items = try ReapCommand(configuration).items()
        let text =
            words.switches.contains("--json") ? ReapReport.json(items) : ReapReport.text(items)
        MasterProgram.say(text, to: STDOUT_FILENO)
        return 0
    }
}

/// Finds all that the reaper would remove.
struct ReapCommand {
    let configuration: MasterConfiguration

    init(_ configuration: MasterConfiguration) { self.configuration = configuration }

    /// All of it, kind by kind. It changes nothing; it waits for the disk.
    func items() throws -> [ReapItem] {
        let folder = configuration.data
        let file = try ReadOnlyDatabase(path: "\(folder)/\(MasterDatabase.fileName)")
        defer { file.close() }
        try file.examine(mayBeEmpty: false)
        let rules = ReapRules(configuration)
        let now = Timestamp.now()
        let version = try file.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        guard version == Migrations.scripts.count else {
            throw StartFailure(
                message: "\(file.path) is of an older version",
                hint: "Start the master once, which brings it to this version.")
        }
        let shared = "\(folder)/\(SharedCache.folderName)"
        var items = try file.readOnce { connection in
            var items = try JobSurvey(folder: folder, rules: rules, now: now).items(in: connection)
            items += try UnneededPlans.items(in: connection, most: JobSurvey.most)
            guard access("\(shared)/sha256", F_OK) == 0 else { return items }
            let found = try SharedCacheSurvey(
                store: try ContentStore(shared), rules: rules, now: now
            ).found(in: connection)
            return items + found.results + found.contents.map(\.item)
        }
        items += MirrorSurvey(folder: "\(folder)/mirrors", rules: rules, now: now).items()
        let cache = configuration.cache.folder
        if rules.mostCache > 0, access("\(cache)/cas", F_OK) == 0,
            let item = try CacheReaping(folder: cache, mostBytes: rules.mostCache).survey()
        {
            items.append(item)
        }
        return items
    }
}

/// Says what would be removed.
enum ReapReport {
    /// The most lines of a table.
    private static let mostLines = 1000

    /// A table with a line for each thing, and a sum.
    static func text(_ items: [ReapItem]) -> String {
        if items.isEmpty { return "Nothing would be removed.\n" }
        var lines = [["KIND", "WHAT", "BYTES", "WHY"]]
        for item in items.prefix(mostLines) {
            lines.append(
                [item.kind.rawValue, item.name, "\(item.bytes)", item.reason.rawValue])
        }
        let widths = (0..<4).map { column in lines.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for line in lines {
            let cells = line.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 2 ? space + cell : cell + space
            }
            var row = cells.joined(separator: "  ")
            while row.hasSuffix(" ") { row.removeLast() }
            text += row + "\n"
        }
        if items.count > mostLines { text += "and \(items.count - mostLines) more\n" }
        let bytes = items.reduce(Int64(0)) { $0 &+ $1.bytes }
        return text + "\(items.count) would be removed, \(bytes) bytes.\n"
    }

    /// An object on one line.
    static func json(_ items: [ReapItem]) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.key("bytes")
        json.integer(Int(clamping: items.reduce(Int64(0)) { $0 &+ $1.bytes }))
        json.key("items")
        json.beginArray()
        for item in items {
            json.beginObject()
            json.key("bytes")
            json.integer(Int(clamping: item.bytes))
            json.key("kind")
            json.string(item.kind.rawValue)
            json.key("name")
            json.string(item.name)
            json.key("reason")
            json.string(item.reason.rawValue)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self) + "\n"
    }
}
