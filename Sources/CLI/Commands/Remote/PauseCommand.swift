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
        try master.tell(pipeline, "pause", said: "is paused", json: json)
    }
}

extension MasterOptions {
    /// Asks for something to be done with a pipeline, and says that it is.
    func tell(_ pipeline: String, _ word: String, said: String, json: Bool) throws {
        let answer = try client().json(.init(.post, "pipelines", pipeline, word))
        if json { return Output.out(answer.line) }
        var buffer = TextBuffer()
        buffer.safe("pipeline \(pipeline) \(said)")
        buffer.newline()
        Output.out(buffer)
    }
}
