import ArgumentParser

/// `danube cancel`.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End a job of a master.",
        discussion: "Its running steps end, and what has to run at the end of a job does.")

    @Argument(help: "The job, by its id, the beginning of it, or `last`.")
    var job: String

    @Flag(help: "Print the job as JSON.")
    var json = false

    @OptionGroup var master: MasterOptions

    func run() throws {
        let jobs = RemoteJobs(master: try master.client())
        let answer = try jobs.ask(.init(.post, "jobs", try jobs.id(of: job), "cancel"))
        if json { return Output.out(answer.json().line) }
        var buffer = TextBuffer()
        buffer.safe("job \(answer.id) \(answer.isTerminal ? answer.state : "is being cancelled")")
        buffer.newline()
        Output.out(buffer)
    }
}
