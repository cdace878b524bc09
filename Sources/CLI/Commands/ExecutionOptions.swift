import ArgumentParser
import Executor
import Glibc

/// What a job is given that is not recorded with it, so that it is given anew to run it again.
struct ExecutionOptions: ParsableArguments {
    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        help: ArgumentHelp("How many steps run at once (default: one a core).", valueName: "n"))
    var jobs: Int?

    @Option(
        name: .customLong("secret"),
        help: ArgumentHelp(
            "A secret. Without a value it is taken from the environment; may be repeated.",
            valueName: "name[=value]"))
    var secrets: [String] = []

    @Option(
        help: ArgumentHelp("Secrets, a NAME=value on each line.", valueName: "file"),
        completion: .file())
    var secretFile: [String] = []

    func validate() throws {
        if let jobs, jobs < 1 || jobs > 10_000 {
            throw ValidationError("--jobs \(jobs) is not between 1 and 10000.")
        }
    }

    /// How many steps run at once.
    var jobCount: Int { jobs ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// The secrets with their values.
    func secretValues() throws(Failure) -> SecretValues {
        try SecretOptions.values(secrets, files: secretFile)
    }
}
