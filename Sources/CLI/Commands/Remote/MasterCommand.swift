import ArgumentParser

/// `danube master`.
struct MasterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "master",
        abstract: "Run a master: a service that runs jobs and never forgets one.",
        discussion: """
            It becomes the program `danube-master`, which stands beside this one; \
            `danube master --help` shows that program's options.
            """)

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("What danube-master is given.", valueName: "argument"))
    var arguments: [String] = []

    /// Becomes the master's program. Returns only by throwing.
    func run() throws { try MasterProgram.become([], arguments) }
}
