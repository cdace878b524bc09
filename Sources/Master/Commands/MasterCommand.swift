internal import Glibc

/// A command of `danube-master` that does one thing to a data folder and ends. `danube backup` and
/// the like hand over to it.
struct MasterCommand: Sendable {
    /// What it is called: `backup`, `db check`.
    let name: String
    /// What it does, in a few words.
    let summary: String
    /// Its arguments, for people.
    let usage: String
    /// What it does, and its own flags.
    let help: String
    let form: CommandWords.Form
    /// Does it and gives the exit status. It waits for the disk.
    let run: @Sendable (CommandWords, MasterConfiguration) throws -> Int32

    /// All there are.
    static let all: [MasterCommand] = [.backup, .restore, .check, .reap]

    /// The command that some arguments begin with, and what follows its name.
    static func find(_ arguments: [String]) -> (command: MasterCommand, rest: [String])? {
        for command in all {
            let words = command.name.split(separator: " ").map(String.init)
            if arguments.starts(with: words) {
                return (command, Array(arguments.dropFirst(words.count)))
            }
        }
        return nil
    }

    /// Runs it: 0 when it is done, 1 when it has found something wrong, 2 after a mistake in what
    /// was given, 3 after a failure of the machine.
    func run(_ arguments: [String], environment: [String: String]) -> Int32 {
        if arguments.contains("--help") || arguments.contains("-h") {
            MasterProgram.say(helpText, to: STDOUT_FILENO)
            return 0
        }
        do {
            let words = try CommandWords(arguments, form, of: name)
            let given = try MasterArguments(words.rest, environment: environment)
            let configuration = try MasterConfiguration.load(
                file: given.file, environment: environment, flags: given.flags)
            return try run(words, configuration)
        } catch let mistake as CommandWords.Mistake {
            MasterProgram.say("\(mistake)\n", to: STDERR_FILENO)
            return 2
        } catch let error as ConfigurationError {
            MasterProgram.say("\(error)", to: STDERR_FILENO)
            return error.status
        } catch {
            MasterProgram.say("\(Self.failure(error))\n", to: STDERR_FILENO)
            return 3
        }
    }

    private static func failure(_ error: any Error) -> StartFailure {
        switch error {
        case let failure as StartFailure: failure
        case let error as MasterDatabaseError: StartFailure(message: "\(error)", hint: error.hint)
        case let error as SecretError:
            StartFailure(
                message: error.message, hint: error.hint ?? "Look at the disk of the file.")
        case let problem as DataFolder.Problem:
            StartFailure(message: "\(problem)", hint: problem.hint)
        default: StartFailure(message: "\(error)", hint: "Look at the disk of the data folder.")
        }
    }

    /// What hands over to it; the command line has no `reap`.
    private var program: String { name == "reap" ? "danube-master" : "danube" }

    private var helpText: String {
        """
        OVERVIEW: \(summary)

        \(help)

        USAGE: \(program) \(name) \(usage) [--data FOLDER] [--config FILE]

        The data folder is that of the master's configuration, which is read as `danube master` \
        does.

        Exit status: 0 done, \(name == "db check" ? "1 something is wrong, " : "")2 a mistake in \
        what was given, 3 the environment.

        """
    }
}
