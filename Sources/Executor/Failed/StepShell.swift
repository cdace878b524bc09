internal import CSandbox
internal import Glibc

/// A shell in the workspace of a step, as the step left it, with its environment.
///
/// The workspace is made anew of what is kept, at the path at which the step saw it. What happens
/// in it goes to a layer of its own, which is thrown away.
package struct StepShell {
    /// What is known of the step.
    package let step: FailedStep
    private let source: Source
    private let job: String
    private let cacheFolder: String
    private let secrets: SecretValues
    /// What to run instead of a shell for a person.
    package var command: String?
    /// Whether the terminal is handed over.
    package var hasTerminal = false
    /// Namespaces that the engine has, as `danube_engine_start` gave them.
    package var namespaces: Int32 = 0
    /// Keys of the secrets that the step had and that are not given, ascending.
    package let missingSecrets: [String]

    /// The variable that names the file which runs the step's own command.
    package static let scriptVariable = "DANUBE_STEP_SCRIPT"

    /// Prepares a shell for a step of a job.
    package init(
        _ step: FailedStep, of job: String, _ source: Source, cacheFolder: String,
        secrets: SecretValues
    ) {
        self.step = step
        self.job = job
        self.source = source
        self.cacheFolder = cacheFolder
        self.secrets = secrets
        var marks = SecretMarks(secrets)
        for text in step.secretTexts { _ = marks.fill(text) }
        missingSecrets = marks.missing.sorted()
    }

    /// The namespaces that it wants: as an isolated run has them. A container that is nobody's but
    /// an ordinary user's needs those of the host.
    package var wantedNamespaces: Int32 {
        let isConfined = Workspaces.areCopiesWanted || !step.image.isEmpty
        if step.isInPlace || isConfined && geteuid() != 0 { return 0 }
        return Int32(DANUBE_OWN_MOUNTS | DANUBE_OWN_PROCESSES)
    }

    /// Runs it to its end within the engine, and gives its exit code. `tell` hears what a person
    /// should know. Throws `WorkspaceError`, `CacheError`, `RunnerError` or `AttemptError`.
    package func run(tell: (String) -> Void) throws -> Int32 {
        defer { if case .kept(let held) = source { held.release() } }
        let place = try WorkPlace(cacheFolder, job: job, namespaces: namespaces)
        defer { place.remove() }
        if step.isInPlace {
            return try run(in: step.folder, place, tell: tell)
        }
        let workspaces = try Workspaces(
            folder: place.folder, mayMount: namespaces & Int32(DANUBE_OWN_MOUNTS) != 0,
            view: Workspaces.view(in: cacheFolder))
        defer { workspaces.close() }
        let lane = try open(workspaces)
        guard step.image.isEmpty, let view = workspaces.view else {
            return try run(in: lane.folder, place, tell: tell)
        }
        // Nobody else is in this namespace.
        let status = danube_bind(lane.folder, view)
        if status < 0 { throw WorkspaceError.system("mount", path: view, errno: -status) }
        defer { _ = danube_unmount(view) }
        return try run(in: view, place, tell: tell)
    }

    /// Makes the workspace, in the folder in which the step had it.
    private func open(_ workspaces: Workspaces) throws -> Lane {
        // Until its files are linked, nobody may remove contents of the cache.
        let usage = try CacheUsage(cacheFolder)
        defer { withExtendedLifetime(usage) {} }
        let number = step.folder.split(separator: "/").last.flatMap { Int($0) } ?? 1
        let store = try ContentStore("\(cacheFolder)/cas")
        let layers: [Layer]
        switch source {
        case .kept(let held):
            layers = try held.layers(of: step, cacheFolder: cacheFolder, store: store) {
                workspaces.layerPath()
            }
        case .cached(let files): layers = try files.layers(store, place: workspaces.layerPath)
        }
        return try workspaces.open(WorkspaceState(layers), as: number)
    }

    private func run(
        in folder: String, _ place: WorkPlace, tell: (String) -> Void
    ) throws -> Int32 {
        var status = stat()
        var workdir = step.workdir
        let wanted = workdir.isEmpty ? folder : "\(folder)/\(workdir)"
        if stat(wanted, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR {
            if workdir.isEmpty { throw RunnerError.folder(folder, errno: ENOENT) }
            tell("The folder `\(workdir)` in which the step ran is not there any more")
            workdir = ""
        }
        var marks = SecretMarks(secrets)
        let script = StepScript(step, &marks)
        if step.image.isEmpty {
            return try runHere(folder, workdir, script, place, &marks)
        }
        return try ContainerShell(
            step, job: job, hasTerminal: hasTerminal, command: command
        ).run(in: folder, workdir, script, place, &marks)
    }

    private func runHere(
        _ folder: String, _ workdir: String, _ script: StepScript, _ place: WorkPlace,
        _ marks: inout SecretMarks
    ) throws -> Int32 {
        let start = workdir.isEmpty ? folder : "\(folder)/\(workdir)"
        let path = try script.write(to: "\(place.folder)/step", startingIn: start)
        var variables = step.variables.compactMap { marks.fill($0) }
        let names = Set(variables.map { String($0.prefix { $0 != "=" }) })
        let search = variables.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        if hasTerminal {
            for name in ["TERM", "COLORTERM", "SHELL"] where !names.contains(name) {
                guard let value = getenv(name) else { continue }
                variables.append("\(name)=\(String(cString: value))")
            }
        }
        variables.append("\(Self.scriptVariable)=\(path)")
        let words = command.map { ["/bin/sh", "-c", $0, "sh"] } ?? [Self.shell]
        return try Self.start(
            words, environment: variables, search: search ?? StepEnvironment.defaultPath,
            folder: start, script: script.memory, hasTerminal: hasTerminal)
    }

    /// The shell that a person uses, or else the one that every system has.
    private static var shell: String {
        if let chosen = getenv("SHELL"), chosen.pointee == CChar(UInt8(ascii: "/")),
            access(chosen, X_OK) == 0
        {
            return String(cString: chosen)
        }
        return "/bin/sh"
    }

    /// Runs a program with the terminal, if there is one, to its end. Gives its exit code.
    static func start(
        _ words: [String], environment: [String], search: String, folder: String,
        script: String?, hasTerminal: Bool
    ) throws(RunnerError) -> Int32 {
        let arguments = CStrings(words)
        let variables = CStrings(environment)
        var memory: Int32 = -1
        if var script {
            memory = script.withUTF8 { danube_memory_file($0.baseAddress, $0.count) }
            if memory < 0 { throw .system("memfd_create", errno: -memory) }
        }
        defer { if memory >= 0 { close(memory) } }
        var status: Int32 = 0
        var failed: Int32 = 0
        let result = search.withCString { search in
            folder.withCString { folder in
                var step = danube_step(
                    arguments: arguments.pointers, environment: variables.pointers,
                    search: search, folder: folder, input: 0, output: 1, error: 2,
                    script: memory, source: nil, view: nil)
                return danube_shell_run(&step, hasTerminal ? 1 : 0, &status, &failed)
            }
        }
        if result < 0 {
            switch Int(failed) {
            case DANUBE_STEP_FOLDER: throw .folder(folder, errno: -result)
            case DANUBE_STEP_PROGRAM: throw .program(words.first ?? "", errno: -result)
            default: throw .system("start a shell", errno: -result)
            }
        }
        let signal = danube_status_signal(status)
        return signal != 0 ? 128 + signal : danube_status_code(status)
    }
}

extension FailedStep {
    /// The texts in which secrets may have been.
    fileprivate var secretTexts: [String] {
        var texts = variables
        switch command {
        case .script(let text): texts.append(text)
        case .argv(let words): texts += words
        }
        for service in services { texts += service.variables + [service.ready] }
        return texts
    }
}
