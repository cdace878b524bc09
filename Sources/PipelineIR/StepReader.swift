extension PlanReader {
    enum StepKey: String, SchemaKey {
        case after, cache, capture, check, cleanup, conditional, data, env, fatal, frame, group, id
        case image, inputs, kind, matrix, name, needs, outputs, resources, retry, run, services
        case timeout = "timeout_ms"
        case upload, when, workdir
        static let table = KeyTable<Self>()
    }

    mutating func step(_ position: Int) throws(PlanError) -> Step {
        var step = Step(id: "", name: "", command: .script(.empty))
        var options = Step.Options()
        var name: String?
        var keys = try ObjectKeys<StepKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .id: step.id = try id(position)
            case .name: name = try json.string()
            case .run: step.command = try command()
            case .kind: step.kind = try word(Step.Kind.self, \.word)
            case .image: step.image = try json.string()
            case .env: step.env = try environment()
            case .workdir: step.workdir = try json.string()
            case .when: step.condition = ConditionIndex(try index("A condition's index"))
            case .frame: step.frame = FrameIndex(try index("A frame's index"))
            case .group: step.group = GroupIndex(try index("A group's index"))
            case .fatal: step.fatal = try json.bool()
            case .check: step.check = try json.bool()
            case .capture: step.capture = try json.bool()
            case .after: step.order = try edges()
            case .needs: step.needs = try edges()
            case .data: step.data = try edges()
            case .conditional: step.conditional = try edges()
            case .matrix: step.matrix = try matrix()
            case .cache: options.cache = try json.bool() ? .always : .never
            case .timeout: options.timeoutMilliseconds = try number("A timeout")
            case .retry: options.retry = try retry()
            case .resources: options.resources = try resources()
            case .inputs: options.inputs = try strings()
            case .outputs: options.outputs = try strings()
            case .services: options.services = try list { (r) throws(PlanError) in try r.service() }
            case .upload: options.upload = try upload()
            case .cleanup: options.cleanup = try cleanup()
            }
        }
        try keys.require(.id, in: json)
        step.name = name ?? step.id
        if options != Step.Options() { step.options = options }
        return step
    }

    private mutating func id(_ position: Int) throws(PlanError) -> String {
        _ = try json.peek()
        let start = json.offset
        let id = try json.string()
        if let first = positions[id], first != position {
            throw json.error(
                .value, "Two steps have the id `\(id.prefix(256))`.",
                hint: "The first is $.steps[\(first)].", at: start)
        }
        return id
    }

    /// The first and the last step of a `try`.
    private mutating func cleanup() throws(PlanError) -> Cleanup {
        let ends = try list { (r) throws(PlanError) in try r.reference() }
        guard ends.count == 2 else {
            throw json.error(
                .schema, "`cleanup` names two steps: the first and the last of its `try`.")
        }
        return Cleanup(first: ends[0], last: ends[1])
    }

    enum CommandKey: String, SchemaKey {
        case argv
        static let table = KeyTable<Self>()
    }

    private mutating func command() throws(PlanError) -> Step.Command {
        guard try json.peek() == .object else { return .script(try template()) }
        var arguments: [Template] = []
        var keys = try ObjectKeys<CommandKey>(&json)
        while try keys.next(&json) != nil {
            arguments = try list { (r) throws(PlanError) in try r.template() }
        }
        try keys.require(.argv, in: json)
        return .argv(arguments)
    }

    /// An object with keys of the user; sorted, each once.
    private mutating func map<Element>(
        _ value: (inout PlanReader, String) throws(PlanError) -> Element, key: (Element) -> String
    ) throws(PlanError) -> [Element] {
        var elements: [Element] = []
        var names: Set<String> = []
        try json.beginObject()
        while let name = try json.nextKey() {
            guard names.insert(name).inserted else {
                throw json.error(
                    .schema, "The key `\(name.prefix(64))` stands twice in one object.")
            }
            elements.append(try value(&self, name))
        }
        return elements.ascending(by: key)
    }

    private mutating func environment() throws(PlanError) -> [EnvVar] {
        try map(
            { (r, name) throws(PlanError) in EnvVar(name: name, value: try r.template()) },
            key: \.name)
    }

    private mutating func matrix() throws(PlanError) -> [Coordinate] {
        try map(
            { (r, key) throws(PlanError) in Coordinate(key: key, value: try r.json.string()) },
            key: \.key)
    }

    enum RetryKey: String, SchemaKey {
        case attempts, backoff
        case delay = "delay_ms"
        case codes = "on_codes"
        static let table = KeyTable<Self>()
    }

    private mutating func retry() throws(PlanError) -> Retry {
        // The defaults of `danube.Retry`.
        var retry = Retry(attempts: 0, delayMilliseconds: 1000, backoff: 2, onCodes: [])
        var keys = try ObjectKeys<RetryKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .attempts: retry.attempts = try small("The number of attempts")
            case .delay: retry.delayMilliseconds = try number("A delay")
            case .backoff: retry.backoff = try json.double(of: "The backoff")
            case .codes:
                retry.onCodes = try list { (r) throws(PlanError) in try r.small("An exit code") }
            }
        }
        try keys.require(.attempts, in: json)
        return retry
    }

    enum ResourcesKey: String, SchemaKey {
        case cpu = "cpu_milli"
        case disk = "disk_bytes"
        case gpu
        case memory = "memory_bytes"
        static let table = KeyTable<Self>()
    }

    private mutating func resources() throws(PlanError) -> Resources {
        var resources = Resources(cpuMilli: 0, memoryBytes: 0, diskBytes: 0, gpu: 0)
        var keys = try ObjectKeys<ResourcesKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .cpu: resources.cpuMilli = try number("The processor time")
            case .memory: resources.memoryBytes = try number("The memory")
            case .disk: resources.diskBytes = try number("The disk space")
            case .gpu: resources.gpu = try small("The number of GPUs")
            }
        }
        return resources
    }

    enum ServiceKey: String, SchemaKey {
        case env, image, name, ports, ready
        case timeout = "ready_timeout_ms"
        static let table = KeyTable<Self>()
    }

    private mutating func service() throws(PlanError) -> Service {
        var service = Service(
            name: "", image: "", env: [], ports: [], ready: .empty, readyTimeoutMilliseconds: 0)
        var keys = try ObjectKeys<ServiceKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .name: service.name = try json.string()
            case .image: service.image = try json.string()
            case .env: service.env = try environment()
            case .ports:
                service.ports = try list { (r) throws(PlanError) in try r.small("A port") }
            case .ready: service.ready = try template()
            case .timeout: service.readyTimeoutMilliseconds = try number("A timeout")
            }
        }
        try keys.require(.image, .name, in: json)
        return service
    }

    enum UploadKey: String, SchemaKey {
        case junit, name, path
        static let table = KeyTable<Self>()
    }

    private mutating func upload() throws(PlanError) -> Upload {
        var upload = Upload(path: .empty, name: "", junit: false)
        var keys = try ObjectKeys<UploadKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .path: upload.path = try template()
            case .name: upload.name = try json.string()
            case .junit: upload.junit = try json.bool()
            }
        }
        try keys.require(.path, in: json)
        return upload
    }
}
