import ArgumentParser

/// `danube resume`.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let jobs of a pipeline of a master start again.",
        discussion: """
            Those that waited since `danube pause` start in their order.
            """)

    @Argument(help: "The pipeline, by its name.")
    var pipeline: String

    @Flag(help: "Print the pipeline as JSON.")
    var json = false

    @OptionGroup var master: MasterOptions

    func run() throws {
        try master.tell(pipeline, "resume", said: "goes on", json: json)
    }
}
