import ArgumentParser
import Executor
import Glibc

/// What a job is given that is not recorded with it, so that it is given anew to run it again.
struct ExecutionOptions: ParsableArguments {
    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        help: ArgumentHelp("How many steps run at once (default: one a core).", valueName: "n"))
    var jobs: Int?

    @OptionGroup var secrets: SecretArguments

    func validate() throws {
        if let jobs, jobs < 1 || jobs > 10_000 {
            throw ValidationError("--jobs \(jobs) is not between 1 and 10000.")
        }
    }

    /// How many steps run at once.
    var jobCount: Int { jobs ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}

/// The secrets that steps are given.
struct SecretArguments: ParsableArguments {
    @Option(
        name: .customLong("secret"),
        help: ArgumentHelp(
            "A secret. Without a value it is taken from the environment; may be repeated.",
            valueName: "name[=value]"))
    var named: [String] = []

    @Option(
        name: .customLong("secret-file"),
        help: ArgumentHelp("Secrets, a NAME=value on each line.", valueName: "file"),
        completion: .file())
    var files: [String] = []

    /// The secrets with their values. To be asked for once: a file may be a pipe.
    func values() throws(Failure) -> SecretValues {
        try SecretOptions.values(named, files: files)
    }
}
