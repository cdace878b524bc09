import ArgumentParser
import Executor
import Glibc
import PipelineIR

/// The `danube` program.
@main
struct Danube: ParsableCommand {
    /// Version of the program, as in `CHANGELOG.md`.
    static let version = Release.version

    static let configuration = CommandConfiguration(
        commandName: "danube",
        abstract: "Pipelines in plain Python, compiled to a plan before they run.",
        discussion: """
            A pipeline is a function in danubefile.py. `danube init` writes one that fits the \
            repository, `danube plan` shows what it will do.

            Exit status: 0 success, 2 a mistake in what was given, 3 the environment, 70 a bug.
            """,
        version: version,
        subcommands: [
            RunCommand.self, RerunCommand.self, PlanCommand.self, WhyCommand.self,
            JobsCommand.self, LogsCommand.self, ShellCommand.self, CacheCommand.self,
            LintCommand.self, InitCommand.self, TriggerCommand.self, CancelCommand.self,
            PauseCommand.self, ResumeCommand.self, ArtifactsCommand.self, SecretCommand.self,
            LoginCommand.self, LogoutCommand.self, StatusCommand.self, DrainCommand.self,
            MasterCommand.self, BackupCommand.self, RestoreCommand.self, DatabaseCommand.self,
            DoctorCommand.self, SchemaCommand.self, CompletionCommand.self, VersionCommand.self,
            EngineCommand.self,
        ],
        helpNames: [.short, .long])

    static func main() {
        if CommandLine.argc == 2, CommandLine.arguments[1] == ContainerSupervisor.word {
            ContainerSupervisor.run()
        }
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as Failure {
            failure.end()
        } catch {
            let status = exitCode(for: error)
            // The parser says 64 (`EX_USAGE`) for wrong arguments; they are the user's mistake.
            if status == .validationFailure {
                Output.err(fullMessage(for: error))
                Glibc.exit(2)
            }
            exit(withError: error)
        }
    }
}
