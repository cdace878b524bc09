// What holds for every step of a valid plan.
extension PlanValidator {
    mutating func steps(unless isOver: () -> Bool) throws(PlanError) {
        var ids: Set<String> = []
        ids.reserveCapacity(plan.steps.count)
        for (index, step) in plan.steps.enumerated() {
            let path = PlanPath([.key("steps"), .index(index)])
            if index & 0x7 == 0x7, isOver() {
                throw PlanError(.limit, path, "There was no time to check more steps.")
            }
            try id(step.id, path.key("id"))
            if !ids.insert(step.id).inserted {
                throw PlanError(
                    .value, path.key("id"), "Two steps have the id `\(step.id.prefix(256))`.")
            }
            try self.step(step, index, path)
        }
    }

    private mutating func step(
        _ step: Step, _ index: Int, _ path: PlanPath
    ) throws(PlanError) {
        try name(step.name, path.key("name"), "The name of a step")
        try image(step.image, path.key("image"))
        if !step.workdir.isEmpty {
            try relative(step.workdir, path.key("workdir"), "The working directory")
        }
        try edges(step.order, index, path.key("after"))
        try edges(step.data, index, path.key("data"))
        try edges(step.conditional, index, path.key("conditional"))
        if let needs = step.needs { try edges(needs, index, path.key("needs")) }
        try condition(step.condition, before: index, path.key("when"))
        try before(step.frame?.value, plan.frames.count, path.key("frame"), "frame")
        try before(step.group?.value, plan.groups.count, path.key("group"), "group")
        try environment(step.env, index, path.key("env"))
        try matrix(step.matrix, path.key("matrix"))
        try command(step, index, path.key("run"))
        if let options = step.options { try self.options(options, index, path) }
        try dataEdges(step, path)
        let isUpload = step.options?.upload != nil
        if isUpload != (step.kind == .upload) {
            throw PlanError(
                .value, path, "A step has `upload` exactly when its kind is `upload`.")
        }
    }

    private func command(_ step: Step, _ index: Int, _ path: PlanPath) throws(PlanError) {
        switch step.command {
        case .script(let script): try template(script, path, before: index)
        case .argv(let arguments):
            if arguments.isEmpty {
                throw PlanError(.value, path.key("argv"), "A command has at least a program.")
            }
            for (position, argument) in arguments.enumerated() {
                try template(argument, path.key("argv").at(position), before: index)
            }
        }
    }

    private mutating func edges(
        _ targets: [StepIndex], _ index: Int, _ path: @autoclosure () -> PlanPath
    ) throws(PlanError) {
        if targets.isEmpty { return }
        edgeCount += targets.count
        if edgeCount > PlanLimits.edges {
            throw PlanError(.limit, path(), "A plan has at most \(PlanLimits.edges) edges.")
        }
        var last: Int32 = -1
        for (position, target) in targets.enumerated() {
            guard target.value > last, target.int < index else {
                let twice = target.value == last
                throw PlanError(
                    .reference, path().at(position),
                    twice
                        ? "An edge stands twice."
                        : "Edges ascend and lead to steps that stand before.")
            }
            last = target.value
        }
    }

    /// A result that a template uses comes over a data edge, from a step that has it.
    private func dataEdges(_ step: Step, _ path: PlanPath) throws(PlanError) {
        var fault: (StepIndex, StaticString)?
        step.forEachTemplate { (template, key) in
            template.forEachStep { used in
                if !step.data.contains(used) { fault = (used, key) }
            }
        }
        if let (used, key) = fault {
            throw PlanError(
                .reference, path.key("\(key)"),
                "`\(plan.steps[used.int].id.prefix(256))`'s result is used without a data edge.",
                hint: "List the step in `data`.")
        }
    }

    private func environment(
        _ variables: [EnvVar], _ index: Int, _ path: PlanPath
    ) throws(PlanError) {
        var last: String?
        for variable in variables {
            let bytes = variable.name.utf8
            guard let first = bytes.first, !first.isASCIIDigit,
                bytes.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x5F })
            else {
                throw PlanError(
                    .value, path.key(variable.name),
                    "The name of a variable has letters, digits and underscores only, "
                        + "and no digit first.")
            }
            try ascending(variable.name, after: last, path)
            last = variable.name
            try template(variable.value, path.key(variable.name), before: index)
        }
    }

    private func matrix(_ coordinates: [Coordinate], _ path: PlanPath) throws(PlanError) {
        var last: String?
        for coordinate in coordinates {
            try name(coordinate.key, path.key(coordinate.key), "The name of an axis")
            try ascending(coordinate.key, after: last, path)
            last = coordinate.key
            try text(coordinate.value, path.key(coordinate.key))
        }
    }

    private func ascending(
        _ name: String, after last: String?, _ path: PlanPath
    ) throws(PlanError) {
        if let last, !last.precedesInUTF8(name) {
            throw PlanError(.value, path.key(name), "Names stand once each and in order.")
        }
    }

    private func options(
        _ options: Step.Options, _ index: Int, _ path: PlanPath
    ) throws(PlanError) {
        for (key, globs) in [("inputs", options.inputs), ("outputs", options.outputs)] {
            for (position, glob) in (globs ?? []).enumerated() {
                let glob = glob.hasPrefix("!") ? String(glob.dropFirst()) : glob
                try relative(glob, path.key(key).at(position), "A glob")
            }
        }
        try whole(options.timeoutMilliseconds, path.key("timeout_ms"))
        if let retry = options.retry {
            try whole(retry.delayMilliseconds, path.key("retry").key("delay_ms"))
            guard retry.backoff.isFinite, retry.backoff >= 0 else {
                throw PlanError(
                    .value, path.key("retry").key("backoff"), "The backoff is not negative.")
            }
            if retry.onCodes.contains(where: { $0 > 255 }) {
                throw PlanError(
                    .value, path.key("retry").key("on_codes"), "An exit code is from 0 to 255.")
            }
        }
        if let resources = options.resources {
            for amount in [resources.cpuMilli, resources.memoryBytes, resources.diskBytes] {
                try whole(amount, path.key("resources"))
            }
        }
        for (position, service) in options.services.enumerated() {
            try self.service(service, index, path.key("services").at(position))
        }
        if let cleanup = options.cleanup {
            guard cleanup.first.value >= 0, cleanup.first <= cleanup.last,
                cleanup.last.int < index
            else {
                throw PlanError(
                    .reference, path.key("cleanup"),
                    "The steps of a `try` stand before those that clean up after it, "
                        + "the first before the last.")
            }
        }
        if let upload = options.upload {
            let path = path.key("upload")
            try line(upload.name, path.key("name"), "The name of an artifact")
            try template(upload.path, path.key("path"), before: index)
            if let literal = upload.path.literal {
                try relative(literal, path.key("path"), "The path")
            }
        }
    }

    private func service(
        _ service: Service, _ index: Int, _ path: PlanPath
    ) throws(PlanError) {
        try name(service.name, path.key("name"), "The name of a service")
        try image(service.image, path.key("image"))
        if service.image.isEmpty {
            throw PlanError(.value, path.key("image"), "A service has an image.")
        }
        try environment(service.env, index, path.key("env"))
        if service.ports.contains(where: { $0 == 0 || $0 > 65535 }) {
            throw PlanError(.value, path.key("ports"), "A port is from 1 to 65535.")
        }
        try template(service.ready, path.key("ready"), before: index)
        try whole(service.readyTimeoutMilliseconds, path.key("ready_timeout_ms"))
    }

    /// JSON carries integers up to 2^53 without loss.
    private func whole(
        _ value: UInt64, _ path: @autoclosure () -> PlanPath
    ) throws(PlanError) {
        if value >= 1 << 53 { throw PlanError(.value, path(), "A number is below 2^53.") }
    }
}
