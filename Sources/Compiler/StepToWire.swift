internal import PipelineIR
internal import Wire

/// Makes messages of steps.
enum StepToWire {
    /// A step.
    static func step(_ step: Step) -> Danube_Plan_V1_Step {
        var message = Danube_Plan_V1_Step()
        message.id = step.id
        message.name = step.name
        command(of: step, &message)
        if !step.image.isEmpty { message.image = step.image }
        if !step.env.isEmpty { message.env = step.env.map(variable) }
        if !step.workdir.isEmpty { message.workdir = step.workdir }
        message.condition = PlanToWire.reference(step.condition?.value)
        message.fatal = step.fatal
        message.check = step.check
        message.capture = step.capture
        if let options = step.options { self.options(options, &message) }
        message.order = indices(step.order)
        message.data = indices(step.data)
        message.conditional = indices(step.conditional)
        if let needs = step.needs {
            message.needs = indices(needs)
            message.hasNeeds_p = true
        }
        message.frame = PlanToWire.reference(step.frame?.value)
        message.matrix = step.matrix.map { coordinate in
            var message = Danube_Plan_V1_Coordinate()
            message.key = coordinate.key
            message.value = coordinate.value
            return message
        }
        message.group = PlanToWire.reference(step.group?.value)
        return message
    }

    private static func command(of step: Step, _ message: inout Danube_Plan_V1_Step) {
        switch step.kind {
        case .run: break
        case .upload: message.kind = .upload
        }
        switch step.command {
        case .script(let script):
            if !script.parts.isEmpty { message.script = TemplateToWire.template(script) }
        case .argv(let arguments):
            var argv = Danube_Plan_V1_Argv()
            argv.arguments = arguments.map(TemplateToWire.template)
            message.argv = argv
        }
    }

    private static func options(_ options: Step.Options, _ message: inout Danube_Plan_V1_Step) {
        message.timeoutMs = options.timeoutMilliseconds
        if let retry = options.retry { message.retry = self.retry(retry) }
        if let resources = options.resources { message.resources = self.resources(resources) }
        if let inputs = options.inputs {
            message.inputs = inputs
            message.hasInputs_p = true
        }
        if let outputs = options.outputs {
            message.outputs = outputs
            message.hasOutputs_p = true
        }
        switch options.cache {
        case .auto: break
        case .always: message.cache = .always
        case .never: message.cache = .never
        }
        message.services = options.services.map(service)
        if let upload = options.upload {
            var inner = Danube_Plan_V1_Upload()
            inner.path = TemplateToWire.template(upload.path)
            inner.name = upload.name
            inner.junit = upload.junit
            message.upload = inner
        }
        if let cleanup = options.cleanup {
            message.cleanupFirst = PlanToWire.reference(cleanup.first.value)
            message.cleanupLast = PlanToWire.reference(cleanup.last.value)
        }
    }

    private static func indices(_ steps: [StepIndex]) -> [UInt32] {
        steps.map { TemplateToWire.index($0.value) }
    }

    private static func variable(_ variable: EnvVar) -> Danube_Plan_V1_EnvVar {
        var message = Danube_Plan_V1_EnvVar()
        message.name = variable.name
        message.value = TemplateToWire.template(variable.value)
        return message
    }

    private static func retry(_ retry: Retry) -> Danube_Plan_V1_Retry {
        var message = Danube_Plan_V1_Retry()
        message.attempts = retry.attempts
        message.delayMs = retry.delayMilliseconds
        message.backoff = retry.backoff
        message.onCodes = retry.onCodes
        return message
    }

    private static func resources(_ resources: Resources) -> Danube_Plan_V1_Resources {
        var message = Danube_Plan_V1_Resources()
        message.cpuMilli = resources.cpuMilli
        message.memoryBytes = resources.memoryBytes
        message.diskBytes = resources.diskBytes
        message.gpu = resources.gpu
        return message
    }

    private static func service(_ service: Service) -> Danube_Plan_V1_Service {
        var message = Danube_Plan_V1_Service()
        message.name = service.name
        message.image = service.image
        message.env = service.env.map(variable)
        message.ports = service.ports
        if !service.ready.parts.isEmpty { message.ready = TemplateToWire.template(service.ready) }
        message.readyTimeoutMs = service.readyTimeoutMilliseconds
        return message
    }
}
