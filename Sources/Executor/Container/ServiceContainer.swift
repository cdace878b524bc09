internal import Glibc

/// A container that runs beside a step.
struct ServiceContainer {
    private static let shownLines = 30
    /// Milliseconds between two looks.
    private static let interval = 50
    private static let longestInterval = 1000

    private let service: ContainerOrder.Service
    private let order: ContainerOrder
    private let program: ContainerProgram

    init(
        _ service: ContainerOrder.Service, order: ContainerOrder, program: ContainerProgram
    ) {
        self.service = service
        self.order = order
        self.program = program
    }

    /// Starts it. Gives why it does not run, if so.
    ///
    /// All containers of a step have the network of the first service, where each is reached under
    /// its name at its ports: two services cannot have the same one.
    func start() -> ContainerReport? {
        var words = order.podman.command
        words += ["run", "--detach", "--name", service.name, "--pull", "missing"]
        words += ["--http-proxy=false"] + order.podman.containerFlags
        if let first = order.services.first, first.name != service.name {
            words += ["--network", "container:\(first.name)"]
        } else {
            words += order.services.flatMap { ["--add-host", "\($0.host):127.0.0.1"] }
        }
        words += ContainerSupervisor.variables(service.environment) + ["--", service.image]
        let pid = program.start(
            words,
            environment: Podman.environment
                + service.environment.filter { !$0.isFlag }.map { "\($0.name)=\($0.value)" })
        let code = pid.map { program.finish($0) } ?? 127
        if code == 0 { return nil }
        let names = order.podman.command + ["image", "exists", service.image]
        if program.run(names, showsErrors: false) != 0 {
            return ContainerReport(
                kind: .image,
                text: "the image `\(service.image)` of service `\(service.host)` is not here and "
                    + "cannot be fetched")
        }
        return failure("could not be started (podman's exit code \(code))")
    }

    /// Waits until it is ready: its script succeeds, or else its ports are open. Gives why it is
    /// not, if so.
    func becomeReady() -> ContainerReport? {
        let until = MonotonicClock.now() &+ service.readyMilliseconds &* 1_000_000
        let format = ["inspect", "--format", "{{.State.Pid}}", service.name]
        let process = program.output(order.podman.command + format)
            .flatMap { Int32($0.filter(\.isNumber)) }
        guard let process, process > 0 else { return ended() }
        var interval = Self.interval
        while !program.isStopping {
            if isReady(process) { return nil }
            if kill(process, 0) != 0, errno == ESRCH { return ended() }
            if MonotonicClock.now() >= until {
                showLog()
                return failure("was not ready within \(Self.seconds(service.readyMilliseconds))")
            }
            pause(interval)
            interval = min(2 * interval, Self.longestInterval)
        }
        return nil
    }

    /// Waits, whatever children end meanwhile.
    private func pause(_ milliseconds: Int) {
        let until = MonotonicClock.now() &+ UInt64(milliseconds) * 1_000_000
        while !program.isStopping {
            let now = MonotonicClock.now()
            if now >= until { return }
            if program.wait(milliseconds: Int((until - now) / 1_000_000) + 1) { return }
        }
    }

    private func isReady(_ process: Int32) -> Bool {
        if !service.ready.isEmpty {
            let exec = ["exec", "--interactive", service.name, "/bin/sh"]
            return program.run(
                order.podman.command + exec, input: service.ready, showsErrors: false) == 0
        }
        let open = ListeningPorts.of(process)
        return service.ports.allSatisfy(open.contains)
    }

    private func ended() -> ContainerReport {
        showLog()
        return failure("ended before it was ready")
    }

    private func failure(_ what: String) -> ContainerReport {
        ContainerReport(kind: .service, text: "service `\(service.host)` \(what)")
    }

    /// Puts the end of what it printed into the step's log.
    private func showLog() {
        let words = ["logs", "--tail", String(Self.shownLines), service.name]
        let pid = program.start(
            order.podman.command + words, environment: Podman.environment, output: .step)
        if let pid { _ = program.finish(pid) }
    }

    private static func seconds(_ milliseconds: UInt64) -> String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}

/// The TCP ports that something listens on, in the network of a process.
enum ListeningPorts {
    private static let mostBytes = 1 << 20

    /// Reads them as proc(5) describes `net/tcp`: state 0A is LISTEN.
    static func of(_ process: Int32) -> Set<UInt32> {
        var found: Set<UInt32> = []
        for name in ["tcp", "tcp6"] {
            let file = open("/proc/\(process)/net/\(name)", O_RDONLY | O_CLOEXEC)
            if file < 0 { continue }
            defer { close(file) }
            var text: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 14)
            while text.count < mostBytes {
                let count = read(file, &chunk, chunk.count)
                if count <= 0 { break }
                text += chunk[..<count]
            }
            for line in text.split(separator: 0x0a) {
                let words = line.split(separator: 0x20)
                guard words.count > 3, words[3].elementsEqual("0A".utf8),
                    let port = words[1].split(separator: UInt8(ascii: ":")).last
                else { continue }
                if let number = UInt32(String(decoding: port, as: UTF8.self), radix: 16) {
                    found.insert(number)
                }
            }
        }
        return found
    }
}
