import ArgumentParser
import Compiler

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
        let answer = try master.client().json(.init(.post, "pipelines", pipeline, "resume"))
        if json { return Output.out(answer.line) }
        var buffer = TextBuffer()
        buffer.safe("pipeline \(pipeline) goes on")
        buffer.newline()
        Output.out(buffer)
    }
}
