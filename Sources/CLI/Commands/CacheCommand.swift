import ArgumentParser

/// `danube cache`.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Look at the results that are kept, and tidy them up.",
        discussion: """
            A result is named by the first digits of its key, as `danube cache ls` shows it.
            """,
        subcommands: [
            CacheListCommand.self, CacheShowCommand.self, WhyCommand.self,
            CacheDiffCommand.self, CacheStatsCommand.self, CacheVerifyCommand.self,
            CacheCollectCommand.self, CachePinCommand.self, CacheUnpinCommand.self,
        ])
}

/// How the commands on the cache answer.
struct CacheDisplayOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var colour: ColourOptions

    /// Where the answer goes.
    var terminal: Terminal { .of(1, choice: colour.color) }
}
