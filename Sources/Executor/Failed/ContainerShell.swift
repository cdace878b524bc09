internal import Glibc

/// A shell in a container of the image in which a step failed, beside the step's services.
struct ContainerShell {
    /// Where the container sees the files that run the step's command.
    private static let scripts = "/danube-step"
    /// Prefers the shell that is more comfortable.
    private static let shell = "command -v bash >/dev/null 2>&1 && exec bash; exec sh"

    private let step: FailedStep
    private let job: String
    private let hasTerminal: Bool
    private let command: String?

    init(_ step: FailedStep, job: String, hasTerminal: Bool, command: String?) {
        self.step = step
        self.job = job
        self.hasTerminal = hasTerminal
        self.command = command
    }

    /// Runs it to its end and gives its exit code.
    func run(
        in folder: String, _ workdir: String, _ script: StepScript, _ place: WorkPlace,
        _ marks: inout SecretMarks
    ) throws -> Int32 {
        guard let podman = Podman(path: StepEnvironment(temporary: "").path) else {
            throw AttemptError.noContainers(step.image)
        }
        let workspace = ContainerOrder.workspace
        let start = workdir.isEmpty ? workspace : "\(workspace)/\(workdir)"
        let path = try script.write(
            to: "\(place.folder)/step", startingIn: start, as: Self.scripts)
        let order = try order(podman, folder, workdir, path, script.memory, place, &marks)
        // So that the next command ends the containers if this one is killed.
        let listed = "\(place.folder)/\(Containers.folderName)"
        try Workspaces.makeFolder(listed)
        try AtomicFile.write(
            Array((order.names.joined(separator: "\n") + "\n").utf8),
            to: "\(listed)/\(order.name)")
        defer { podman.remove(order.names) }
        try startServices(of: order)
        var flags = ["--interactive"]
        if hasTerminal { flags.append("--tty") }
        flags += ContainerSupervisor.mount("\(place.folder)/step", at: Self.scripts)
        let words = ContainerSupervisor.arguments(of: order, flags)
        let variables =
            Podman.environment
            + order.environment.filter { !$0.isFlag }.map { "\($0.name)=\($0.value)" }
        return try StepShell.start(
            words, environment: variables, search: "/", folder: "/", script: script.memory,
            hasTerminal: hasTerminal)
    }

    private func startServices(of order: ContainerOrder) throws {
        if order.services.isEmpty { return }
        let program = ContainerProgram()
        for service in order.services {
            let container = ServiceContainer(service, order: order, program: program)
            if let failure = container.start() { throw AttemptError.service(failure.text) }
        }
        for service in order.services {
            let container = ServiceContainer(service, order: order, program: program)
            if let failure = container.becomeReady() { throw AttemptError.service(failure.text) }
        }
    }

    private func order(
        _ podman: Podman, _ folder: String, _ workdir: String, _ path: String, _ memory: String?,
        _ place: WorkPlace, _ marks: inout SecretMarks
    ) throws(AttemptError) -> ContainerOrder {
        if folder.contains(":"), folder.contains(",") { throw .folder(folder) }
        let name = "danube-\(job)-shell"
        var services: [ContainerOrder.Service] = []
        for (number, service) in step.services.enumerated() {
            services.append(
                ContainerOrder.Service(
                    host: service.name, name: "\(name)-\(number)", image: service.image,
                    environment: Self.variables(service.variables, &marks),
                    ports: service.ports, ready: marks.fill(service.ready) ?? "",
                    readyMilliseconds: service.readyMilliseconds))
        }
        var variables = Self.variables(step.variables, &marks)
        variables.append(.init(name: StepShell.scriptVariable, value: path, isFlag: false))
        if hasTerminal, let term = getenv("TERM"), !variables.contains(where: { $0.name == "TERM" })
        {
            variables.append(.init(name: "TERM", value: String(cString: term), isFlag: true))
        }
        let words = ["/bin/sh", "-c", command ?? Self.shell, "sh"]
        return ContainerOrder(
            podman: podman, name: name, image: step.imageID.isEmpty ? step.image : step.imageID,
            reference: step.image, folder: folder, workdir: workdir, arguments: words,
            environment: variables, script: memory, services: services,
            report: "\(place.folder)/report")
    }

    /// Variables whose secrets are given. One that podman would take for its own has no secret in
    /// it, or the step would not have run.
    private static func variables(
        _ texts: [String], _ marks: inout SecretMarks
    ) -> [ContainerOrder.Variable] {
        texts.compactMap { text in
            guard let filled = marks.fill(text), let equals = filled.firstIndex(of: "=") else {
                return nil
            }
            let name = String(filled[..<equals])
            return ContainerOrder.Variable(
                name: name, value: String(filled[filled.index(after: equals)...]),
                isFlag: Podman.heeds(name))
        }
    }
}
