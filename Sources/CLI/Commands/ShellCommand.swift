import ArgumentParser
import CSandbox
import Executor
import Glibc

/// `danube shell`.
struct ShellCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: "Open a shell where a step ran, one that failed above all.",
        discussion: """
            The workspace is as the step left it, at the same path, with the step's variables. \
            What you change is thrown away when you leave, and you can come back. For a job that \
            ran --in-place it is the working copy itself. Workspaces of the last \
            \(FailedJobs.mostJobs) jobs that failed are kept; that of a step whose result is in \
            the cache is made of it.
            """)

    @Argument(
        help: "The step, by its name, a part of it, or its id.",
        completion: .custom { words, _, _ in Jobs.stepCompletions(words) })
    var step: String

    @Option(
        help: ArgumentHelp(
            "The job (default: the latest here in which the step failed, else succeeded).",
            valueName: "job"),
        completion: .custom { _, _, _ in Jobs.completions() })
    var job: String?

    @OptionGroup var place: DirectoryOptions

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("Run this in /bin/sh instead, and exit as it does."))
    var command: String?

    @OptionGroup var secrets: SecretArguments
    @OptionGroup var colour: ColourOptions

    func run() throws {
        if command == nil, isatty(STDIN_FILENO) == 0 {
            throw Failure.mistake(
                "there is no terminal for a shell", hint: "Run one command with -c COMMAND.")
        }
        let hasTerminal = danube_terminal_is_ours() == 1
        if command == nil, !hasTerminal {
            throw Failure.mistake(
                "the terminal belongs to another program",
                hint: "Start it in the foreground, or run one command with -c COMMAND.")
        }
        let values = try secrets.values()
        let found = try ShellChoice.find(step, job: job, in: try place.jobs())
        var shell = StepShell(
            found.step, of: found.job.id.text, found.source, cacheFolder: try Places().cache,
            secrets: values)
        shell.command = command
        shell.hasTerminal = hasTerminal
        let namespaces = danube_engine_start(shell.wantedNamespaces)
        guard namespaces >= 0 else {
            throw Failure.environment("cannot start: \(FileBytes.reason(-namespaces))")
        }
        shell.namespaces = namespaces
        let ready = shell
        do {
            try EngineThread.run {
                greet(ready, found)
                Glibc.exit(try run(ready, found))
            }
        } catch let error as RunnerError {
            throw Failure.environment("cannot start: \(error)", hint: error.hint)
        }
    }

    private func run(_ shell: StepShell, _ found: ShellChoice) throws(Failure) -> Int32 {
        let again = "Run it again: danube rerun \(found.job.id)."
        do {
            return try shell.run { Output.err("danube: note: \(DisplayText.escaped($0))") }
        } catch let error as AttemptError {
            throw .environment("the shell cannot be opened: \(error)", hint: error.hint)
        } catch let error as RunnerError {
            throw .environment("the shell cannot be opened: \(error)", hint: error.hint ?? again)
        } catch {
            throw .environment(
                "the workspace of `\(shell.step.name)` cannot be made again: \(error)", hint: again)
        }
    }

    /// Says where the person is. A command is run without a word, but for what it lacks.
    private func greet(_ shell: StepShell, _ found: ShellChoice) {
        var buffer = TextBuffer(
            colour: Terminal.of(STDERR_FILENO, choice: colour.color).colour)
        let step = shell.step
        if command == nil {
            buffer.put("danube: ", .bold)
            buffer.put("step `")
            buffer.safe(step.name)
            buffer.put("` of job \(found.job.id) ")
            buffer.safe(found.ending)
            buffer.put(
                step.isInPlace
                    ? ". This is the working copy, which may have changed since.\n"
                    : ". This is its workspace; what you change is thrown away at the end.\n")
            buffer.put("  its command again: ", .dim)
            buffer.put("\"$\(StepShell.scriptVariable)\"\n")
        }
        if !shell.missingSecrets.isEmpty {
            buffer.put(command == nil ? "  secrets are not kept: " : "danube: note: no secret ")
            buffer.safe(shell.missingSecrets.joined(separator: ", "))
            buffer.put("; give them with --secret NAME or --secret-file\n")
        }
        if !step.hiddenVariables.isEmpty {
            buffer.put(command == nil ? "  " : "danube: note: ")
            buffer.put("not kept, since other steps had printed secrets into them: ")
            buffer.safe(step.hiddenVariables.joined(separator: ", "))
            buffer.newline()
        }
        if !buffer.bytes.isEmpty { Output.err(buffer) }
    }
}
