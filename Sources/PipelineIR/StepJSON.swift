extension PlanWriter {
    mutating func write(_ step: Step) {
        let options = step.options
        json.beginObject()
        edges("after", step.order)
        switch options?.cache {
        case .always: flag("cache", true, default: false)
        case .never: flag("cache", false, default: true)
        case .auto, nil: break
        }
        flag("capture", step.capture, default: false)
        flag("check", step.check, default: true)
        if let cleanup = options?.cleanup { references("cleanup", [cleanup.first, cleanup.last]) }
        edges("conditional", step.conditional)
        edges("data", step.data)
        environment(step.env)
        flag("fatal", step.fatal, default: true)
        index("frame", step.frame?.value)
        index("group", step.group?.value)
        json.key("id")
        json.string(step.id)
        text("image", step.image)
        globs("inputs", options?.inputs)
        if step.kind == .upload { text("kind", step.kind.word) }
        matrix(step.matrix)
        json.key("name")
        json.string(step.name)
        if let needs = step.needs { references("needs", needs) }
        globs("outputs", options?.outputs)
        if let resources = options?.resources { write(resources) }
        if let retry = options?.retry { write(retry) }
        run(step.command)
        if let services = options?.services { list("services", services) { $0.write($1) } }
        number("timeout_ms", options?.timeoutMilliseconds ?? 0)
        if let upload = options?.upload { write(upload) }
        index("when", step.condition?.value)
        text("workdir", step.workdir)
        json.endObject()
    }

    private mutating func edges(_ name: StaticString, _ targets: [StepIndex]) {
        if !targets.isEmpty { references(name, targets) }
    }

    private mutating func references(_ name: StaticString, _ targets: [StepIndex]) {
        json.key(name)
        json.beginArray()
        for target in targets { step(target) }
        json.endArray()
    }

    private mutating func globs(_ name: StaticString, _ globs: [String]?) {
        guard let globs else { return }
        json.key(name)
        json.beginArray()
        for glob in globs { json.string(glob) }
        json.endArray()
    }

    private mutating func environment(_ variables: [EnvVar]) {
        if variables.isEmpty { return }
        json.key("env")
        json.beginObject()
        for variable in variables.ascending(by: \.name) {
            json.key(variable.name)
            template(variable.value)
        }
        json.endObject()
    }

    private mutating func matrix(_ coordinates: [Coordinate]) {
        if coordinates.isEmpty { return }
        json.key("matrix")
        json.beginObject()
        for coordinate in coordinates.ascending(by: \.key) {
            json.key(coordinate.key)
            json.string(coordinate.value)
        }
        json.endObject()
    }

    private mutating func run(_ command: Step.Command) {
        switch command {
        case .script(let script): template("run", script)
        case .argv(let arguments):
            json.key("run")
            json.beginObject()
            json.key("argv")
            json.beginArray()
            for argument in arguments { template(argument) }
            json.endArray()
            json.endObject()
        }
    }

    private mutating func write(_ resources: Resources) {
        json.key("resources")
        json.beginObject()
        number("cpu_milli", resources.cpuMilli)
        number("disk_bytes", resources.diskBytes)
        number("gpu", resources.gpu)
        number("memory_bytes", resources.memoryBytes)
        json.endObject()
    }

    private mutating func write(_ retry: Retry) {
        json.key("retry")
        json.beginObject()
        json.key("attempts")
        json.integer(retry.attempts)
        json.key("backoff")
        json.double(retry.backoff)
        json.key("delay_ms")
        json.integer(retry.delayMilliseconds)
        list("on_codes", retry.onCodes) { $0.json.integer($1) }
        json.endObject()
    }

    private mutating func write(_ service: Service) {
        json.beginObject()
        environment(service.env)
        json.key("image")
        json.string(service.image)
        json.key("name")
        json.string(service.name)
        list("ports", service.ports) { $0.json.integer($1) }
        template("ready", service.ready)
        number("ready_timeout_ms", service.readyTimeoutMilliseconds)
        json.endObject()
    }

    private mutating func write(_ upload: Upload) {
        json.key("upload")
        json.beginObject()
        flag("junit", upload.junit, default: false)
        text("name", upload.name)
        json.key("path")
        template(upload.path)
        json.endObject()
    }
}

extension Array {
    /// The elements by the UTF-8 bytes of a text; the array itself when it ascends already.
    func ascending(by text: (Element) -> String) -> [Element] {
        func precedes(_ a: Element, _ b: Element) -> Bool { text(a).precedesInUTF8(text(b)) }
        if count < 2 || !zip(self, dropFirst()).contains(where: { !precedes($0, $1) }) {
            return self
        }
        return sorted(by: precedes)
    }
}

extension String {
    /// Order of canonical JSON: by UTF-8 bytes, which is the order of code points.
    package func precedesInUTF8(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}
