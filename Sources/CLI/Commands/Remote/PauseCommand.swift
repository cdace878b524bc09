import ArgumentParser
import Compiler

/// `danube pause`.
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let no job of a pipeline of a master start.",
        discussion: """
            Jobs that are asked for wait, and say so; those that run are left alone. \
            `danube resume` ends it.
            """)

    @Argument(help: "The pipeline, by its name.")
    var pipeline: String

    @Flag(help: "Print the pipeline as JSON.")
    var json = false

    @OptionGroup var master: MasterOptions

    func run() throws {
        let answer = try master.client().json(.init(.post, "pipelines", pipeline, "pause"))
        if json { return Output.out(answer.line) }
        var buffer = TextBuffer()
        buffer.safe("pipeline \(pipeline) is paused")
        buffer.newline()
        Output.out(buffer)
    }
}
