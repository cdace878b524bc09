import ArgumentParser

/// `danube restore`.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of a master's database.",
        discussion: """
            It becomes the program `danube-master`, which stands beside this one; \
            `danube restore --help` shows that program's options.
            """)

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("What danube-master is given.", valueName: "argument"))
    var arguments: [String] = []

    /// Becomes the master's program. Returns only by throwing.
    func run() throws { try MasterProgram.become(["restore"], arguments) }
}
