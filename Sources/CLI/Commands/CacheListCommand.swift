import ArgumentParser
import Executor
import Glibc
import PipelineIR

/// `danube cache ls`.
struct CacheListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List results, the last used first.")

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("How many are listed.", valueName: "count"))
    var limit = 50

    @OptionGroup var display: CacheDisplayOptions

    func validate() throws {
        guard (1...10_000_000).contains(limit) else {
            throw ValidationError("--limit \(limit) is not between 1 and 10000000.")
        }
    }

    func run() throws {
        let cache = try CacheFolder.openIfPresent()
        let entries = try CacheFolder.tried { () throws(CacheError) in
            try cache?.entries() ?? []
        }
        if display.json {
            return Output.out(CacheJSON.list(entries.prefix(limit), total: entries.count))
        }
        if entries.isEmpty { return Output.err("danube: note: the cache is empty") }
        let terminal = display.terminal
        let report = CacheReport.list(
            entries, shown: limit, now: Int64(time(nil)), on: terminal)
        Output.out(terminal.shown(report))
    }
}

/// `danube cache show`.
struct CacheShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one result and what its key was made of.")

    @OptionGroup var result: CacheKeyArgument
    @OptionGroup var display: CacheDisplayOptions

    func run() throws {
        let cache = try CacheFolder.open()
        let key = try result.found(in: cache)
        let found = try CacheFolder.tried { () throws(CacheError) in
            (
                try cache.entries().first { $0.key == key }, try cache.find(key),
                try cache.manifest(of: key)
            )
        }
        guard let entry = found.0, let result = found.1 else {
            throw Failure.mistake("the result \(key) cannot be read")
        }
        if display.json { return Output.out(CacheJSON.detail(entry, result, found.2)) }
        let terminal = display.terminal
        Output.out(
            terminal.shown(
                CacheReport.detail(
                    entry, result, found.2, now: Int64(time(nil)), on: terminal)))
    }
}

/// `danube cache diff`.
struct CacheDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Say what differs between what two results were made of.",
        discussion: "The exit status is 1 when something does.")

    @Argument(
        help: "The first digits of the old key.",
        completion: .custom { _, _, _ in CacheFolder.completions() })
    var old: String

    @Argument(
        help: "The first digits of the new key.",
        completion: .custom { _, _, _ in CacheFolder.completions() })
    var new: String

    @OptionGroup var display: CacheDisplayOptions

    func run() throws {
        let cache = try CacheFolder.open()
        let manifests = try [old, new].map { name in
            let key = try CacheFolder.key(name, in: cache)
            let known = try CacheFolder.tried { () throws(CacheError) in
                try cache.manifest(of: key)
            }
            guard let known else {
                throw Failure.mistake("what the result \(key) was made of is not known any more")
            }
            return known
        }
        let changes = Manifest.difference(manifests[0], manifests[1])
        if display.json {
            Output.out(
                CacheJSON.line { json in
                    json.key("changes")
                    ChangeJSON.put(changes, &json)
                })
        } else {
            let terminal = display.terminal
            var buffer = TextBuffer(colour: terminal.colour)
            for line in ChangeText.lines(changes, most: 1000) {
                buffer.safe(line, columns: terminal.columns ?? .max)
                buffer.newline()
            }
            if changes.isEmpty { buffer.put("nothing differs\n") }
            Output.out(terminal.shown(buffer))
        }
        if !changes.isEmpty { throw ExitCode(1) }
    }
}
