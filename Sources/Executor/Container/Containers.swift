internal import CSandbox
internal import Glibc
internal import PipelineIR

/// The containers of a job: which images its steps run in, and what the supervisor of each is told.
final class Containers {
    /// The folder, in that of a job, where the containers that may be alive are listed.
    static let folderName = "containers"

    private let plan: Plan
    private let job: String
    private let folder: String
    private let podman: Podman?
    /// Whether podman cannot work where the engine is: it needs a user namespace of its own.
    private let isConfined: Bool
    /// Ids of the images that are here, by reference.
    private var ids: [String: String] = [:]
    private var asked: Set<String> = []

    /// Looks for podman, to run containers. `place` is the folder of the job.
    init(_ configuration: RunConfiguration, place: String) throws(WorkspaceError) {
        plan = configuration.plan
        job = configuration.job
        folder = "\(place)/\(Self.folderName)"
        podman = Podman(path: StepEnvironment(temporary: "").path)
        isConfined = configuration.namespaces & Int32(DANUBE_OWN_USERS) != 0
        try Workspaces.makeFolder(folder)
    }

    /// Looks for podman, to ask it for images only: nothing is made, fetched or run.
    init(lookingAt configuration: RunConfiguration) {
        plan = configuration.plan
        job = ""
        folder = ""
        podman = Podman(path: StepEnvironment(temporary: "").path)
        isConfined = configuration.namespaces & Int32(DANUBE_OWN_USERS) != 0
    }

    /// Whether a plan has steps that need containers.
    static func areNeeded(by plan: Plan) -> Bool {
        plan.steps.indices.contains { plan.isContained(StepIndex($0)) }
    }

    /// Fetches the images of steps whose results are kept: a result's key has the image's digest.
    /// `report` hears what is fetched before it is. An image that cannot be had is no failure yet:
    /// perhaps nobody needs it.
    func fetch(_ report: (String) -> Void) {
        guard let podman, !isConfined else { return }
        find { image in
            report(image)
            if podman.pull(image) { ids[image] = podman.imageID(of: image) }
        }
    }

    /// Finds out which of these images are here. `isMissing` is told of the others.
    func find(_ isMissing: (String) -> Void = { _ in }) {
        guard let podman, !isConfined else { return }
        for step in plan.steps {
            guard let options = step.options, options.isApart else { continue }
            for image in [plan.image(of: step)] + options.services.map(\.image)
            where !image.isEmpty && asked.insert(image).inserted {
                ids[image] = podman.imageID(of: image)
                if ids[image] == nil { isMissing(image) }
            }
        }
    }

    /// The digest of an image, when it is here and some step's result may be kept.
    func digest(of image: String) -> String? { ids[image] }

    /// Throws when a step cannot run in a container here, before anything is made for it.
    func check(_ step: StepIndex) throws(AttemptError) {
        let image = plan.image(of: plan.steps[step.int])
        if podman == nil { throw .noContainers(image) }
        if isConfined { throw .confinedContainers(image) }
        if image.isEmpty { throw .servicesWithoutImage }
    }

    /// What is needed to run a step's attempt in its image. Throws when that is not possible.
    func order(
        _ step: StepIndex, attempt: Int, _ resolved: ResolvedStep, arguments: [String],
        script: String?, workspace: String, environment: [String]
    ) throws(AttemptError) -> ContainerOrder {
        let settings = plan.steps[step.int]
        let image = plan.image(of: settings)
        guard let podman else { throw .noContainers(image) }
        if workspace.contains(":"), workspace.contains(",") { throw .folder(workspace) }
        let name = "danube-\(job)-\(step.int)-\(attempt)"
        let pairs = zip(resolved.environment, resolved.publicEnvironment)
        var variables: [ContainerOrder.Variable] = []
        for (given, shown) in pairs {
            variables.append(try Self.variable(given, isSecret: given.value != shown.value))
        }
        for variable in environment {
            let parts = variable.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.isEmpty || variables.contains(where: { $0.name == parts[0] }) { continue }
            variables.append(
                .init(name: parts[0], value: parts.count > 1 ? parts[1] : "", isFlag: false))
        }
        var services: [ContainerOrder.Service] = []
        for (number, service) in resolved.services.enumerated() {
            services.append(try self.service(service, resolved, "\(name)-\(number)"))
        }
        return ContainerOrder(
            podman: podman, name: name, image: ids[image] ?? image, reference: image,
            folder: workspace, workdir: settings.workdir, arguments: arguments,
            environment: variables, script: script, services: services,
            report: "\(folder)/\(name).report")
    }

    private func service(
        _ service: ResolvedStep.Service, _ resolved: ResolvedStep, _ name: String
    ) throws(AttemptError) -> ContainerOrder.Service {
        var variables: [ContainerOrder.Variable] = []
        for variable in service.environment {
            variables.append(
                try Self.variable(
                    (variable.name, variable.value), isSecret: variable.isSecret))
        }
        return ContainerOrder.Service(
            host: service.name, name: name, image: ids[service.image] ?? service.image,
            environment: variables, ports: service.ports, ready: service.ready,
            readyMilliseconds: service.readyTimeoutMilliseconds)
    }

    private static func variable(
        _ given: (name: String, value: String), isSecret: Bool
    ) throws(AttemptError) -> ContainerOrder.Variable {
        let isFlag = Podman.heeds(given.name)
        if isFlag, isSecret { throw .variable(given.name) }
        return .init(name: given.name, value: given.value, isFlag: isFlag)
    }

    /// Notes that containers may come to life, so that another run can end them if this one is
    /// killed.
    private func begin(_ order: ContainerOrder) throws(CacheError) {
        unlink(order.report)
        try AtomicFile.write(
            Array((order.names.joined(separator: "\n") + "\n").utf8),
            to: "\(folder)/\(order.name)")
    }

    /// The process that runs an attempt in its container: this program, as its supervisor.
    func supervised(_ order: ContainerOrder) throws(CacheError) -> ProcessOrder {
        try begin(order)
        var process = ProcessOrder(
            arguments: ["/proc/self/exe", ContainerSupervisor.word],
            environment: Podman.environment, search: "", folder: "/")
        process.script = order.encoded
        return process
    }

    /// Ends what is left of an attempt's containers, and gives why it could not run, if so.
    func end(_ order: ContainerOrder, supervisorWasKilled: Bool) -> ContainerReport? {
        if supervisorWasKilled { order.podman.remove(order.names) }
        let report = ContainerReport.read(order.report)
        for path in [order.report, order.processFile, "\(folder)/\(order.name)"] { unlink(path) }
        return report
    }

    /// Ends the containers that a killed job left behind, by the folder of the job.
    static func reap(_ place: String) {
        let folder = "\(place)/\(folderName)"
        guard access(folder, F_OK) == 0,
            let files = try? FileComparison.names(in: folder.joined(.root)), !files.isEmpty,
            let podman = Podman(path: StepEnvironment(temporary: "").path)
        else { return }
        var names: [String] = []
        for file in files {
            let name = String(decoding: file, as: UTF8.self)
            if name.contains(".") { continue }
            let bytes = AtomicFile.read("\(folder)/\(name)", most: 1 << 20) ?? []
            names += String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        }
        podman.remove(names)
    }
}

extension Plan {
    /// Whether a step needs a container, unless it may run on the host.
    func isContained(_ step: StepIndex) -> Bool {
        // A step is large, so it is looked at where it is.
        if steps[step.int].kind == .upload { return false }
        return !(steps[step.int].image.isEmpty && defaultImage.isEmpty)
            || steps[step.int].options?.services.isEmpty == false
    }
}
