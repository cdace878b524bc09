import ArgumentParser
import Executor
import Glibc
import PipelineIR

/// `danube cache stats`.
struct CacheStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Say how much the cache holds, and where.")

    @OptionGroup var display: CacheDisplayOptions

    func run() throws {
        let cache = try CacheFolder.openIfPresent()
        let found = try CacheFolder.tried { () throws(CacheError) in
            try cache?.statistics() ?? .empty
        }
        let budget = try CacheFolder.budget(nil, option: "")
        let folder = try Places().cache
        if display.json {
            return Output.out(
                CacheJSON.line { json in
                    json.key("blobs")
                    json.integer(found.blobs)
                    json.key("bytes")
                    json.integer(found.blobBytes)
                    if let budget {
                        json.key("budget")
                        json.integer(budget)
                    }
                    json.key("failed_bytes")
                    json.integer(found.failed.bytes)
                    json.key("failed_jobs")
                    json.integer(found.failed.jobs)
                    CacheJSON.text("folder", folder, &json)
                    json.key("pinned")
                    json.integer(found.pinned)
                    json.key("results")
                    json.integer(found.results)
                })
        }
        let terminal = display.terminal
        var buffer = TextBuffer(colour: terminal.colour)
        var used = SizeText.bytes(found.blobBytes)
        if let budget { used += " of \(SizeText.bytes(budget))" }
        CacheReport.facts(
            [
                ("folder", folder), ("results", "\(found.results), \(found.pinned) pinned"),
                ("contents", "\(found.blobs)"), ("size", used),
                (
                    "failed steps",
                    "of \(PlanTable.count(found.failed.jobs, "job")), "
                        + SizeText.bytes(found.failed.bytes)
                ),
            ], into: &buffer)
        Output.out(buffer)
    }
}

/// `danube cache verify`.
struct CacheVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read all contents and remove those that are damaged.",
        discussion: "The exit status is 1 when there were any; what they were of is made again.")

    @OptionGroup var display: CacheDisplayOptions

    func run() throws {
        let cache = try CacheFolder.openIfPresent()
        let found = try CacheFolder.tried { () throws(CacheError) in
            try cache?.store.verify() ?? .empty
        }
        if display.json {
            Output.out(
                CacheJSON.line { json in
                    json.key("blobs")
                    json.integer(found.blobs)
                    json.key("bytes")
                    json.integer(found.bytes)
                    json.key("damaged")
                    json.strings(found.damaged.map(\.hex))
                })
        } else {
            var buffer = TextBuffer(colour: display.terminal.colour)
            buffer.put("\(found.blobs) contents read, \(SizeText.bytes(found.bytes)): ")
            if found.damaged.isEmpty {
                buffer.put("all are whole", .green)
            } else {
                buffer.put("\(found.damaged.count) damaged ones were removed", .boldRed)
            }
            buffer.newline()
            for digest in found.damaged { buffer.put("  \(digest.hex)\n") }
            Output.out(buffer)
        }
        if !found.damaged.isEmpty { throw ExitCode(1) }
    }
}

/// `danube cache gc`.
struct CacheCollectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove what was not used for longest, and what nothing needs.",
        discussion: """
            Runs do it by themselves when the cache has grown over its budget (--cache-size of \
            `danube run`, DANUBE_CACHE_SIZE). Pinned results stay.
            """)

    @Flag(help: "Only say what would be removed.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "What the cache may take, as 5Gi (default: its budget; 0 for nothing).",
            valueName: "size"))
    var maxSize: String?

    @OptionGroup var display: CacheDisplayOptions

    func run() throws {
        let budget: Int64 =
            maxSize == "0"
            ? 0 : try CacheFolder.budget(maxSize, option: "--max-size") ?? .max
        guard let cache = try CacheFolder.openIfPresent() else {
            return show(.empty)
        }
        if dryRun {
            return show(
                try CacheFolder.tried { () throws(CacheError) in
                    try cache.collect(budgetBytes: budget, removes: false, graceSeconds: 0)
                })
        }
        let folder = try Places().cache
        let done = try CacheFolder.tried { () throws(CacheError) in
            try CacheUsage(folder).collect(cache, budgetBytes: budget)
        }
        guard let done else {
            throw Failure.environment(
                "a run uses the cache, so nothing was removed",
                hint: "Try again when it has ended; `danube jobs --all` shows it.")
        }
        show(done)
    }

    private func show(_ done: CacheCollection) {
        if display.json {
            return Output.out(
                CacheJSON.line { json in
                    json.key("blobs")
                    json.integer(done.blobs)
                    json.key("bytes")
                    json.integer(done.bytes)
                    json.key("dry_run")
                    json.bool(dryRun)
                    json.key("failed_jobs")
                    json.integer(done.failedJobs)
                    json.key("kept_bytes")
                    json.integer(done.keptBytes)
                    json.key("results")
                    json.integer(done.results)
                })
        }
        var buffer = TextBuffer(colour: display.terminal.colour)
        buffer.put(dryRun ? "would remove " : "removed ")
        buffer.put("\(done.results) results and \(done.blobs) contents")
        if done.failedJobs > 0 {
            buffer.put(", failed steps of \(PlanTable.count(done.failedJobs, "job"))")
        }
        buffer.put(": ")
        buffer.put(SizeText.bytes(done.bytes), .bold)
        buffer.put(" (\(SizeText.bytes(done.keptBytes)) \(dryRun ? "would be " : "")left)")
        buffer.newline()
        Output.out(buffer)
    }
}

/// `danube cache pin`.
struct CachePinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Keep a result whatever the budget is.")

    @OptionGroup var result: CacheKeyArgument
    @OptionGroup var display: CacheDisplayOptions

    func run() throws { try CachePinning.set(result, true, display) }
}

/// `danube cache unpin`.
struct CacheUnpinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Let a result be removed again.")

    @OptionGroup var result: CacheKeyArgument
    @OptionGroup var display: CacheDisplayOptions

    func run() throws { try CachePinning.set(result, false, display) }
}

/// Pins results.
enum CachePinning {
    /// Pins a result, or no longer, and says so.
    static func set(
        _ result: CacheKeyArgument, _ isPinned: Bool, _ display: CacheDisplayOptions
    ) throws(Failure) {
        let cache = try CacheFolder.open()
        let key = try result.found(in: cache)
        let isThere = try CacheFolder.tried { () throws(CacheError) in
            try cache.pin(key, isPinned)
        }
        guard isThere else { throw .mistake("there is no result with the key \(key)") }
        var buffer = TextBuffer()
        if display.json {
            buffer = CacheJSON.line { json in
                CacheJSON.text("key", key.description, &json)
                json.key("pinned")
                json.bool(isPinned)
            }
        } else {
            buffer.put("\(key.description.prefix(12)) is \(isPinned ? "" : "not ")pinned\n")
        }
        Output.out(buffer)
    }
}
