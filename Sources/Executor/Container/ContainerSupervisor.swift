internal import Glibc

/// The process of a step that runs in an image: it starts the step's services, waits for them, runs
/// the step's container, and ends all of them. To the engine it is a step like any other.
package struct ContainerSupervisor {
    /// The only argument of the program that makes it a supervisor.
    package static let word = "--danube-container"
    private static let tidying: UInt64 = 5000
    /// Exit code of what is no result of the step.
    private static let failed: Int32 = 125

    private let order: ContainerOrder
    private let program = ContainerProgram()

    /// Does what descriptor 3 says, and ends the program as the step ended.
    package static func run() -> Never {
        guard let order = ContainerOrder(read(descriptor: 3)) else {
            Glibc.exit(failed)
        }
        close(3)
        let supervisor = ContainerSupervisor(order: order)
        let code = supervisor.perform()
        Glibc.exit(code)
    }

    private init(order: ContainerOrder) { self.order = order }

    private static func read(descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    private func perform() -> Int32 {
        defer {
            if !order.services.isEmpty { order.podman.remove(order.services.map(\.name)) }
            program.finishOthers(milliseconds: Self.tidying)
        }
        for service in order.services {
            let container = ServiceContainer(service, order: order, program: program)
            if let failure = container.start() { return fail(failure) }
            if program.isStopping { return 128 + SIGTERM }
        }
        for service in order.services {
            let container = ServiceContainer(service, order: order, program: program)
            if let failure = container.becomeReady() { return fail(failure) }
            if program.isStopping { return 128 + SIGTERM }
        }
        return step()
    }

    private func fail(_ report: ContainerReport) -> Int32 {
        if program.isStopping { return 128 + SIGTERM }
        // Without the report the exit code still says that it is no result of the step.
        try? report.write(to: order.report)
        return Self.failed
    }

    private func step() -> Int32 {
        unlink(order.processFile)
        guard
            let pid = program.start(
                arguments,
                environment: Podman.environment
                    + order.environment.filter { !$0.isFlag }.map { "\($0.name)=\($0.value)" },
                output: .step, script: order.script)
        else { return fail(.init(kind: .start, text: "podman cannot be executed")) }
        let code = program.finish(pid)
        // Written as soon as the container's own process runs.
        if access(order.processFile, F_OK) == 0 || program.isStopping { return code }
        return fail(reason(code))
    }

    /// Why podman ended without having started the container.
    private func reason(_ code: Int32) -> ContainerReport {
        let names = order.podman.command + ["image", "exists", order.image]
        if program.run(names, showsErrors: false) != 0 {
            return ContainerReport(
                kind: .image,
                text: "the image `\(order.reference)` is not here and cannot be fetched")
        }
        if code == 127, let first = order.arguments.first {
            return ContainerReport(
                kind: .start, text: "there is no program `\(first)` in `\(order.reference)`")
        }
        return ContainerReport(
            kind: .start,
            text: "podman did not start a container of `\(order.reference)` (exit code \(code))")
    }

    private var arguments: [String] {
        Self.arguments(of: order, ["--pidfile", order.processFile])
    }

    /// The words that run the step's container, with some more flags.
    static func arguments(of order: ContainerOrder, _ flags: [String]) -> [String] {
        var words = order.podman.command
        words += ["run", "--rm", "--name", order.name] + flags
        // Danube keeps the log; podman would write it a second time.
        words += ["--log-driver", "none", "--pull", "missing", "--http-proxy=false"]
        // The user of danube is root in the container, so that files belong to them.
        words += ["--user", "0:0", "--security-opt", "label=disable"]
        words += order.podman.containerFlags + network(of: order) + mount(order.folder)
        let workspace = ContainerOrder.workspace
        words += [
            "--workdir", order.workdir.isEmpty ? workspace : "\(workspace)/\(order.workdir)",
        ]
        words += variables(order.environment)
        if order.script != nil { words += ["--preserve-fds", "1"] }
        // The image's own entry point would get the step's program as an argument.
        return words + ["--entrypoint", "", "--", order.image] + order.arguments
    }

    /// The network of this machine, as steps on it have; beside services it is theirs.
    private static func network(of order: ContainerOrder) -> [String] {
        let first = order.services.first.map { "container:\($0.name)" }
        return ["--network", first ?? "host"]
    }

    /// Both ways of naming a folder have a character that they cannot hold.
    static func mount(
        _ folder: String, at target: String = ContainerOrder.workspace
    ) -> [String] {
        if folder.utf8.contains(UInt8(ascii: ":")) {
            return ["--mount", "type=bind,source=\(folder),target=\(target)"]
        }
        return ["--volume", "\(folder):\(target)"]
    }

    /// Flags that name variables; values are in podman's own environment, where nobody sees them.
    static func variables(_ variables: [ContainerOrder.Variable]) -> [String] {
        variables.flatMap { ["--env", $0.isFlag ? "\($0.name)=\($0.value)" : $0.name] }
    }
}
