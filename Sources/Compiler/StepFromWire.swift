internal import PipelineIR

/// Makes a step of its message.
struct StepFromWire {
    private let templates: TemplateFromWire
    private var step = Step(id: "", name: "", command: .script(.empty))
    private var options = Step.Options()
    private var hasOptions = false
    private var needs: (list: [StepIndex], isThere: Bool) = ([], false)
    private var inputs: (list: [String], isThere: Bool) = ([], false)
    private var outputs: (list: [String], isThere: Bool) = ([], false)
    private var cleanup: (first: UInt32, last: UInt32) = (0, 0)

    /// Reads the step at an index of the plan.
    init(index: Int) {
        templates = TemplateFromWire(place: ["steps"], index: index)
        // As protobuf has them where they are not written.
        step.fatal = false
        step.check = false
    }

    /// What its message says, which is gone over.
    consuming func step(_ reader: inout WireReader) throws(PlanError) -> Step {
        let end = try reader.end()
        while let number = try reader.field(before: end) {
            switch number {
            case 1: step.id = try reader.text()
            case 2: step.name = try reader.text()
            case 3:
                let kind = try reader.number()
                guard let known = UInt8(exactly: kind).flatMap(Step.Kind.init(rawValue:)) else {
                    throw templates.error(.schema, "kind", "There is no kind \(kind).")
                }
                step.kind = known
            case 4: step.command = .script(try templates.template(&reader, "script"))
            case 5: step.command = .argv(try arguments(&reader))
            case 6: step.image = try reader.text()
            case 7: step.env.append(try variable(&reader, "env"))
            case 8: step.workdir = try reader.text()
            case 9: step.condition = try PlanFromWire.reference(&reader).map(ConditionIndex.init)
            case 10: step.fatal = try reader.flag()
            case 11: step.check = try reader.flag()
            case 12: step.capture = try reader.flag()
            case 22: try reader.numbers(to: &step.order, TemplateFromWire.step)
            case 23: try reader.numbers(to: &step.data, TemplateFromWire.step)
            case 24: try reader.numbers(to: &step.conditional, TemplateFromWire.step)
            case 25: try reader.numbers(to: &needs.list, TemplateFromWire.step)
            case 26: step.frame = try PlanFromWire.reference(&reader).map(FrameIndex.init)
            case 27: step.matrix.append(try coordinate(&reader))
            case 28: step.group = try PlanFromWire.reference(&reader).map(GroupIndex.init)
            case 30: needs.isThere = try reader.flag()
            default: try option(number, &reader)
            }
        }
        step.needs = try declared(needs, "needs")
        try addOptions()
        return step
    }

    private mutating func option(
        _ number: Int, _ reader: inout WireReader
    ) throws(PlanError) {
        hasOptions = true
        switch number {
        case 13: options.timeoutMilliseconds = try reader.number()
        case 14: options.retry = try retry(&reader)
        case 15: options.resources = try resources(&reader)
        case 16: inputs.list.append(try reader.text())
        case 17: outputs.list.append(try reader.text())
        case 18: inputs.isThere = try reader.flag()
        case 19: outputs.isThere = try reader.flag()
        case 20:
            let policy = try reader.number()
            guard let known = UInt8(exactly: policy).flatMap(CachePolicy.init(rawValue:)) else {
                throw templates.error(.schema, "cache", "There is no cache policy \(policy).")
            }
            options.cache = known
        case 21: options.services.append(try service(&reader))
        case 29: options.upload = try upload(&reader)
        case 31: cleanup.first = try reader.small()
        case 32: cleanup.last = try reader.small()
        default: throw reader.malformed()
        }
    }

    private mutating func addOptions() throws(PlanError) {
        guard hasOptions else { return }
        options.inputs = try declared(inputs, "inputs")
        options.outputs = try declared(outputs, "outputs")
        let first = PlanFromWire.reference(cleanup.first)
        let last = PlanFromWire.reference(cleanup.last)
        if let first, let last {
            options.cleanup = Cleanup(first: StepIndex(first), last: StepIndex(last))
        } else if first != nil || last != nil {
            throw templates.error(
                .schema, "cleanup", "`cleanup_first` and `cleanup_last` go together.")
        }
        if options != Step.Options() { step.options = options }
    }

    /// A list that can be absent. Elements of one that is absent are a mistake.
    private func declared<Element>(
        _ field: (list: [Element], isThere: Bool), _ name: String
    ) throws(PlanError) -> [Element]? {
        if field.isThere { return field.list }
        if field.list.isEmpty { return nil }
        throw templates.error(.schema, name, "`\(name)` has elements without `has_\(name)`.")
    }

    private func arguments(_ reader: inout WireReader) throws(PlanError) -> [Template] {
        let end = try reader.end()
        var arguments: [Template] = []
        while let number = try reader.field(before: end) {
            guard number == 1 else { throw reader.malformed() }
            arguments.append(try templates.template(&reader, "argv"))
        }
        return arguments
    }

    private func variable(
        _ reader: inout WireReader, _ field: String
    ) throws(PlanError) -> EnvVar {
        let end = try reader.end()
        var variable = EnvVar(name: "", value: .empty)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: variable.name = try reader.text()
            case 2: variable.value = try templates.template(&reader, field)
            default: throw reader.malformed()
            }
        }
        return variable
    }

    private func coordinate(_ reader: inout WireReader) throws(PlanError) -> Coordinate {
        let end = try reader.end()
        var coordinate = Coordinate(key: "", value: "")
        while let number = try reader.field(before: end) {
            switch number {
            case 1: coordinate.key = try reader.text()
            case 2: coordinate.value = try reader.text()
            default: throw reader.malformed()
            }
        }
        return coordinate
    }

    private func retry(_ reader: inout WireReader) throws(PlanError) -> Retry {
        let end = try reader.end()
        var retry = Retry(attempts: 0, delayMilliseconds: 0, backoff: 0, onCodes: [])
        while let number = try reader.field(before: end) {
            switch number {
            case 1: retry.attempts = try reader.small()
            case 2: retry.delayMilliseconds = try reader.number()
            case 3: retry.backoff = try reader.double()
            case 4: try reader.numbers(to: &retry.onCodes) { $0 }
            default: throw reader.malformed()
            }
        }
        return retry
    }

    private func resources(_ reader: inout WireReader) throws(PlanError) -> Resources {
        let end = try reader.end()
        var resources = Resources(cpuMilli: 0, memoryBytes: 0, diskBytes: 0, gpu: 0)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: resources.cpuMilli = try reader.number()
            case 2: resources.memoryBytes = try reader.number()
            case 3: resources.diskBytes = try reader.number()
            case 4: resources.gpu = try reader.small()
            default: throw reader.malformed()
            }
        }
        return resources
    }

    private func service(_ reader: inout WireReader) throws(PlanError) -> Service {
        let end = try reader.end()
        var service = Service(
            name: "", image: "", env: [], ports: [], ready: .empty, readyTimeoutMilliseconds: 0)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: service.name = try reader.text()
            case 2: service.image = try reader.text()
            case 3: service.env.append(try variable(&reader, "services"))
            case 4: try reader.numbers(to: &service.ports) { $0 }
            case 5: service.ready = try templates.template(&reader, "services")
            case 6: service.readyTimeoutMilliseconds = try reader.number()
            default: throw reader.malformed()
            }
        }
        return service
    }

    private func upload(_ reader: inout WireReader) throws(PlanError) -> Upload {
        let end = try reader.end()
        var upload = Upload(path: .empty, name: "", junit: false)
        while let number = try reader.field(before: end) {
            switch number {
            case 1: upload.path = try templates.template(&reader, "upload")
            case 2: upload.name = try reader.text()
            case 3: upload.junit = try reader.flag()
            default: throw reader.malformed()
            }
        }
        return upload
    }
}
