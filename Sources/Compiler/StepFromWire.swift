internal import PipelineIR
internal import Wire

/// Makes a step of its message.
struct StepFromWire {
    private let index: Int
    private let templates: TemplateFromWire

    /// Reads the step at an index of the plan.
    init(index: Int) {
        self.index = index
        templates = TemplateFromWire(place: ["steps"], index: index)
    }

    /// What has been read of the step so far.
    func step(_ message: Danube_Plan_V1_Step) throws(PlanError) -> Step {
        var step = Step(id: message.id, name: message.name, command: try command(message))
        switch message.kind {
        case .run: step.kind = .run
        case .upload: step.kind = .upload
        case .UNRECOGNIZED(let number): throw PlanFromWire.unknownKind("steps", index, number)
        }
        step.image = message.image
        step.env = try environment(message.env, "env")
        step.workdir = message.workdir
        step.condition = PlanFromWire.reference(message.condition).map(ConditionIndex.init)
        step.fatal = message.fatal
        step.check = message.check
        step.capture = message.capture
        step.frame = PlanFromWire.reference(message.frame).map(FrameIndex.init)
        step.group = PlanFromWire.reference(message.group).map(GroupIndex.init)
        step.order = message.order.map(TemplateFromWire.step)
        step.data = message.data.map(TemplateFromWire.step)
        step.conditional = message.conditional.map(TemplateFromWire.step)
        step.needs = try declared(
            message.needs.map(TemplateFromWire.step), message.hasNeeds_p, "needs")
        step.matrix = message.matrix.map { Coordinate(key: $0.key, value: $0.value) }
        let options = try options(message)
        if options != Step.Options() { step.options = options }
        return step
    }

    private func command(_ message: Danube_Plan_V1_Step) throws(PlanError) -> Step.Command {
        switch message.command {
        case .script(let script): return .script(try templates.template(script, "script"))
        case .argv(let argv):
            var arguments: [Template] = []
            for argument in argv.arguments {
                arguments.append(try templates.template(argument, "argv"))
            }
            return .argv(arguments)
        case nil: return .script(.empty)
        }
    }

    private func options(_ message: Danube_Plan_V1_Step) throws(PlanError) -> Step.Options {
        var options = Step.Options()
        options.timeoutMilliseconds = message.timeoutMs
        if message.hasRetry {
            options.retry = Retry(
                attempts: message.retry.attempts, delayMilliseconds: message.retry.delayMs,
                backoff: message.retry.backoff, onCodes: message.retry.onCodes)
        }
        if message.hasResources {
            let resources = message.resources
            options.resources = Resources(
                cpuMilli: resources.cpuMilli, memoryBytes: resources.memoryBytes,
                diskBytes: resources.diskBytes, gpu: resources.gpu)
        }
        options.inputs = try declared(message.inputs, message.hasInputs_p, "inputs")
        options.outputs = try declared(message.outputs, message.hasOutputs_p, "outputs")
        switch message.cache {
        case .auto: options.cache = .auto
        case .always: options.cache = .always
        case .never: options.cache = .never
        case .UNRECOGNIZED(let number):
            throw templates.error(.schema, "cache", "There is no cache policy \(number).")
        }
        for service in message.services { options.services.append(try self.service(service)) }
        if message.hasUpload {
            options.upload = Upload(
                path: try templates.template(message.upload.path, "upload"),
                name: message.upload.name, junit: message.upload.junit)
        }
        options.cleanup = try cleanup(message)
        return options
    }

    /// The range of a `try`: both of its ends, or neither.
    private func cleanup(_ message: Danube_Plan_V1_Step) throws(PlanError) -> Cleanup? {
        let first = PlanFromWire.reference(message.cleanupFirst)
        let last = PlanFromWire.reference(message.cleanupLast)
        if first == nil, last == nil { return nil }
        guard let first, let last else {
            throw templates.error(
                .schema, "cleanup", "`cleanup_first` and `cleanup_last` go together.")
        }
        return Cleanup(first: StepIndex(first), last: StepIndex(last))
    }

    /// A list that can be absent. Elements of one that is absent are a mistake.
    private func declared<Element>(
        _ elements: [Element], _ isThere: Bool, _ field: String
    ) throws(PlanError) -> [Element]? {
        if isThere { return elements }
        if elements.isEmpty { return nil }
        throw templates.error(.schema, field, "`\(field)` has elements without `has_\(field)`.")
    }

    private func environment(
        _ variables: [Danube_Plan_V1_EnvVar], _ field: String
    ) throws(PlanError) -> [EnvVar] {
        var found: [EnvVar] = []
        for variable in variables {
            found.append(
                EnvVar(
                    name: variable.name, value: try templates.template(variable.value, field)))
        }
        return found
    }

    private func service(_ message: Danube_Plan_V1_Service) throws(PlanError) -> Service {
        Service(
            name: message.name, image: message.image,
            env: try environment(message.env, "services"), ports: message.ports,
            ready: try templates.template(message.ready, "services"),
            readyTimeoutMilliseconds: message.readyTimeoutMs)
    }
}
