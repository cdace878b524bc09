internal import GRDB
internal import Glibc

internal import struct Executor.JobID

extension MasterCommand {
    /// `danube restore FILE`.
    static let restore = MasterCommand(
        name: "restore", summary: "Put a backup in the place of the database of a master.",
        usage: "FILE [--key FILE] [--force]",
        help: """
            The master is not running. The backup is checked before anything is replaced, and the \
            database that was there is kept beside it.

              --key FILE   Add the keys of the secrets that `danube backup --key` has copied.
              --force      Also when the database there has what the backup does not, when the \
            secrets cannot be read, or when jobs still run.
            """,
        form: .init(switches: ["--force"], options: ["--key"], operands: ["FILE"])
    ) { words, configuration in
        let command = RestoreCommand(
            folder: configuration.data, backup: words.operands[0], key: words.options["--key"],
            force: words.switches.contains("--force"))
        let kept = try command.run()
        var text = "\(configuration.data) has the database of \(words.operands[0]).\n"
        if let kept { text += "What was there is kept as \(kept).\n" }
        MasterProgram.say(text, to: STDOUT_FILENO)
        return 0
    }
}

/// Restores a database, after looking at all that could go wrong.
struct RestoreCommand: Sendable {
    let folder: String
    let backup: String
    /// Keys of secrets that are added to those of the folder.
    let key: String?
    let force: Bool

    /// Restores it. Gives the path at which the database that was there is kept; `nil` when there
    /// was none.
    func run() throws -> String? {
        try DataFolder.makeFolders(folder)
        let restore = DatabaseRestore(folder: folder, backup: backup, force: force)
        return try restore.run { copy in
            if !force, let job = try runningJob() {
                throw StartFailure(
                    message: "job \(job) still runs, without its master",
                    hint: "Start the master and wait for it or cancel it, or say --force.")
            }
            try addKeys(for: copy)
        } afterwards: { copy in
            try setAside(copy)
        }
    }

    /// A job whose engine is alive.
    private func runningJob() throws -> String? {
        DataFolder.jobNames(in: folder).first {
            JournalReader(folder: "\(folder)/jobs/\($0)", offset: 0).isHeld()
        }
    }

    /// Sees to it that the secrets of a database can be read. Keys are added and none is removed,
    /// so that whichever of the two databases is in place has its own.
    private func addKeys(for copy: ReadOnlyDatabase) throws {
        let needed = try copy.read { try RestoreKeys.needed(in: $0) }
        let file = SecretKeyFile(dataFolder: folder)
        let present = try file.read()
        var keys = present
        if let key {
            guard let given = try SecretKeyFile(path: key).read() else {
                throw StartFailure(
                    message: "there is no key of secrets at \(key)",
                    hint: "Name the file that `danube backup --key` has written.")
            }
            keys = try RestoreKeys.merge(present, given, path: key)
        }
        let known = Set((keys?.ids ?? []).map(\.description))
        let missing = needed.subtracting(known).sorted()
        if let first = missing.first, !force {
            throw StartFailure(
                message: "the secrets of \(backup) are sealed with key \(first), which is not in "
                    + (key ?? file.path),
                hint: "Add it with --key FILE. With --force the secrets have to be set again.")
        }
        if key != nil, let keys { try file.write(keys) }
    }

    /// A job that waits in the backup may have run since: it runs again, in a folder of its own.
    private func setAside(_ copy: ReadOnlyDatabase) throws {
        let waiting = try copy.read { connection in
            try String.fetchAll(
                connection, sql: "SELECT id FROM jobs WHERE state IN ('pending', 'waiting')")
        }
        for id in waiting where JobID(id) != nil {
            let path = "\(folder)/jobs/\(id)"
            guard access(path, F_OK) == 0 else { continue }
            let kept = try DurableFile.freeName("\(path).replaced")
            guard rename(path, kept) == 0 else { throw DurableFile.problem(path) }
        }
    }
}

/// Keys of secrets, as far as a restore is about them.
enum RestoreKeys {
    /// The ids of the keys that a database needs.
    static func needed(in connection: Database) throws -> Set<String> {
        try String.fetchSet(
            connection, sql: "SELECT DISTINCT key_id FROM secrets WHERE key_id IS NOT NULL")
    }

    /// The keys of two files; those that are given seal what is new.
    static func merge(
        _ present: SecretKeys?, _ given: SecretKeys, path: String
    ) throws -> SecretKeys {
        guard let present else { return given }
        guard let keys = given.adding(present) else {
            throw StartFailure(
                message: "the keys of \(path) and those of the data folder are too many, or differ",
                hint: "Move the secret.key of the data folder away, and try again.")
        }
        return keys
    }
}
