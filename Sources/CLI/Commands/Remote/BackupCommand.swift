import ArgumentParser

/// `danube backup`.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the database of a master of this machine into a file.",
        discussion: """
            It becomes the program `danube-master`, which stands beside this one; \
            `danube backup --help` shows that program's options.
            """)

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("What danube-master is given.", valueName: "argument"))
    var arguments: [String] = []

    /// Becomes the master's program. Returns only by throwing.
    func run() throws { try MasterProgram.become(["backup"], arguments) }
}
