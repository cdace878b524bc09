import Glibc

/// Follows a job of a master to its end.
struct RemoteFollower {
    private let jobs: RemoteJobs
    private let colour: ColourOptions
    private let json: Bool

    init(_ jobs: RemoteJobs, colour: ColourOptions, json: Bool) {
        self.jobs = jobs
        self.colour = colour
        self.json = json
    }

    /// Prints what it prints, and at the end how it went; gives the job as it ended.
    func follow(_ job: RemoteJob) throws(Failure) -> RemoteJob {
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        let printer = RemotePrinter(
            json ? .json : .lines(names: true, times: false), on: terminal)
        let log = RemoteLog(job, of: jobs.master)
        let last = try log.events(follows: true, into: printer)
        let ended: RemoteJob
        if let last { ended = last } else { ended = try jobs.job(job.id) }
        if json {
            Output.out(ended.json().line)
        } else {
            say(ended)
        }
        return ended
    }

    private func say(_ job: RemoteJob) {
        let view = JobView(job)
        var buffer = TextBuffer(colour: Terminal.of(STDERR_FILENO, choice: colour.color).colour)
        buffer.safe("job \(job.id) ")
        if let paint = view.paint { buffer.safe(job.state, paint) } else { buffer.safe(job.state) }
        if !view.took.isEmpty { buffer.put(" after \(view.took)") }
        if let reason = job.reason { buffer.safe(": \(reason)") }
        buffer.newline()
        Output.err(buffer)
    }
}
