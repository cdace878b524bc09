internal import Glibc

extension MasterCommand {
    /// `danube backup FILE`.
    static let backup = MasterCommand(
        name: "backup", summary: "Copy the database of a master into a file, also while it runs.",
        usage: "FILE [--key FILE]",
        help: """
            The copy is one state of the database; what is written meanwhile is not in it. FILE is \
            replaced when it is there, and is whole or absent.

              --key FILE   Copy the key of the secrets, too. Without it the secrets in the backup \
            can be read by nobody; keep the two apart.
            """,
        form: .init(options: ["--key"], operands: ["FILE"])
    ) { words, configuration in
        let target = words.operands[0]
        try BackupCommand(folder: configuration.data, target: target, key: words.options["--key"])
            .run()
        var text = "\(target) has the database of \(configuration.data).\n"
        text +=
            words.options["--key"].map { "\($0) has the key of its secrets.\n" }
            ?? "It has no key: keep \(configuration.data)/\(SecretKeyFile.fileName) elsewhere.\n"
        MasterProgram.say(text, to: STDOUT_FILENO)
        return 0
    }
}

/// Copies a database, and the key of its secrets when that is wanted.
struct BackupCommand: Sendable {
    let folder: String
    let target: String
    /// Where the key goes.
    let key: String?

    /// Copies. A key that is replaced meanwhile lets it begin again.
    func run() throws {
        guard let key else { return try DatabaseBackup.write(folder: folder, to: target) }
        let file = SecretKeyFile(dataFolder: folder)
        for _ in 0..<Self.mostTries {
            guard let keys = try file.read() else { throw Self.noKey(file.path) }
            try DatabaseBackup.write(folder: folder, to: target)
            let copy = try ReadOnlyDatabase(path: target)
            defer { copy.close() }
            let needed = try copy.read { try RestoreKeys.needed(in: $0) }
            guard needed.allSatisfy({ id in keys.ids.contains { $0.description == id } }) else {
                continue
            }
            return try SecretKeyFile(path: key).write(keys)
        }
        throw StartFailure(
            message: "the key of secrets is being replaced: \(target) has no key that fits",
            hint: "Try again when `rotate-key` has ended.")
    }

    private static let mostTries = 3

    private static func noKey(_ path: String) -> StartFailure {
        StartFailure(
            message: "there is no key of secrets at \(path)",
            hint: "Leave out --key: no master has run here that made one.")
    }
}
