/// What a container supervisor is told, in memory: all of a step that runs in an image, and its
/// services.
struct ContainerOrder: Equatable {
    /// A variable of a container.
    struct Variable: Equatable {
        var name: String
        var value: String
        /// Whether it is given in a flag, since podman would take the variable for its own.
        var isFlag: Bool
    }

    /// A container that runs beside the step.
    struct Service: Equatable {
        /// Under which the step reaches it.
        var host: String
        /// Of the container.
        var name: String
        var image: String
        var environment: [Variable]
        var ports: [UInt32]
        var ready: String
        var readyMilliseconds: UInt64
    }

    var podman: Podman
    /// Of the container.
    var name: String
    var image: String
    /// The image as the danubefile names it.
    var reference: String
    /// On this machine; the container sees it as `workspace`.
    var folder: String
    /// Relative to the workspace.
    var workdir: String
    var arguments: [String]
    var environment: [Variable]
    /// Read by the step from descriptor 3.
    var script: String?
    var services: [Service]
    /// Where is told why the step could not run.
    var report: String

    /// Where a container sees its workspace.
    static let workspace = "/workspace"

    /// The names of all its containers.
    var names: [String] { [name] + services.map(\.name) }
    /// Holds the container's process once it runs.
    var processFile: String { "\(report).pid" }
}

extension ContainerOrder {
    private static let version = "danube container 1"

    /// The order as bytes: texts, each ended by NUL, lists after their count.
    var encoded: [UInt8] {
        var texts = [Self.version]
        func add(_ list: [String]) { texts += [String(list.count)] + list }
        func add(_ variables: [Variable]) {
            add(variables.flatMap { [$0.name, $0.value, $0.isFlag ? "flag" : ""] })
        }
        add(podman.command)
        add(podman.containerFlags)
        texts += [name, image, reference, folder, workdir, report]
        add(arguments)
        add(environment)
        add(script.map { [$0] } ?? [])
        texts.append(String(services.count))
        for service in services {
            texts += [service.host, service.name, service.image]
            texts += [service.ready, String(service.readyMilliseconds)]
            add(service.environment)
            add(service.ports.map { String($0) })
        }
        // None of these texts can hold NUL and be given to a program.
        return texts.flatMap { $0.utf8.filter { $0 != 0 } + [0] }
    }

    /// Reads an order; `nil` when the bytes are none.
    init?(_ bytes: [UInt8]) {
        var reader = Reader(rest: bytes.split(separator: 0, omittingEmptySubsequences: false)[...])
        guard reader.text() == Self.version, let command = reader.list(),
            let flags = reader.list(), let name = reader.text(), let image = reader.text(),
            let reference = reader.text(), let folder = reader.text(),
            let workdir = reader.text(), let report = reader.text(),
            let arguments = reader.list(), let environment = reader.variables(),
            let script = reader.list(), let count = reader.number()
        else { return nil }
        var services: [Service] = []
        for _ in 0..<count {
            guard let service = reader.service() else { return nil }
            services.append(service)
        }
        self.init(
            podman: Podman(command: command, containerFlags: flags), name: name, image: image,
            reference: reference, folder: folder, workdir: workdir, arguments: arguments,
            environment: environment, script: script.first, services: services, report: report)
    }

    private struct Reader {
        var rest: ArraySlice<ArraySlice<UInt8>>

        mutating func text() -> String? {
            rest.popFirst().map { String(decoding: $0, as: UTF8.self) }
        }

        mutating func number() -> Int? {
            guard let text = text(), let number = Int(text), number >= 0, number <= rest.count
            else { return nil }
            return number
        }

        mutating func list() -> [String]? {
            guard let count = number() else { return nil }
            return (0..<count).compactMap { _ in text() }
        }

        mutating func variables() -> [Variable]? {
            guard let texts = list(), texts.count % 3 == 0 else { return nil }
            return stride(from: 0, to: texts.count, by: 3).map {
                Variable(name: texts[$0], value: texts[$0 + 1], isFlag: texts[$0 + 2] == "flag")
            }
        }

        mutating func service() -> Service? {
            guard let host = text(), let name = text(), let image = text(), let ready = text(),
                let milliseconds = text().flatMap({ UInt64($0) }), let environment = variables(),
                let ports = list()
            else { return nil }
            return Service(
                host: host, name: name, image: image, environment: environment,
                ports: ports.compactMap { UInt32($0) }, ready: ready,
                readyMilliseconds: milliseconds)
        }
    }
}
