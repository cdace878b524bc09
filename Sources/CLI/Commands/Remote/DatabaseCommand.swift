import ArgumentParser

/// `danube db`.
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "Look after the database of a master of this machine.",
        subcommands: [DatabaseCheckCommand.self])
}

/// `danube db check`.
struct DatabaseCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check the database, also while the master runs.",
        discussion: """
            It becomes the program `danube-master`, which stands beside this one; \
            `danube db check --help` shows that program's options.
            """)

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("What danube-master is given.", valueName: "argument"))
    var arguments: [String] = []

    /// Becomes the master's program. Returns only by throwing.
    func run() throws { try MasterProgram.become(["db", "check"], arguments) }
}
