import PipelineIR

/// Durations, retries, resources and services of steps.
extension StepChecks {
    mutating func duration(
        _ given: RecordedQuantity, _ what: String, _ frame: FrameIndex?, allowsZero: Bool = false
    ) -> UInt64 {
        let found: UInt64?
        switch given {
        case .number(let seconds):
            found =
                seconds.isFinite && seconds >= 0 && seconds <= Quantity.longestSeconds
                ? UInt64(seconds * 1000) : nil
        case .text(let text): found = Quantity.milliseconds(text)
        }
        if let found, found > 0 || allowsZero { return found }
        report(
            "DNB306", .error, "`\(given.shown)` is not a duration for `\(what)`",
            hint: "Give seconds, or a text such as \"90s\", \"10m\" or \"1h30m\".", frame: frame)
        return 0
    }

    mutating func retry(_ given: RecordedRetry, _ frame: FrameIndex?) -> Retry? {
        guard (0...100).contains(given.attempts) else {
            report(
                "DNB311", .error, "A step cannot be tried again \(given.attempts) times",
                hint: "Give a number from 0 to 100.", frame: frame)
            return nil
        }
        var retry = Retry(
            attempts: UInt32(given.attempts), delayMilliseconds: 1000, backoff: 2, onCodes: [])
        if let delay = given.delay {
            retry.delayMilliseconds = duration(delay, "delay", frame, allowsZero: true)
        }
        if let backoff = given.backoff {
            guard case .number(let factor) = backoff, factor >= 1, factor <= 100 else {
                report(
                    "DNB311", .error, "`\(backoff.shown)` is not a factor for `backoff`",
                    hint: "Give a number from 1 to 100.", frame: frame)
                return nil
            }
            retry.backoff = factor
        }
        for code in given.codes {
            guard (1...255).contains(code) else {
                report(
                    "DNB311", .error, "`on` has \(code), which is not the exit code of a failure",
                    hint: "Exit codes of failures are 1 to 255.", frame: frame)
                return nil
            }
            retry.onCodes.append(UInt32(code))
        }
        retry.onCodes = Set(retry.onCodes).sorted()
        return retry.attempts == 0 ? nil : retry
    }

    mutating func resources(
        _ given: [(name: String, value: RecordedQuantity)], _ frame: FrameIndex?
    ) -> Resources {
        var found = Resources(cpuMilli: 0, memoryBytes: 0, diskBytes: 0, gpu: 0)
        for (name, value) in given {
            let amount: UInt64?
            switch name {
            case "cpu": amount = Quantity.milliCores(value)
            case "gpu":
                amount = Quantity.bytes(value).flatMap { $0 <= 1024 ? $0 : nil }
            default: amount = Quantity.bytes(value)
            }
            guard let amount else {
                report(
                    "DNB307", .error, "`\(value.shown)` is not a quantity for `\(name)`",
                    hint: name == "cpu"
                        ? "Give cores, such as 0.5, or thousandths, such as \"500m\"."
                        : "Give a number, or a text such as \"512Mi\" or \"2Gi\".",
                    frame: frame)
                continue
            }
            switch name {
            case "cpu": found.cpuMilli = amount
            case "memory": found.memoryBytes = amount
            case "disk": found.diskBytes = amount
            default: found.gpu = UInt32(clamping: amount)
            }
        }
        return found
    }

    mutating func services(
        _ given: [RecordedService], _ frame: FrameIndex?, _ map: (Template) -> Template
    ) -> [Service] {
        var found: [Service] = []
        var names: Set<String> = []
        for service in given {
            guard let image = service.image else { continue }
            check(image: image, frame)
            let name = service.name ?? Quantity.hostName(ofImage: image)
            if !Quantity.isHostName(name), Quantity.isImage(image) {
                report(
                    "DNB315", .error, "`\(name)` cannot be the host name of a service",
                    hint: "Use lower-case letters, digits and dashes.", frame: frame)
            }
            if !names.insert(name).inserted {
                report(
                    "DNB315", .error, "Two services of the step are named `\(name)`",
                    hint: "Give one of them another name=.", frame: frame)
            }
            for port in service.ports where !(1...65535).contains(port) {
                report(
                    "DNB315", .error, "A service cannot listen on port \(port)",
                    hint: "Ports are 1 to 65535.", frame: frame)
            }
            if service.ready?.parts.contains(where: \.hasNUL) == true {
                reportNUL("command `ready` of the service", frame)
            }
            found.append(
                Service(
                    name: name, image: image, env: variables(service.env, frame, map),
                    ports: service.ports.compactMap { UInt32(exactly: $0) },
                    ready: service.ready.map(map) ?? .empty,
                    readyTimeoutMilliseconds: service.readyTimeout.map {
                        duration($0, "ready_timeout", frame)
                    } ?? 60_000))
        }
        return found
    }
}
